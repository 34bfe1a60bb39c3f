/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has huge pages, and who waits for them. */

#include "fixture.h"
#include "huge-claims.h"

#define MIB (UINT64_C(1) << 20)

static void test_status(void **state) {
        static const struct {
                const char *text;
                int result;
                uint64_t bytes;
        } rows[] = {
                { "Name:\tqemu\nVmSwap:\t       0 kB\nHugetlbPages:\t 1048576 kB\nThreads:\t3", 1, 1024 * MIB },
                { "HugetlbPages:\t0 kB", 1, 0 },
                { "Name:\tkthreadd\n", 0, 0 },
                { "", 0, 0 },
                { "HugetlbPages:\t kB", -EINVAL, 0 },
                { "HugetlbPages:\t12 MB", -EINVAL, 0 },
                { "HugetlbPages:\t12", -EINVAL, 0 },
                { "HugetlbPages:\t99999999999999999999 kB\n", -EINVAL, 0 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t bytes;

                if (huge_status_parse(rows[i].text, &bytes) != rows[i].result || bytes != rows[i].bytes)
                        fail_msg("%s: %llu", rows[i].text, (unsigned long long) bytes);
        }
}

/* a runs and has its pages, b has begun to start, c is about to. */
static const char *const machine =
        "run/vxm/hugepages/a = node 0 size 2048 need 256 added 256 from 0 to 0\n"
        "run/vxm/hugepages/b = node 0 size 2048 need 512 added 100 from 0 to 0\n"
        "run/vxm/hugepages/b += node 1 size 2048 need 64 added 0 from 0 to 0\n"
        "run/vxm/hugepages/c = node 0 size 1048576 need 1 added 1 from 0 to 0\n"
        "proc/10/cgroup = 0::/system.slice/system-vxm\\x2dguest.slice/vxm-guest@a.service\n"
        "proc/10/status = HugetlbPages:\t  524288 kB\n"
        "proc/11/cgroup = 0::/system.slice/system-vxm\\x2dguest.slice/vxm-guest@b.service\n"
        "proc/11/status = HugetlbPages:\t  524288 kB\n"
        "proc/12/cgroup = 0::/system.slice/vxm-guest@aa.service\n"
        "proc/12/status = HugetlbPages:\t  524288 kB\n"
        "proc/13/cgroup = 0::/system.slice/dpdk.service\n"
        "proc/13/status = HugetlbPages:\t  524288 kB\n"
        "proc/14/status = HugetlbPages:\t  524288 kB\n"
        "proc/self -> 10\n";

static void test_awaited(void **state) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        _cleanup_(freep) char *damaged = NULL;
        Fixture *f = *state;

        fixture_lines(f, machine);
        assert_int_equal(huge_guests_read(f->root, false, &guests, &damaged), 0);
        assert_int_equal(guests.n, 3);
        assert_int_equal(huge_guests_find(&guests, "a")->held, 512 * MIB);
        assert_int_equal(huge_guests_find(&guests, "b")->held, 512 * MIB);
        assert_int_equal(huge_guests_find(&guests, "c")->held, 0);
        assert_null(huge_guests_find(&guests, "aa"));

        assert_int_equal(huge_guests_awaited(&guests, "new", 0, 2 * MIB, true), 320); /* it has 256 of 576 already */
        assert_int_equal(huge_guests_awaited(&guests, "new", 1, 2 * MIB, true), 64);
        assert_int_equal(huge_guests_awaited(&guests, "new", 0, 1024 * MIB, true), 1);
        assert_int_equal(huge_guests_awaited(&guests, "b", 0, 2 * MIB, true), 0); /* nobody waits for oneself */
        assert_null(damaged);
}

/* A process that is about to be gone has no memory of its own any more, but the pages are not free yet. */
static void test_ending(void **state) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        _cleanup_(freep) char *damaged = NULL;
        Fixture *f = *state;

        fixture_lines(f, machine);
        fixture_write(f, "proc/11/status", "Name:\tqemu-system-x86\nState:\tZ (zombie)\nThreads:\t1\n");
        assert_int_equal(huge_guests_read(f->root, false, &guests, &damaged), 0);
        assert_true(huge_guests_find(&guests, "b")->ending);
        assert_false(huge_guests_find(&guests, "a")->ending);
        assert_int_equal(huge_guests_awaited(&guests, "new", 0, 2 * MIB, true), 512);
        assert_int_equal(huge_guests_awaited(&guests, "new", 0, 2 * MIB, false), 0);
}

/* KVM's and vhost's threads are in the guest's control group, and none of them is about to end. */
static void test_kernel_threads(void **state) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        _cleanup_(freep) char *damaged = NULL;
        Fixture *f = *state;

        fixture_lines(f, machine);
        fixture_lines(f, "proc/15/cgroup = 0::/system.slice/system-vxm\\x2dguest.slice/vxm-guest@b.service\n");
        fixture_write(f, "proc/15/status", "Name:\tvhost-8\nState:\tS (sleeping)\nKthread:\t1\nThreads:\t1\n");
        assert_int_equal(huge_guests_read(f->root, false, &guests, &damaged), 0);
        assert_false(huge_guests_find(&guests, "b")->ending);
}

static void test_damaged(void **state) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        _cleanup_(freep) char *damaged = NULL;
        Fixture *f = *state;

        fixture_lines(f, machine);
        fixture_write(f, "run/vxm/hugepages/b", "garbage\n");
        assert_int_equal(huge_guests_read(f->root, false, &guests, &damaged), -EBADMSG);
        assert_string_equal(damaged, "b");
}

/* What a kill has left is settled, whosever it is. */
static void test_settles(void **state) {
        _cleanup_(huge_guests_done) HugeGuests guests = {}, looked = {};
        _cleanup_(freep) char *damaged = NULL;
        Fixture *f = *state;

        fixture_machine(f, "host");
        fixture_machine(f, "memory");
        fixture_lines(f, "run/vxm/hugepages/a = node 0 size 2048 need 256 added 0 from 0 to 256\n"
                         "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages = 256\n");
        assert_int_equal(huge_guests_read(f->root, true, &looked, &damaged), 0);
        assert_int_equal(looked.items[0].record.items[0].added, 0);
        assert_int_equal(huge_guests_read(f->root, false, &guests, &damaged), 0);
        assert_int_equal(guests.items[0].record.items[0].added, 256);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_status),
                fixture_test(test_awaited),
                fixture_test(test_ending),
                fixture_test(test_kernel_threads),
                fixture_test(test_damaged),
                fixture_test(test_settles),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
