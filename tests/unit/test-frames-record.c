/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of frames: what is written comes back, what is damaged is refused, other guests' nodes are found. */

#include <sys/sysmacros.h>

#include "fixture.h"
#include "frames-record.h"
#include "root.h"

static int parse(const char *text, Frames *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return frames_record_parse(copy, ret);
}

static void test_parse(void **state) {
        static const char *const bad[] = { "", "\n", "file", "file 1", "file x /run/vxm/looking-glass/a",
                "file 0 /run/vxm/looking-glass/a", "file 1 /run/vxm/looking-glass/", "file 1 /run/vxm/looking-glass/a/b",
                "file 1 /run/vxm/looking-glass/..", "file 1 /etc/shadow", "file 1 /run/vxm/looking-glass/a x",
                "file 1 /dev/kvmfr0", "dir 1 /run/vxm/looking-glass/a", "node 1 /dev/kvmfr0", "node 1 /dev/kvmfr 1:1 0 0 600",
                "node 1 /dev/kvmfr0x 1:1 0 0 600", "node 1 /dev/sda 1:1 0 0 600", "node 1 /dev/kvmfr0 1 0 0 600",
                "node 1 /dev/kvmfr0 1:1 0 0", "node 1 /dev/kvmfr0 1:1 0 0 ", "node 1 /dev/kvmfr0 1:1 0 0 900",
                "node 1 /dev/kvmfr0 1:1 0 0 60000", "node 1 /dev/kvmfr0 1:1 0 0 600 1", "node 1 /dev/kvmfr0 1:1 -1 0 600",
                "node 1 /dev/kvmfr0 1:1 0 4294967295 600", "node 1 /dev/kvmfr0 4096:1 0 0 600",
                "node 1 /dev/kvmfr0 1:1048576 0 0 600", "file 1 /run/vxm/looking-glass/a\nfile 1 /run/vxm/looking-glass/b" };
        _cleanup_(frames_done) Frames file = {}, node = {};

        (void) state;
        assert_int_equal(parse("file 33554432 /run/vxm/looking-glass/win11\n", &file), 0);
        assert_true(!file.is_node && file.size == 33554432);
        assert_string_equal(file.path, "/run/vxm/looking-glass/win11");
        assert_int_equal(parse("node 67108864 /dev/kvmfr12 236:12 5 6 640\n", &node), 0);
        assert_true(node.is_node && node.size == 67108864 && node.number == makedev(236, 12));
        assert_true(node.uid == 5 && node.gid == 6 && node.mode == 0640);
        assert_string_equal(node.path, "/dev/kvmfr12");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(frames_done) Frames none = {};

                if (parse(bad[i], &none) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
        }
}

static void test_file(void **state) {
        static char path[] = "/dev/kvmfr0";
        const Frames frames = { path, UINT64_C(128) << 20, true, makedev(236, 0), 1000, 44, 0660 };
        _cleanup_(frames_done) Frames again = {};
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/frames");
        assert_int_equal(frames_record_load(f->root, "demo", &again), -ENOENT);
        assert_int_equal(frames_record_save(f->root, "demo", &frames), 0);
        assert_int_equal(frames_record_load(f->root, "demo", &again), 0);
        assert_true(again.is_node && again.size == frames.size && again.number == frames.number);
        assert_true(again.uid == 1000 && again.gid == 44 && again.mode == 0660);
        assert_string_equal(again.path, path);
        assert_int_equal(frames_record_forget(f->root, "demo"), 0);
        assert_int_equal(frames_record_forget(f->root, "demo"), 0);
        assert_false(root_exists(f->root, "run/vxm/frames/demo"));
}

static void test_holder(void **state) {
        _cleanup_(freep) char *holder = NULL, *damaged = NULL, *none = NULL;
        Fixture *f = *state;

        fixture_write(f, "run/vxm/frames/other", "node 1 /dev/kvmfr1 236:1 0 0 600\n");
        assert_int_equal(frames_record_holder(f->root, "demo", "/dev/kvmfr1", &holder), 1);
        assert_string_equal(holder, "other");
        assert_int_equal(frames_record_holder(f->root, "demo", "/dev/kvmfr11", &none), 0);
        assert_int_equal(frames_record_holder(f->root, "other", "/dev/kvmfr1", &none), 0);
        fixture_write(f, "run/vxm/frames/third", "nonsense");
        assert_int_equal(frames_record_holder(f->root, "other", "/dev/kvmfr1", &damaged), -EBADMSG);
        assert_string_equal(damaged, "third");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                fixture_test(test_file),
                fixture_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
