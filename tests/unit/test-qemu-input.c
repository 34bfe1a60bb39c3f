/* SPDX-License-Identifier: BSD-3-Clause */
/* Keyboards and mice in QEMU: what QEMU is told of each, and that what comes back is another one. */

#include <fcntl.h>

#include "guest.h"
#include "plug-scene.h"
#include "qemu-input.h"

/* A guest that is to have all there is. */
static const Guest greedy = { .input_grab_all = true, .input_repeat = true, .input_toggle = INPUT_META_META };

static void begin(Fixture *f, const Guest *g, PlugScene *ret) {
        fixture_directory(f, "input");
        plug_scene_begin(f, &qemu_input_kind, g, "door", "input", ret);
}

static void comes(PlugScene *s, const char *entry, const char *node) {
        _cleanup_(freep) char *file = NULL, *path = NULL;

        assert_true(format(&file, "door/%s", entry) >= 0 && format(&path, "input/%s", node) >= 0);
        fixture_write(s->f, path, "");
        fixture_write(s->f, file, "");
}

static void test_kinds(void **state) {
        PlugScene s;

        begin(*state, &greedy, &s);
        comes(&s, "pointer-6", "event6");
        plug_scene_assert_told(&s, "\"repeat\":false,\"grab_all\":false,\"grab-toggle\":\"meta-meta\",\"id\":\"input-pointer-6\"", "object-add");
        comes(&s, "keys-5", "event5");
        plug_scene_assert_told(&s, "\"repeat\":true,\"grab_all\":false,\"grab-toggle\":\"meta-meta\",\"id\":\"input-keys-5\"", "/input/event5\"");
        comes(&s, "keyboard-4", "event4");
        plug_scene_assert_told(&s, "\"qom-type\":\"input-linux\"", "\"repeat\":true,\"grab_all\":true");
        plug_scene_assert_told(&s, NULL, NULL);

        fixture_remove(s.f, "input/event4"); /* pulled out */
        plug_scene_assert_told(&s, "\"object-del\"", "\"id\":\"input-keyboard-4\"");
        plug_scene_end(&s);
}

/* Under the same number, before anybody has looked. */
static void test_back_at_once(void **state) {
        PlugScene s;

        begin(*state, &greedy, &s);
        comes(&s, "keyboard-4", "event4");
        plug_scene_assert_told(&s, "object-add", NULL);
        assert_int_equal(renameat(s.f->root, "input/event4", s.f->root, "old"), 0);
        fixture_write(s.f, "input/event4", "");
        plug_scene_assert_told(&s, "object-del", "object-add");
        plug_scene_end(&s);
}

/* Under another number: QEMU closes the old one's files before it opens any. */
static void test_another_at_once(void **state) {
        PlugScene s;
        char said[2048];
        ssize_t n;

        begin(*state, &greedy, &s);
        comes(&s, "keyboard-4", "event4");
        plug_scene_assert_told(&s, "object-add", NULL);
        fixture_remove(s.f, "input/event4");
        comes(&s, "keyboard-9", "event9");
        assert_int_equal(qemu_plug_process(s.plug, s.qmp), 0);
        n = read(s.qemu, said, sizeof said - 1);
        said[n < 0 ? 0 : n] = '\0';
        assert_true(strstr(said, "object-del") && strstr(said, "object-add") && strstr(said, "object-del") < strstr(said, "object-add"));
        plug_scene_end(&s);
}

static void test_each_for_itself(void **state) {
        static const Guest modest = { .input_toggle = INPUT_META_META };
        PlugScene s;

        begin(*state, &modest, &s);
        comes(&s, "keyboard-4", "event4");
        plug_scene_assert_told(&s, "\"repeat\":false,\"grab_all\":false", NULL);
        plug_scene_end(&s);
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
