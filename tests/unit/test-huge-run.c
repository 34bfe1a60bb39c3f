/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written to the pools, on a machine of files, where no page ever comes or goes by itself. */

#include "fixture.h"
#include "huge-run.h"
#include "root.h"

#define PAGE (UINT64_C(2) << 20)
#define POOL "sys/devices/system/node/node0/hugepages/hugepages-2048kB/"

static void assert_file(Fixture *f, const char *path, const char *wanted) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, path, &text), 0);
        assert_string_equal(text, wanted);
}

static HugePool make_pool(HugeNode *node, uint64_t take) {
        *node = (HugeNode){ .memory = { .has_pool = true, .available = 1000 * PAGE }, .take = take, .add = take };
        return (HugePool){ .page_size = PAGE, .items = node, .n = 1 };
}

/* The pages never become free, so it is tried three times, with memory compacted, and noted what it came to. */
static void test_add_exhausted(void **state) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        HugeNode node;
        HugePool pool = make_pool(&node, 100);
        Fixture *f = *state;

        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        assert_int_equal(huge_run_add(f->root, "g", &pool, &node, &record), 0);
        assert_true(node.exhausted);
        assert_file(f, POOL "nr_hugepages", "300");
        assert_file(f, "proc/sys/vm/compact_memory", "1");
        assert_file(f, "run/vxm/hugepages/g", "node 0 size 2048 need 100 added 300 from 0 to 0");
        assert_int_equal(node.memory.available, 700 * PAGE);
}

/* Enough of them are free: nothing is written. */
static void test_add_nothing(void **state) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        HugeNode node;
        HugePool pool = make_pool(&node, 100);
        Fixture *f = *state;

        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        node.memory.free = node.memory.pages = 120;
        node.awaited = 20;
        assert_int_equal(huge_run_add(f->root, "g", &pool, &node, &record), 0);
        assert_false(node.exhausted);
        assert_file(f, POOL "nr_hugepages", "0");
        assert_false(root_exists(f->root, "run/vxm/hugepages/g"));
}

/* A write that fails is told, and so is what it came to. */
static void test_add_fails(void **state) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        HugeNode node;
        HugePool pool = make_pool(&node, 100);
        Fixture *f = *state;

        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        fixture_remove(f, POOL "nr_hugepages");
        fixture_directory(f, POOL "nr_hugepages");
        fixture_capture(f);
        assert_int_equal(huge_run_add(f->root, "g", &pool, &node, &record), -EISDIR);
        fixture_assert_logged(f, "Cannot set the huge pages of node 0 to 100: Is a directory.");
        assert_file(f, "run/vxm/hugepages/g", "node 0 size 2048 need 100 added 0 from 0 to 100");
}

static uint64_t give_back(Fixture *f, uint64_t added, uint64_t awaited, const char *wanted) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        HugeClaim *claim = huge_record_get(&record, 0, PAGE);
        uint64_t kept;

        assert_non_null(claim);
        claim->added = added;
        assert_int_equal(huge_run_give_back(f->root, "g", claim, awaited, &record, &kept), 0);
        assert_file(f, POOL "nr_hugepages", wanted);
        return kept;
}

static void pool_has(Fixture *f, const char *pages, const char *free_pages, const char *surplus) {
        fixture_remove(f, POOL "nr_hugepages");
        fixture_write(f, POOL "nr_hugepages", pages);
        fixture_write(f, POOL "free_hugepages", free_pages);
        fixture_write(f, POOL "surplus_hugepages", surplus);
}

static void test_give_back(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        pool_has(f, "600", "500", "0");
        assert_int_equal(give_back(f, 500, 0, "100"), 0);

        /* Some are in use: the number goes down all the same, and the kernel keeps account of them. */
        pool_has(f, "600", "200", "0");
        assert_int_equal(give_back(f, 500, 0, "100"), 0);

        /* A guest waits for free ones: those stay. */
        pool_has(f, "600", "500", "0");
        assert_int_equal(give_back(f, 500, 100, "200"), 100);
        pool_has(f, "600", "500", "0");
        assert_int_equal(give_back(f, 300, 200, "300"), 0);
        pool_has(f, "600", "100", "0");
        assert_int_equal(give_back(f, 500, 200, "600"), 500);

        /* Somebody has taken pages away meanwhile; surplus pages were never ours. */
        pool_has(f, "600", "0", "150");
        assert_int_equal(give_back(f, 350, 0, "100"), 0);
        pool_has(f, "0", "0", "0");
        assert_int_equal(give_back(f, 500, 0, "0"), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_add_exhausted),
                fixture_test(test_add_nothing),
                fixture_test(test_add_fails),
                fixture_test(test_give_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
