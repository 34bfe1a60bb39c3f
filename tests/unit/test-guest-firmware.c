/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest is set up with a firmware once, and keeps it: choice, pin, NVRAM, and what is refused. */

#include <sys/stat.h>

#include "exit-status.h"
#include "firmware-pin.h"
#include "fixture.h"
#include "guest-firmware.h"
#include "root.h"

#define DIRECTORY "var/lib/vxm/guests/g/firmware"
#define NVRAM "/" DIRECTORY "/nvram.fd"

static Guest guest(void) {
        return (Guest){ .name = (char *) "g", .file = (char *) "/etc/vxm/guests/g.guest", .enrolled_keys = true };
}

static void assert_firmware(Fixture *fixture, const Guest *g, const char *code) {
        Firmware f = {};

        assert_int_equal(guest_firmware_find(fixture->root, g, &f), 0);
        assert_string_equal(f.code, code);
        firmware_done(&f);
}

static void assert_refused(Fixture *fixture, const Guest *g, int error, const char *log) {
        Firmware f = {};
        int r;

        fixture_capture(fixture);
        r = guest_firmware_find(fixture->root, g, &f);
        fixture_assert_logged(fixture, log);
        assert_int_equal(r, -error);
        assert_null(f.code);
}

static void set_up(Fixture *fixture, const Guest *g) {
        Firmware f = {};

        fixture_directory(fixture, DIRECTORY);
        assert_int_equal(guest_firmware_find(fixture->root, g, &f), 0);
        assert_int_equal(guest_firmware_prepare(fixture->root, &f, NVRAM), 0);
        firmware_done(&f);
}

static void assert_content(Fixture *f, const char *path, const char *content) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, path, &text), 0);
        assert_string_equal(text, content);
}

static void test_bios(void **state) {
        Fixture *fixture = *state;
        Guest g = guest();
        Firmware f = {};

        g.firmware = FIRMWARE_BIOS;
        assert_int_equal(guest_firmware_find(fixture->root, &g, &f), 0);
        assert_null(f.code);
        assert_int_equal(guest_firmware_prepare(fixture->root, &f, NVRAM), 0);
        assert_false(root_exists(fixture->root, DIRECTORY));
}

static void test_set_up(void **state) {
        Fixture *f = *state;
        Guest g = guest();

        fixture_machine(f, "host");
        g.secure_boot = true;
        set_up(f, &g);
        assert_content(f, DIRECTORY "/nvram.fd", "variables, keys enrolled");
        assert_content(f, DIRECTORY "/pinned",
                "# The firmware that the UEFI variables in nvram.fd are of; see SecureBoot= in vxm.guest(5).\n[Firmware]\n"
                "Code=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd\nVars=/usr/share/OVMF/OVMF_VARS_4M.ms.fd\nFormat=raw\n"
                "SecureBoot=yes\nEnrolledKeys=yes\nS3=yes");
        assert_false(root_exists(f->root, DIRECTORY "/pinned.new"));

        /* A second time changes nothing: what the guest has written stays. */
        fixture_write(f, DIRECTORY "/nvram.fd", "the guest's");
        set_up(f, &g);
        assert_content(f, DIRECTORY "/nvram.fd", "the guest's");
}

/* A descriptor that comes before all others is for guests that begin. */
static void test_pinned(void **state) {
        Fixture *f = *state;
        Guest g = guest();

        fixture_machine(f, "host");
        set_up(f, &g);
        fixture_write(f, "new.fd", "code");
        fixture_lines(f, "etc/qemu/firmware/00-new.json = {\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", "
                         "\"executable\": {\"filename\": \"/new.fd\", \"format\": \"raw\"}, \"nvram-template\": {\"filename\": "
                         "\"/new.fd\", \"format\": \"raw\"}}, \"targets\": [{\"architecture\": \"x86_64\", \"machines\": "
                         "[\"pc-q35-*\"]}], \"features\": []}");
        assert_firmware(f, &g, "/usr/share/OVMF/OVMF_CODE_4M.fd");

        /* Without its NVRAM the guest begins anew. */
        fixture_remove(f, DIRECTORY "/nvram.fd");
        assert_firmware(f, &g, "/new.fd");
        set_up(f, &g);
        fixture_remove(f, "etc/qemu/firmware/00-new.json");
        assert_firmware(f, &g, "/new.fd");
        fixture_remove(f, "new.fd");
        assert_refused(f, &g, E_LACKS, "Firmware /new.fd, which guest g was set up with, is gone; install it again");
}

/* A guest of before there were pins: its firmware is noted at the next start, its variables stay. */
static void test_unpinned(void **state) {
        Fixture *f = *state;
        Guest g = guest();

        fixture_machine(f, "host");
        fixture_write(f, DIRECTORY "/nvram.fd", "old");
        set_up(f, &g);
        assert_content(f, DIRECTORY "/nvram.fd", "old");
        assert_true(root_exists(f->root, DIRECTORY "/pinned"));
        fixture_remove(f, DIRECTORY "/pinned");
        g.secure_boot = true;
        assert_refused(f, &g, E_CONFIG, "[Firmware] SecureBoot=yes, but the guest was set up with SecureBoot=no");
}

static void test_changes(void **state) {
        Fixture *f = *state;
        Guest g = guest();

        fixture_machine(f, "host");
        set_up(f, &g);
        g.secure_boot = true;
        assert_refused(f, &g, E_CONFIG, "SecureBoot=yes, but the guest was set up with SecureBoot=no");
        g = guest();
        g.firmware_code = (char *) "/usr/share/OVMF/OVMF_CODE_4M.fd";
        g.firmware_vars = (char *) "/usr/share/OVMF/OVMF_VARS_4M.fd";
        assert_firmware(f, &g, "/usr/share/OVMF/OVMF_CODE_4M.fd"); /* just what it has */
        g.firmware_vars = (char *) "/usr/share/OVMF/OVMF_VARS_4M.ms.fd";
        assert_refused(f, &g, E_CONFIG, "Vars=/usr/share/OVMF/OVMF_VARS_4M.ms.fd, but the guest was set up with Vars=");

        fixture_remove(f, DIRECTORY "/nvram.fd");
        g = guest();
        g.secure_boot = true;
        set_up(f, &g);
        g.enrolled_keys = false;
        assert_refused(f, &g, E_CONFIG, "EnrolledKeys=no, but the guest was set up with EnrolledKeys=yes");
        g.enrolled_keys = true;
        g.secure_boot = false;
        assert_refused(f, &g, E_CONFIG, "SecureBoot=no, but the guest was set up with SecureBoot=yes");
}

/* The pin lies where the guest's user can write. */
static void test_hostile(void **state) {
        static const char *const texts[] = { "", "root:x:0:0", "[Firmware]\nCode=/c\n", "[Firmware]\nCode=c\nVars=/v\nFormat=raw\n",
                "[Firmware]\nCode=/c\nVars=/v\nFormat=raw,x=y\n", "[Firmware]\nCode=/c\nVars=/v\nFormat=raw\nS3=2\n" };
        _cleanup_(freep) char *fifo = NULL, *large = NULL, *log = NULL;
        Firmware pinned = {};
        FirmwarePin pin;
        Fixture *f = *state;
        Guest g = guest();

        fixture_machine(f, "host");
        fixture_write(f, DIRECTORY "/nvram.fd", "");
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                fixture_write(f, DIRECTORY "/pinned", texts[i]);
                assert_int_equal(firmware_pin_read(f->root, "g", &pin, &pinned), -EBADMSG);
        }
        fixture_capture(f);
        assert_int_equal(guest_firmware_find(f->root, &g, &pinned), -E_CONFIG);
        log = fixture_log(f);
        assert_non_null(strstr(log, "/var/lib/vxm/guests/g/firmware/pinned is damaged; remove it"));
        assert_null(strstr(log, "S3")); /* no word of it is shown */

        large = calloc(1, 32 * 1024);
        assert_non_null(large);
        memset(large, '#', 32 * 1024 - 1);
        fixture_write(f, DIRECTORY "/pinned", large);
        assert_int_equal(firmware_pin_read(f->root, "g", &pin, &pinned), -EBADMSG);

        /* Neither a link is followed nor a pipe waited for. */
        fixture_remove(f, DIRECTORY "/pinned");
        fixture_link(f, DIRECTORY "/pinned", "/etc/shadow");
        assert_int_equal(firmware_pin_read(f->root, "g", &pin, &pinned), -EBADMSG);
        fixture_remove(f, DIRECTORY "/pinned");
        assert_int_equal(format(&fifo, "%s/" DIRECTORY "/pinned", f->path), 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(firmware_pin_read(f->root, "g", &pin, &pinned), -EBADMSG);
        assert_null(pinned.code);
}

static void test_directory_is_a_link(void **state) {
        Firmware pinned = {};
        FirmwarePin pin;
        Fixture *f = *state;

        fixture_write(f, "elsewhere/nvram.fd", "");
        fixture_directory(f, "var/lib/vxm/guests/g");
        fixture_link(f, DIRECTORY, "/elsewhere");
        assert_true(firmware_pin_read(f->root, "g", &pin, &pinned) < 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_bios),
                fixture_test(test_set_up),
                fixture_test(test_pinned),
                fixture_test(test_unpinned),
                fixture_test(test_changes),
                fixture_test(test_hostile),
                fixture_test(test_directory_is_a_link),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
