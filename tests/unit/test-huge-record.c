/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of huge pages: what is written comes back, what is damaged is refused, and a change that was cut short counts
 * for what it has come to. */

#include "fixture.h"
#include "huge-record.h"
#include "root.h"

#define MIB (UINT64_C(1) << 20)

static int parse(const char *text, HugeRecord *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return huge_record_parse(copy, ret);
}

static void test_parse(void **state) {
        HugeRecord record;
        HugeClaim *claim;

        (void) state;
        assert_int_equal(parse("node 0 size 2048 need 512 added 500 from 12 to 512\n"
                               "node 1 size 2048 need 0 added 7 from 0 to 0\n"
                               "node 0 size 1048576 need 1 added 1 from 0 to 0\n",
                                 &record), 0);
        assert_int_equal(record.n, 3);
        claim = huge_record_find(&record, 0, 2 * MIB);
        assert_non_null(claim);
        assert_int_equal(claim->need, 512);
        assert_int_equal(claim->added, 500);
        assert_int_equal(claim->from, 12);
        assert_int_equal(claim->to, 512);
        assert_int_equal(huge_record_find(&record, 0, 1024 * MIB)->need, 1);
        assert_null(huge_record_find(&record, 1, 1024 * MIB));
        assert_ptr_equal(huge_record_get(&record, 1, 2 * MIB), huge_record_find(&record, 1, 2 * MIB));
        assert_non_null(huge_record_get(&record, 5, 2 * MIB));
        assert_int_equal(record.n, 4);
        huge_record_done(&record);

        assert_int_equal(parse("", &record), 0);
        assert_int_equal(record.n, 0);
}

static void test_damaged(void **state) {
        static const char *const rows[] = {
                "node 0",
                "node 0 size 2048 need 512 added 500 from 12",
                "node 0 size 2048 need 512 added 500 from 12 to",
                "node 0 size 2048 need 512 added 500 from 12 to 13 14",
                "node 0 size 0 need 512 added 500 from 12 to 13",
                "node 0 size 2048 need -1 added 500 from 12 to 13",
                "node 1024 size 2048 need 1 added 500 from 12 to 13",
                "node 0 size 2048 need 1 added 5000000000 from 12 to 13",
                "node 0 need 1 size 2048 added 500 from 12 to 13",
                "node 0 size 2048 need 1 added 0 from 0 to 0\nnode 0 size 2048 need 1 added 0 from 0 to 0",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                HugeRecord record = { .n = 4711 };

                if (parse(rows[i], &record) != -EBADMSG)
                        fail_msg("taken: %s", rows[i]);
                assert_int_equal(record.n, 4711);
        }
}

static void test_settle(void **state) {
        static const struct {
                uint64_t added, from, to, pages, wanted;
        } rows[] = {
                { 0, 100, 600, 100, 0 },     /* killed before the write */
                { 0, 100, 600, 600, 500 },   /* killed after it */
                { 0, 100, 600, 350, 250 },   /* the kernel had not more memory */
                { 0, 100, 600, 90, 0 },      /* somebody else was there, too … */
                { 0, 100, 600, 700, 500 },
                { 30, 130, 160, 160, 60 },   /* the second attempt */
                { 500, 600, 100, 600, 500 }, /* the way back, not begun, */
                { 500, 600, 100, 100, 0 },   /* done, */
                { 500, 600, 100, 400, 300 }, /* half-way */
                { 500, 600, 100, 50, 0 },
                { 500, 600, 600, 50, 500 },  /* nothing was on its way */
                { 3, 600, 100, 100, 0 },     /* no less than nothing */
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                HugeClaim claim = { .added = rows[i].added, .from = rows[i].from, .to = rows[i].to };

                huge_claim_settle(&claim, rows[i].pages);
                if (claim.added != rows[i].wanted)
                        fail_msg("row %zu: %llu", i, (unsigned long long) claim.added);
                assert_int_equal(claim.from, claim.to);
        }
}

/* Surplus pages do not stay, so they do not count. */
static void test_settle_all(void **state) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        fixture_lines(f, "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages = 300\n"
                         "sys/devices/system/node/node0/hugepages/hugepages-2048kB/surplus_hugepages = 50\n");
        assert_int_equal(parse("node 0 size 2048 need 512 added 0 from 0 to 512\nnode 9 size 2048 need 4 added 4 from 4 to 8\n",
                                 &record), 0);
        assert_int_equal(huge_record_settle(f->root, "g", &record), 0);
        assert_int_equal(root_read(f->root, "run/vxm/hugepages/g", &text), 0);
        assert_string_equal(text, "node 0 size 2048 need 512 added 250 from 0 to 0\n"
                                  "node 9 size 2048 need 4 added 4 from 0 to 0");

        /* Nothing on its way: nothing to write. */
        assert_int_equal(huge_record_forget(f->root, "g"), 0);
        assert_int_equal(huge_record_settle(f->root, "g", &record), 0);
        assert_false(root_exists(f->root, "run/vxm/hugepages/g"));
}

static void test_guests(void **state) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        char **names;
        size_t n;
        Fixture *f = *state;

        assert_int_equal(huge_record_guests(f->root, &names, &n), 0);
        assert_int_equal(n, 0);
        strings_free(names, n);
        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        fixture_write(f, "run/vxm/hugepages/b", "");
        fixture_write(f, "run/vxm/hugepages/.b.new", "");
        fixture_write(f, "run/vxm/hugepages/a", "");
        assert_int_equal(huge_record_guests(f->root, &names, &n), 0);
        assert_int_equal(n, 2);
        assert_string_equal(names[0], "a");
        strings_free(names, n);

        assert_int_equal(huge_record_load(f->root, "c", &record), -ENOENT);
        fixture_write(f, "run/vxm/hugepages/c", "x");
        assert_int_equal(huge_record_load(f->root, "c", &record), -EBADMSG);
        assert_int_equal(huge_record_forget(f->root, "c"), 0);
        assert_int_equal(huge_record_forget(f->root, "c"), 0); /* twice is once */
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_settle),
                fixture_test(test_settle_all),
                fixture_test(test_guests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
