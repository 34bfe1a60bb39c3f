/* SPDX-License-Identifier: BSD-3-Clause */
/* The drop-in of --record: what is in it, that guests load with it, and that it is there whole or not at all. */

#include <sys/stat.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest.h"
#include "pin-guest.h"
#include "root.h"

#define DROP_IN "etc/vxm/guests/g.guest.d/90-recorded.conf"
#define HEAD                                                                                                               \
        "# Which devices the guest's are, by the way to their slot and their ids. Made by vxm-bind --record;\n"               \
        "# remove this file to let the guest have whatever Device= finds.\n"
#define GPU_PIN "# Device=01:00.0 is 0000:01:00.0\nRecorded=0000:00/1c.0/00.0 1234:1111:1af4:1100\n"
#define USB_PIN "# Device=1b36:000d is 0000:00:14.0\nRecorded=0000:00/14.0 1b36:000d:1af4:1100\n"

static void assert_drop_in(Fixture *f, const char *wanted) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, DROP_IN, &text), 0);
        assert_int_equal(list_append(&text, "\n", "%s", ""), 0); /* the newline at the end */
        assert_string_equal(text, wanted);
}

static void test_sections(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;
        struct stat st;

        fixture_machine(f, "two-gpu");
        fixture_write(f, "etc/vxm/guests/g.guest", "[PCI usb]\nDevice=1b36:000d\n[GPU]\nDevice=01:00.0\n");
        assert_int_equal(pin_guest(f->root, "g", false), 0);
        assert_drop_in(f, HEAD "[PCI usb]\nRecorded=\n" USB_PIN "[GPU]\nRecorded=\n" GPU_PIN);
        assert_false(root_exists(f->root, "etc/vxm/guests/g.guest.d/.90-recorded.conf.new"));
        assert_int_equal(fstatat(f->root, DROP_IN, &st, 0), 0);
        assert_int_equal(st.st_mode & 0777 & ~0644U, 0);

        assert_int_equal(guest_load(f->root, "g", &g), 0);
        assert_int_equal(g->n_devices, 2);
        assert_int_equal(g->devices[0].n_pins, 1);
        assert_string_equal(g->devices[0].pins[0].path, "0000:00/14.0");
        assert_int_equal(g->devices[1].n_pins, 1);
        assert_int_equal(g->devices[1].pins[0].vendor, 0x1234);
}

/* A link in the tree of another machine means what it means there. */
static void test_link(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_write(f, "srv/vxm/guests/g.guest", "[GPU]\nDevice=01:00.0\n");
        fixture_directory(f, "etc");
        fixture_link(f, "etc/vxm", "/srv/vxm");
        assert_int_equal(pin_guest(f->root, "g", false), 0);
        assert_true(root_exists(f->root, "srv/vxm/guests/g.guest.d/90-recorded.conf"));
}

/* What was recorded before does not stand against the new record, nor in it. */
static void test_again(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_write(f, "usr/lib/vxm/guests/g.guest", "[GPU]\nDevice=01:00.0\n");
        fixture_write(f, DROP_IN, "[GPU]\nRecorded=0000:00/1d.0/00.0 10de:1111:1af4:1100\n# longer than what comes in its place, "
                                  "by all these words, and by these, which are quite a few more than there would have to be\n");
        fixture_write(f, "etc/vxm/guests/g.guest.d/.90-recorded.conf.new", "half");
        assert_int_equal(pin_guest(f->root, "g", false), 0);
        assert_drop_in(f, HEAD "[GPU]\nRecorded=\n" GPU_PIN);
        assert_int_equal(pin_guest(f->root, "g", false), 0);
        assert_drop_in(f, HEAD "[GPU]\nRecorded=\n" GPU_PIN);
}

static void test_makes_directories(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_write(f, "usr/lib/vxm/guests/g.guest", "[GPU]\nDevice=01:00.0\n");
        fixture_directory(f, "etc");
        assert_int_equal(pin_guest(f->root, "g", false), 0);
        assert_drop_in(f, HEAD "[GPU]\nRecorded=\n" GPU_PIN);
}

/* Nothing is written for what cannot be told, nor for no device. */
static void test_nothing_written(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_write(f, "etc/vxm/guests/g.guest", "[GPU]\nDevice=01:00.0\n[PCI]\nDevice=09:00.0\n");
        assert_int_equal(pin_guest(f->root, "g", false), -E_CONFIG);
        assert_false(root_exists(f->root, "etc/vxm/guests/g.guest.d"));
        fixture_write(f, "etc/vxm/guests/g.guest", "[Memory]\nSize=1G\n");
        fixture_capture(f);
        assert_int_equal(pin_guest(f->root, "g", false), 0);
        fixture_assert_logged(f, "Guest g has no devices in /etc/vxm/guests/g.guest; there is nothing to record.");
        assert_false(root_exists(f->root, "etc/vxm/guests/g.guest.d"));
        assert_int_equal(pin_guest(f->root, "none", false), -E_CONFIG);
}

/* A directory in the file's place: the old state stays, and nothing lies about. */
static void test_fails_whole(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_write(f, "etc/vxm/guests/g.guest", "[GPU]\nDevice=01:00.0\n");
        fixture_directory(f, "etc/vxm/guests/g.guest.d/.90-recorded.conf.new");
        fixture_capture(f);
        assert_true(pin_guest(f->root, "g", false) < 0);
        fixture_assert_logged(f, "Cannot write /etc/vxm/guests/g.guest.d/90-recorded.conf: ");
        assert_false(root_exists(f->root, DROP_IN));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_sections),
                fixture_test(test_again),
                fixture_test(test_link),
                fixture_test(test_makes_directories),
                fixture_test(test_nothing_written),
                fixture_test(test_fails_whole),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
