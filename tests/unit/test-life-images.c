/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a guest can be saved, from QEMU's own answers, and which snapshots there are. */

#include "fixture.h"
#include "life-images.h"

#define SNAPSHOT(tag, size, date) \
        "{\"id\": \"1\", \"name\": \"" tag "\", \"vm-state-size\": " size ", \"date-sec\": " date ", \"date-nsec\": 0}"
#define NODE(name, driver, ro, snapshots) \
        "{\"node-name\": \"" name "\", \"drv\": \"" driver "\", \"ro\": " ro ", \"image\": {\"snapshots\": [" snapshots "]}}"

static json_t *parse(const char *text) {
        json_t *j = json_loads(text, 0, NULL);

        assert_non_null(j);
        return j;
}

static int read_images(const char *blocks, const char *devices, const char *migrate, LifeImages *ret) {
        _cleanup_(json_decrefp) json_t *b = parse(blocks), *d = parse(devices), *m = parse(migrate);

        return life_images_read(b, (const json_t *[]){ d, NULL }, m, ret);
}

static void assert_obstacle(const char *blocks, const char *devices, const char *migrate, const char *wanted) {
        _cleanup_(life_images_done) LifeImages l = {};

        assert_int_equal(read_images(blocks, devices, migrate, &l), 0);
        if (!wanted)
                assert_null(l.obstacle);
        else if (!l.obstacle || !strstr(l.obstacle, wanted))
                fail_msg("“%s” instead of “%s”", l.obstacle ? l.obstacle : "nothing", wanted);
}

static void test_obstacles(void **state) {
        const char *good = "[" NODE("disk-a", "qcow2", "false", "") "]";

        (void) state;
        assert_obstacle(good, "[]", "{}", NULL);
        /* What the guest cannot write to is in nobody's way, nor are firmware and the files below images. */
        assert_obstacle("[" NODE("disk-a", "qcow2", "false", "") "," NODE("disk-b", "raw", "true", "") ","
                        NODE("cdrom-c", "raw", "true", "") "," NODE("nvram", "raw", "false", "") ","
                        NODE("file-a", "file", "false", "") "]", "[]", "{}", NULL);
        assert_obstacle("[" NODE("disk-a", "qcow2", "false", "") "," NODE("disk-b", "raw", "false", "") "]", "[]", "{}", "disk b is no qcow2");
        assert_obstacle("[]", "[]", "{}", "no qcow2 image");
        assert_obstacle("[" NODE("disk-a", "qcow2", "true", "") "]", "[]", "{}", "no qcow2 image");
        assert_obstacle(good, "[{\"name\": \"device[0]\", \"type\": \"child<vfio-pci>\"}]", "{}", "PCI device");
        assert_obstacle(good, "[{\"name\": \"share-m\", \"type\": \"child<vhost-user-fs-pci>\"}]", "{}", "share");
        assert_obstacle(good, "[{\"name\": \"x\"}, 7, {\"type\": \"child<nvme>\"}]", "{}", "Bus=nvme");
        assert_obstacle(good, "[{\"name\": \"usb-001-005\", \"type\": \"child<usb-host>\"}]", "{}", "USB device of the host");
        assert_obstacle(good, "[{\"name\": \"usb\", \"type\": \"child<qemu-xhci>\"}]", "{}", NULL);
        assert_obstacle(good, "[{\"type\": \"child<virtio-net-pci>\"}]", "{}", NULL);
        assert_obstacle(good, "[]", "{\"blocked-reasons\": [\"no\\u001b[31m way.\"]}", "QEMU says: no?[31m way");
}

static void test_snapshots(void **state) {
        _cleanup_(life_images_done) LifeImages l = {};
        const LifeSnapshot *n;

        (void) state;
        assert_int_equal(read_images("[" NODE("disk-a", "qcow2", "false", SNAPSHOT("one", "4096", "1700000000") ","
                                              SNAPSHOT("two", "0", "1700000001") ", {\"name\": \"\"}, {}, 5") ","
                                     NODE("disk-b", "qcow2", "false", SNAPSHOT("one", "0", "1700000000")) "]",
                                 "[]", "{}", &l), 0);
        assert_int_equal(l.n, 2);
        assert_int_equal(l.n_snapshots, 2);
        n = life_images_find(&l, "one");
        assert_non_null(n);
        assert_int_equal(n->state_size, 4096);
        assert_int_equal(n->date, 1700000000);
        assert_int_equal(n->n_disks, 2);
        n = life_images_find(&l, "two");
        assert_int_equal(n->state_size, 0);
        assert_int_equal(n->n_disks, 1);
        assert_null(life_images_find(&l, "three"));
}

static void test_nonsense(void **state) {
        LifeImages l = {};

        (void) state;
        assert_int_equal(read_images("{}", "[]", "{}", &l), -EPROTO);
        assert_int_equal(read_images("[]", "[]", "[]", &l), -EPROTO);
        assert_null(l.nodes);
        assert_obstacle("[1, {}, {\"node-name\": 5}, {\"node-name\": \"disk-a\"}, {\"drv\": \"qcow2\"}]", "{}", "{}", "no qcow2");
        assert_obstacle("[{\"node-name\": \"disk-a\", \"drv\": \"qcow2\", \"image\": {\"snapshots\": {\"name\": 1}}}]", "[]",
                "{\"blocked-reasons\": {}}", NULL);
}

static void test_too_many(void **state) {
        _cleanup_(json_decrefp) json_t *blocks = json_array(), *migrate = json_object();
        LifeImages l = {};

        (void) state;
        for (int i = 0; i < LIFE_DISKS_MAX + 1; i++) {
                char name[32];

                (void) snprintf(name, sizeof name, "disk-%d", i);
                json_array_append_new(blocks, json_pack("{s:s, s:s}", "node-name", name, "drv", "qcow2"));
        }
        assert_int_equal(life_images_read(blocks, (const json_t *[]){ NULL, NULL }, migrate, &l), -EPROTO);
}

static void test_tags(void **state) {
        (void) state;
        assert_true(life_tag_is_valid("before-update_2.1"));
        assert_true(life_tag_is_valid("abcdefghijklmnopqrstuvwxyzabcdef"));
        assert_false(life_tag_is_valid("abcdefghijklmnopqrstuvwxyzabcdefg"));
        assert_false(life_tag_is_valid(""));
        assert_false(life_tag_is_valid("1"));
        assert_false(life_tag_is_valid("-a"));
        assert_false(life_tag_is_valid("a b"));
        assert_false(life_tag_is_valid("a/b"));
        assert_false(life_tag_is_valid("ä"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_obstacles), cmocka_unit_test(test_snapshots), cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_too_many), cmocka_unit_test(test_tags),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
