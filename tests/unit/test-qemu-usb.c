/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor's side of USB devices: files and nodes come and go, and QEMU is told just that. */

#include <fcntl.h>
#include <poll.h>

#include "plug-scene.h"
#include "qemu-usb.h"

static void begin(Fixture *f, PlugScene *ret) {
        fixture_write(f, "usb/001/001", "");
        plug_scene_begin(f, &qemu_usb_kind, NULL, "plug", "usb", ret);
}

static bool is_due(const PlugScene *s) {
        struct pollfd fd = { .fd = qemu_plug_fd(s->plug), .events = POLLIN };

        return poll(&fd, 1, 0) > 0;
}

static void test_comes_and_goes(void **state) {
        PlugScene s;

        begin(*state, &s);
        fixture_write(s.f, "plug/001-005", "");
        plug_scene_assert_told(&s, NULL, NULL); /* no such node: unplugged already */
        fixture_write(s.f, "usb/001/005", "");
        fixture_write(s.f, "plug/.other", "");
        plug_scene_assert_told(&s, "\"device_add\"", "/usb/001/005\"");
        plug_scene_assert_told(&s, NULL, NULL);
        assert_false(is_due(&s));

        fixture_remove(s.f, "usb/001/005"); /* unplugged; the file is still there */
        assert_true(is_due(&s));
        plug_scene_assert_told(&s, "\"device_del\",\"id\":3,\"arguments\":{\"id\":\"usb-001-005\"}", NULL);

        fixture_write(s.f, "usb/001/006", ""); /* it is back, under another number */
        fixture_remove(s.f, "plug/001-005");
        fixture_write(s.f, "plug/001-006", "");
        assert_true(is_due(&s));
        plug_scene_assert_told(&s, "\"id\":\"usb-001-006\"", NULL);

        fixture_remove(s.f, "plug/001-006"); /* taken back by root */
        plug_scene_assert_told(&s, "device_del", "usb-001-006");
        plug_scene_end(&s);
}

/* The place has been taken by another one before anybody looked. */
static void test_another(void **state) {
        PlugScene s;

        begin(*state, &s);
        fixture_write(s.f, "usb/001/005", "");
        fixture_write(s.f, "plug/001-005", "");
        plug_scene_assert_told(&s, "device_add", "usb-001-005");
        assert_int_equal(renameat(s.f->root, "usb/001/005", s.f->root, "old"), 0); /* whose number is not used again */
        fixture_write(s.f, "usb/001/005", "");
        plug_scene_assert_told(&s, "device_del", "\"device_add\",\"id\":4");
        plug_scene_assert_told(&s, NULL, NULL);
        plug_scene_end(&s);
}

/* What QEMU refuses is not asked of it again, nor to be dropped; when the device has been away it is a new one. */
static void test_refused(void **state) {
        static const char refusal[] = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no free port\"}, \"id\": 2}\n";
        PlugScene s;

        begin(*state, &s);
        fixture_write(s.f, "usb/001/005", "");
        fixture_write(s.f, "plug/001-005", "");
        plug_scene_assert_told(&s, "device_add", "usb-001-005");
        fixture_capture(s.f);
        assert_int_equal(qmp_feed(s.qmp, refusal, strlen(refusal)), 0);
        fixture_assert_logged(s.f, "USB device usb-001-005 has not joined the guest: no free port");
        plug_scene_assert_told(&s, NULL, NULL);
        fixture_remove(s.f, "plug/001-005");
        plug_scene_assert_told(&s, NULL, NULL);
        fixture_write(s.f, "plug/001-005", "");
        plug_scene_assert_told(&s, "device_add", "usb-001-005");
        plug_scene_end(&s);
}

/* Without its directory a guest has nothing. */
static void test_no_directory(void **state) {
        QemuPlug *usb = NULL;
        Fixture *f = *state;
        PlugScene s;

        assert_int_equal(qemu_plug_new(&qemu_usb_kind, NULL, "/nonexistent/plug", "/dev/bus/usb", &usb), -ENOENT);
        begin(f, &s);
        fixture_write(f, "usb/001/005", "");
        fixture_write(f, "plug/001-005", "");
        plug_scene_assert_told(&s, "device_add", NULL);
        fixture_remove(f, "plug/001-005");
        assert_int_equal(unlinkat(f->root, "plug", AT_REMOVEDIR), 0);
        plug_scene_assert_told(&s, "device_del", NULL);
        plug_scene_end(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_comes_and_goes),
                fixture_test(test_another),
                fixture_test(test_refused),
                fixture_test(test_no_directory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
