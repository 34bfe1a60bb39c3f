/* SPDX-License-Identifier: BSD-3-Clause */
/* The supervisor's side of USB devices: files and nodes come and go, and QEMU is told just that. */

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "fixture.h"
#include "qemu-usb.h"

typedef struct Scene {
        Fixture *f;
        QemuPlug *usb;
        Qmp *qmp;
        int qemu; /* QEMU's end */
} Scene;

static void begin(Fixture *f, Scene *ret) {
        static const char greeting[] = "{\"QMP\": {}}\n{\"return\": {}, \"id\": 1}\n";
        static const QmpHandlers handlers = {};
        _cleanup_(freep) char *directory = NULL, *nodes = NULL;
        char said[256];
        int pair[2];

        fixture_directory(f, "plug");
        fixture_write(f, "usb/001/001", "");
        assert_true(format(&directory, "%s/plug", f->path) >= 0 && format(&nodes, "%s/usb", f->path) >= 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        *ret = (Scene){ .f = f, .qemu = pair[1], .qmp = qmp_new(pair[0], &handlers, NULL) };
        assert_non_null(ret->qmp);
        assert_int_equal(qemu_plug_new(&qemu_usb_kind, NULL, directory, nodes, &ret->usb), 0);
        assert_int_equal(qmp_feed(ret->qmp, greeting, strlen(greeting)), 0);
        assert_true(read(ret->qemu, said, sizeof said) > 0);
}

static void end(Scene *s) {
        (void) qemu_plug_free(s->usb);
        (void) qmp_free(s->qmp);
        close(s->qemu);
}

static bool is_due(const Scene *s) {
        struct pollfd fd = { .fd = qemu_plug_fd(s->usb), .events = POLLIN };

        return poll(&fd, 1, 0) > 0;
}

/* What QEMU is told, a line a command; empty: nothing. */
static void assert_told(Scene *s, const char *first, const char *second) {
        char said[2048];
        ssize_t n;

        assert_int_equal(qemu_plug_process(s->usb, s->qmp), 0);
        n = read(s->qemu, said, sizeof said - 1);
        said[n < 0 ? 0 : n] = '\0';
        if (!first) {
                assert_string_equal(said, "");
                return;
        }
        if (!strstr(said, first) || (second && !strstr(said, second)))
                fail_msg("told: %s", said);
}

static void test_comes_and_goes(void **state) {
        Scene s;

        begin(*state, &s);
        fixture_write(s.f, "plug/001-005", "");
        assert_told(&s, NULL, NULL); /* no such node: unplugged already */
        fixture_write(s.f, "usb/001/005", "");
        fixture_write(s.f, "plug/.other", "");
        assert_told(&s, "\"device_add\"", "/usb/001/005\"");
        assert_told(&s, NULL, NULL);
        assert_false(is_due(&s));

        fixture_remove(s.f, "usb/001/005"); /* unplugged; the file is still there */
        assert_true(is_due(&s));
        assert_told(&s, "\"device_del\",\"id\":3,\"arguments\":{\"id\":\"usb-001-005\"}", NULL);

        fixture_write(s.f, "usb/001/006", ""); /* it is back, under another number */
        fixture_remove(s.f, "plug/001-005");
        fixture_write(s.f, "plug/001-006", "");
        assert_true(is_due(&s));
        assert_told(&s, "\"id\":\"usb-001-006\"", NULL);

        fixture_remove(s.f, "plug/001-006"); /* taken back by root */
        assert_told(&s, "device_del", "usb-001-006");
        end(&s);
}

/* The place has been taken by another one before anybody looked. */
static void test_another(void **state) {
        Scene s;

        begin(*state, &s);
        fixture_write(s.f, "usb/001/005", "");
        fixture_write(s.f, "plug/001-005", "");
        assert_told(&s, "device_add", "usb-001-005");
        assert_int_equal(renameat(s.f->root, "usb/001/005", s.f->root, "old"), 0); /* whose number is not used again */
        fixture_write(s.f, "usb/001/005", "");
        assert_told(&s, "device_del", "\"device_add\",\"id\":4");
        assert_told(&s, NULL, NULL);
        end(&s);
}

/* What QEMU refuses is not asked of it again, nor to be dropped; when the device has been away it is a new one. */
static void test_refused(void **state) {
        static const char refusal[] = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no free port\"}, \"id\": 2}\n";
        Scene s;

        begin(*state, &s);
        fixture_write(s.f, "usb/001/005", "");
        fixture_write(s.f, "plug/001-005", "");
        assert_told(&s, "device_add", "usb-001-005");
        fixture_capture(s.f);
        assert_int_equal(qmp_feed(s.qmp, refusal, strlen(refusal)), 0);
        fixture_assert_logged(s.f, "USB device usb-001-005 has not joined the guest: no free port");
        assert_told(&s, NULL, NULL);
        fixture_remove(s.f, "plug/001-005");
        assert_told(&s, NULL, NULL);
        fixture_write(s.f, "plug/001-005", "");
        assert_told(&s, "device_add", "usb-001-005");
        end(&s);
}

/* Without its directory a guest has nothing. */
static void test_no_directory(void **state) {
        QemuPlug *usb = NULL;
        Fixture *f = *state;
        Scene s;

        assert_int_equal(qemu_plug_new(&qemu_usb_kind, NULL, "/nonexistent/plug", "/dev/bus/usb", &usb), -ENOENT);
        begin(f, &s);
        fixture_write(f, "usb/001/005", "");
        fixture_write(f, "plug/001-005", "");
        assert_told(&s, "device_add", NULL);
        fixture_remove(f, "plug/001-005");
        assert_int_equal(unlinkat(f->root, "plug", AT_REMOVEDIR), 0);
        assert_told(&s, "device_del", NULL);
        end(&s);
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
