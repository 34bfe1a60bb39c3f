/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyboards and mice in QEMU: what QEMU is told of each, and that what comes back is another one. */

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "fixture.h"
#include "guest.h"
#include "qemu-input.h"

typedef struct Scene {
        Fixture *f;
        QemuPlug *plug;
        Guest guest;
        Qmp *qmp;
        int qemu; /* QEMU's end */
} Scene;

static void begin(Fixture *f, Scene *ret) {
        static const char greeting[] = "{\"QMP\": {}}\n{\"return\": {}, \"id\": 1}\n";
        static const QmpHandlers handlers = {};
        _cleanup_(freep) char *directory = NULL, *nodes = NULL;
        char said[256];
        int pair[2];

        fixture_directory(f, "door");
        fixture_directory(f, "input");
        assert_true(format(&directory, "%s/door", f->path) >= 0 && format(&nodes, "%s/input", f->path) >= 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        *ret = (Scene){ .guest = { .input_grab_all = true, .input_repeat = true, .input_toggle = INPUT_META_META }, .f = f, .qemu = pair[1], .qmp = qmp_new(pair[0], &handlers, NULL) };
        assert_non_null(ret->qmp);
        assert_int_equal(qemu_plug_new(&qemu_input_kind, &ret->guest, directory, nodes, &ret->plug), 0);
        assert_int_equal(qmp_feed(ret->qmp, greeting, strlen(greeting)), 0);
        assert_true(read(ret->qemu, said, sizeof said) > 0);
}

static void end(Scene *s) {
        (void) qemu_plug_free(s->plug);
        (void) qmp_free(s->qmp);
        close(s->qemu);
}

/* What QEMU is told, a line a command; empty: nothing. */
static void assert_told(Scene *s, const char *first, const char *second) {
        char said[2048];
        ssize_t n;

        assert_int_equal(qemu_plug_process(s->plug, s->qmp), 0);
        n = read(s->qemu, said, sizeof said - 1);
        said[n < 0 ? 0 : n] = '\0';
        if (!first) {
                assert_string_equal(said, "");
                return;
        }
        if (!strstr(said, first) || (second && !strstr(said, second)))
                fail_msg("told: %s", said);
}

static void comes(Scene *s, const char *entry, const char *node) {
        _cleanup_(freep) char *file = NULL, *path = NULL;

        assert_true(format(&file, "door/%s", entry) >= 0 && format(&path, "input/%s", node) >= 0);
        fixture_write(s->f, path, "");
        fixture_write(s->f, file, "");
}

static void test_kinds(void **state) {
        Scene s;

        begin(*state, &s);
        comes(&s, "pointer-6", "event6");
        assert_told(&s, "\"repeat\":false,\"grab_all\":false,\"grab-toggle\":\"meta-meta\",\"id\":\"input-pointer-6\"", "object-add");
        comes(&s, "keys-5", "event5");
        assert_told(&s, "\"repeat\":true,\"grab_all\":false,\"grab-toggle\":\"meta-meta\",\"id\":\"input-keys-5\"", "/input/event5\"");
        comes(&s, "keyboard-4", "event4");
        assert_told(&s, "\"qom-type\":\"input-linux\"", "\"repeat\":true,\"grab_all\":true");
        assert_told(&s, NULL, NULL);

        fixture_remove(s.f, "input/event4"); /* pulled out */
        assert_told(&s, "\"object-del\"", "\"id\":\"input-keyboard-4\"");
        end(&s);
}

/* Under the same number, before anybody has looked. */
static void test_back_at_once(void **state) {
        Scene s;

        begin(*state, &s);
        comes(&s, "keyboard-4", "event4");
        assert_told(&s, "object-add", NULL);
        assert_int_equal(renameat(s.f->root, "input/event4", s.f->root, "old"), 0);
        fixture_write(s.f, "input/event4", "");
        assert_told(&s, "object-del", "object-add");
        end(&s);
}

/* Under another number: QEMU closes the old one's files before it opens any. */
static void test_another_at_once(void **state) {
        Scene s;
        char said[2048];
        ssize_t n;

        begin(*state, &s);
        comes(&s, "keyboard-4", "event4");
        assert_told(&s, "object-add", NULL);
        fixture_remove(s.f, "input/event4");
        comes(&s, "keyboard-9", "event9");
        assert_int_equal(qemu_plug_process(s.plug, s.qmp), 0);
        n = read(s.qemu, said, sizeof said - 1);
        said[n < 0 ? 0 : n] = '\0';
        assert_true(strstr(said, "object-del") && strstr(said, "object-add") && strstr(said, "object-del") < strstr(said, "object-add"));
        end(&s);
}

static void test_each_for_itself(void **state) {
        Scene s;

        begin(*state, &s);
        s.guest.input_grab_all = s.guest.input_repeat = false;
        comes(&s, "keyboard-4", "event4");
        assert_told(&s, "\"repeat\":false,\"grab_all\":false", NULL);
        end(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_kinds),
                fixture_test(test_back_at_once),
                fixture_test(test_another_at_once),
                fixture_test(test_each_for_itself),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
