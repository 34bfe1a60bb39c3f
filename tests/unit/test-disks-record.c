/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of given disks: what is written comes back, what is damaged is refused, other guests' disks are found. */

#include <sys/sysmacros.h>

#include "disks-record.h"
#include "fixture.h"
#include "root.h"

#define DISK "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sdb"

static int parse(const char *text, DiskNodes *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return disks_record_parse(copy, ret);
}

static void test_parse(void **state) {
        static const char *const bad[] = { "8:16", "8:16 0", "8:16 0 /dev/sdb", "8:16 0 /dev/sdb ", "8 0 /dev/sdb x",
                ":16 0 /dev/sdb x", "8:16 -1 /dev/sdb x", "8:16 4294967295 /dev/sdb x", "8:16 0 /etc/shadow x",
                "8:16 0 /dev/../etc/shadow x", "8:16 0 sdb x", "4096:0 0 /dev/sdb x", "8:1048576 0 /dev/sdb x",
                "8:16 0 /dev/sdb x y", "8:16 0: /dev/sdb x", "8:16 0:0 /dev/sdb x", "8:16 :1 /dev/sdb x",
                "8:16 0:4294967295 /dev/sdb x", "8:16 0:1:2 /dev/sdb x" };
        _cleanup_(disk_nodes_done) DiskNodes record = {};

        (void) state;
        assert_int_equal(parse("8:16 0 /dev/sdb " DISK "\n259:3 1000 /dev/nvme0n1p3 devices/x\n", &record), 0);
        assert_int_equal(record.n, 2);
        assert_true(record.items[0].number == makedev(8, 16) && record.items[0].uid == 0);
        assert_string_equal(record.items[0].node, "/dev/sdb");
        assert_string_equal(record.items[0].device, DISK);
        assert_true(record.items[1].number == makedev(259, 3) && record.items[1].uid == 1000 && record.items[1].given == 0);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(disk_nodes_done) DiskNodes none = {};

                if (parse(bad[i], &none) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
        }
}

/* What was noted first is how it was before. */
static void test_add(void **state) {
        _cleanup_(disk_nodes_done) DiskNodes l = {};

        (void) state;
        assert_int_equal(disk_nodes_add(&l, &(DiskNode){ makedev(8, 16), 0, (char *) DISK, (char *) "/dev/sdb" }), 0);
        assert_int_equal(disk_nodes_add(&l, &(DiskNode){ makedev(8, 16), 990, (char *) DISK, (char *) "/dev/sdb" }), 0);
        assert_int_equal(l.n, 1);
        assert_int_equal(l.items[0].uid, 0);
        assert_int_equal(disk_nodes_add(&l, &(DiskNode){ makedev(8, 16), 1000, (char *) DISK, (char *) "/dev/sdb", 1000 }), 0);
        assert_true(l.n == 1 && l.items[0].uid == 0 && l.items[0].given == 1000);
        assert_int_equal(disk_nodes_add(&l, &(DiskNode){ 1, 0, (char *) "a b", (char *) "/dev/sdb" }), -EINVAL);
        assert_int_equal(disk_nodes_add(&l, &(DiskNode){ 1, 0, (char *) DISK, (char *) "/dev/a\nb" }), -EINVAL);
        while (l.n < 256) {
                char node[32];

                (void) snprintf(node, sizeof node, "/dev/x%zu", l.n);
                assert_int_equal(disk_nodes_add(&l, &(DiskNode){ l.n, 0, (char *) "x", node }), 0);
        }
        assert_int_equal(disk_nodes_add(&l, &(DiskNode){ 1, 0, (char *) "x", (char *) "/dev/y" }), -E2BIG);
}

static void test_file(void **state) {
        _cleanup_(disk_nodes_done) DiskNodes record = {}, again = {};
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/disks");
        assert_int_equal(disks_record_load(f->root, "demo", &again), -ENOENT);
        assert_int_equal(
                disk_nodes_add(&record, &(DiskNode){ makedev(8, 16), 5, (char *) DISK, (char *) "/dev/sdb" }), 0);
        assert_int_equal(
                disk_nodes_add(&record, &(DiskNode){ makedev(8, 17), 0, (char *) DISK, (char *) "/dev/sdb1", 1000 }), 0);
        assert_int_equal(disks_record_save(f->root, "demo", &record), 0);
        assert_int_equal(disks_record_load(f->root, "demo", &again), 0);
        assert_int_equal(again.n, 2);
        assert_true(again.items[0].uid == 5 && again.items[0].given == 0);
        assert_true(again.items[1].uid == 0 && again.items[1].given == 1000);
        assert_int_equal(disks_record_forget(f->root, "demo"), 0);
        assert_int_equal(disks_record_forget(f->root, "demo"), 0);
        assert_false(root_exists(f->root, "run/vxm/disks/demo"));
}

static void test_holder(void **state) {
        static const struct {
                const char *device;
                int holds;
        } cases[] = {
                { DISK, 1 },
                { DISK "/sdb1", 1 },
                { "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sdc", 0 },
                { DISK "c", 0 },
                { "devices/virtual/block/dm-0", 0 },
        };
        Fixture *f = *state;

        fixture_write(f, "run/vxm/disks/other", "8:16 0 /dev/sdb " DISK "\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *holder = NULL;

                if (disks_record_holder(f->root, "demo", cases[i].device, &holder) != cases[i].holds)
                        fail_msg("%s", cases[i].device);
                assert_true(!holder || streq(holder, "other"));
                assert_int_equal(disks_record_holder(f->root, "other", cases[i].device, &holder), 0);
        }
        fixture_write(f, "run/vxm/disks/third", "nonsense");
        _cleanup_(freep) char *holder = NULL;
        assert_int_equal(disks_record_holder(f->root, "other", DISK, &holder), -EBADMSG);
        assert_string_equal(holder, "third");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_add),
                fixture_test(test_file),
                fixture_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
