/* SPDX-License-Identifier: BSD-3-Clause */
/* The files by which a supervisor learns of devices: open to be read by all, and gone without a trace. */

#include <sys/stat.h>

#include "door.h"
#include "fixture.h"
#include "root.h"

static unsigned mode_of(Fixture *f, const char *path) {
        struct stat st;

        assert_int_equal(fstatat(f->root, path, &st, 0), 0);
        return st.st_mode & 07777;
}

static void test_door(void **state) {
        Fixture *f = *state;
        mode_t mask = umask(0077);

        fixture_directory(f, "run/vxm/plug");
        assert_int_equal(door_show(f->root, DOOR_USB, "demo", "001-005"), -ENOENT);
        assert_int_equal(door_hide(f->root, DOOR_USB, "demo", "001-005"), 0);
        assert_false(door_is_open(f->root, DOOR_USB, "demo"));
        for (int i = 0; i < 2; i++)
                assert_int_equal(door_open(f->root, DOOR_USB, "demo"), 0);
        assert_true(door_is_open(f->root, DOOR_USB, "demo"));
        assert_int_equal(mode_of(f, "run/vxm/plug/demo"), 0755);
        for (int i = 0; i < 2; i++)
                assert_int_equal(door_show(f->root, DOOR_USB, "demo", "001-005"), 0);
        assert_int_equal(door_show(f->root, DOOR_USB, "demo", "002-127"), 0);
        assert_true(root_exists(f->root, "run/vxm/plug/demo/001-005") && root_exists(f->root, "run/vxm/plug/demo/002-127"));
        for (int i = 0; i < 2; i++)
                assert_int_equal(door_hide(f->root, DOOR_USB, "demo", "001-005"), 0);
        assert_false(root_exists(f->root, "run/vxm/plug/demo/001-005"));
        for (int i = 0; i < 2; i++)
                assert_int_equal(door_close(f->root, DOOR_USB, "demo"), 0);
        assert_false(root_exists(f->root, "run/vxm/plug/demo") || door_is_open(f->root, DOOR_USB, "demo"));
        (void) umask(mask);
}

int main(void) {
        const struct CMUnitTest tests[] = { fixture_test(test_door) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
