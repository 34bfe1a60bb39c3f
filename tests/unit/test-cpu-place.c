/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPUs a guest gets on which machine, and what it sees of that. */

#include "cpu-place.h"
#include "exit-status.h"
#include "fixture.h"

typedef struct Row {
        const char *machine;
        const char *pin; /* NULL: auto */
        unsigned count;
        bool isolate;
        const char *taken, *fenced;
        const char *wanted; /* “vcpus | spare | others | sockets:dies:cores:threads caches”, or what is said */
        int error;
} Row;

static char *place(Fixture *f, const Row *row, int *ret_r) {
        Guest g = { .cpu_count = row->count, .cpu_isolate = row->isolate };
        _cleanup_(host_cpus_done) HostCpus host = {};
        char a[CPU_SET_TEXT_MAX], b[CPU_SET_TEXT_MAX], *why = NULL, *list = NULL, *text = NULL;
        CpuSet taken, fenced;
        CpuPlacement p = {};
        CpuTopology t;

        fixture_machine(f, row->machine);
        assert_int_equal(host_cpus_load(f->root, &host), 0);
        g.cpu_pin.kind = row->pin ? CPU_PIN_LIST : CPU_PIN_AUTO;
        assert_int_equal(cpu_set_parse(row->pin ? row->pin : "", &g.cpu_pin.list), 0);
        assert_int_equal(cpu_set_parse(row->taken ? row->taken : "", &taken), 0);
        assert_int_equal(cpu_set_parse(row->fenced ? row->fenced : "", &fenced), 0);

        *ret_r = cpu_place(&host, &g, &taken, &fenced, &p, &why);
        if (*ret_r < 0)
                return why;
        for (size_t i = 0; i < p.n; i++)
                assert_int_equal(list_append(&list, ",", "%u", p.vcpus[i]), 0);
        t = cpu_topology(&host, &p);
        assert_int_equal(format(&text, "%s | %s | %s | %u:%u:%u:%u %s", list, cpu_set_print(&p.spare, a),
                                 cpu_set_print(&p.others, b), t.sockets, t.dies, t.cores, t.threads,
                                 t.whole_caches ? "whole" : "part"),
                0);
        free(list);
        return text;
}

static void test_rows(void **state) {
        static const Row rows[] = {
                /* As named: threads of a core beside each other, of cores in their order, more than are wanted to
                   spare. */
                { "cpus-8c16t", "4-7,12-15", 8, true, NULL, NULL, "4,12,5,13,6,14,7,15 |  | 0-3,8-11 | 1:1:4:2 whole",
                        0 },
                { "cpus-8c16t", "1-3,9-11", 6, false, NULL, NULL, "1,9,2,10,3,11 |  | 0,4-8,12-15 | 1:1:3:2 part", 0 },
                { "cpus-8c16t", "1-3,9-11", 4, true, NULL, NULL, "1,9,2,10 | 3,11 | 3,11 | 1:1:2:2 part", 0 },
                { "cpus-8c16t", "4-7", 4, true, NULL, NULL, "4,5,6,7 |  | 0-3,8-15 | 1:1:4:1 part", 0 },
                { "cpus-8c16t", "2-5,10-13", 8, true, NULL, NULL,
                        "2,10,3,11,4,12,5,13 |  | 0-1,6-9,14-15 | 1:2:2:2 part", 0 },
                { "cpus-8c16t", "3-5,11-13", 6, true, NULL, NULL, "3,11,4,12,5,13 |  | 0-2,6-10,14-15 | 1:1:3:2 part",
                        0 },
                { "cpus-8c16t", "0-15", 16, false, NULL, NULL,
                        "0,8,1,9,2,10,3,11,4,12,5,13,6,14,7,15 |  | 0-15 | 1:2:4:2 whole", 0 },
                { "cpus-4c8t", "2-4", 3, false, NULL, NULL, "2,3,4 |  | 0-1,5-7 | 1:1:3:1 part", 0 },
                { "cpus-4c8t", "2-3", 2, false, "4-7", "6-7", "2,3 |  | 0-1 | 1:1:1:2 part", 0 },
                { "cpus-2", "1", 1, true, NULL, NULL, "1 |  | 0 | 1:1:1:1 part", 0 },
                /* Chosen: one L3 cache, the larger one, whole cores, not the first. */
                { "cpus-8c16t", NULL, 8, true, NULL, NULL, "4,12,5,13,6,14,7,15 |  | 0-3,8-11 | 1:1:4:2 whole", 0 },
                { "cpus-8c16t", NULL, 4, false, NULL, NULL, "4,12,5,13 |  | 0-3,6-11,14-15 | 1:1:2:2 part", 0 },
                { "cpus-8c16t", NULL, 3, true, NULL, NULL, "4,12,5 | 13 | 13 | 1:1:3:1 part", 0 },
                { "cpus-8c16t", NULL, 3, false, NULL, NULL, "4,12,5 |  | 0-3,6-11,13-15 | 1:1:3:1 part", 0 },
                { "cpus-8c16t", NULL, 6, true, "4-7,12-15", "4-7,12-15", "1,9,2,10,3,11 |  | 0,8 | 1:1:3:2 part", 0 },
                { "cpus-8c16t", NULL, 10, true, NULL, NULL, "1,9,4,12,5,13,6,14,7,15 |  | 0,2-3,8,10-11 | 1:1:5:2 part",
                        0 },
                { "cpus-8c16t", NULL, 15, true, NULL, NULL,
                        "8,1,9,2,10,3,11,4,12,5,13,6,14,7,15 |  | 0 | 1:1:15:1 part", 0 },
                { "cpus-8c16t", NULL, 16, false, NULL, NULL,
                        "0,8,1,9,2,10,3,11,4,12,5,13,6,14,7,15 |  | 0-15 | 1:2:4:2 whole", 0 },
                { "cpus-4c8t", NULL, 4, true, NULL, NULL, "2,3,4,5 |  | 0-1,6-7 | 1:1:2:2 part", 0 },
                { "cpus-4c8t", NULL, 2, true, "2-5", "2-5", "6,7 |  | 0-1 | 1:1:1:2 part", 0 },
                { "cpus-4c8t", NULL, 7, true, NULL, NULL, "1,2,3,4,5,6,7 |  | 0 | 1:1:7:1 part", 0 },
                { "cpus-2", NULL, 1, true, NULL, NULL, "1 |  | 0 | 1:1:1:1 part", 0 },
                { "cpus-2", NULL, 2, false, NULL, NULL, "0,1 |  | 0-1 | 1:1:2:1 whole", 0 },
                /* Refused. */
                { "cpus-4c8t", "6-9", 4, false, NULL, NULL, "there is no CPU 8-9; this machine has 0-7", -E_CONFIG },
                { "cpus-4c8t", "0-7", 8, true, NULL, NULL,
                        "the host would be left without a CPU; leave it at least one", -E_CONFIG },
                { "cpus-4c8t", "4-7", 4, true, "0-3", "0-3",
                        "the host would be left without a CPU; leave it at least one", -E_CONFIG },
                { "cpus-2", NULL, 3, false, NULL, NULL,
                        "3 CPUs are wanted, and this machine has 2; lower Count=", -E_CONFIG },
                { "cpus-2", NULL, 2, true, NULL, NULL,
                        "2 CPUs are wanted, and this machine has 2, of which it needs one itself; lower Count=",
                        -E_CONFIG },
                { "cpus-4c8t", NULL, 4, true, "2-6", "2-6",
                        "4 CPUs are wanted, and of this machine's 8 other guests hold 2-6", -E_BUSY },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *seen = NULL;
                int r;

                (void) fixture_teardown(state);
                assert_int_equal(fixture_setup(state), 0);
                seen = place(*state, &rows[i], &r);

                if (r != rows[i].error || !streq_ptr(seen, rows[i].wanted))
                        fail_msg("%s, %u of %s: wanted “%s”, seen “%s” (%d)", rows[i].machine, rows[i].count,
                                rows[i].pin ? rows[i].pin : "auto", rows[i].wanted, seen, r);
        }
}

static void test_offline(void **state) {
        static const Row row = { "cpus-2", "1", 1, false, NULL, NULL, NULL, 0 };
        Guest g = { .cpu_count = 1, .cpu_pin = { .kind = CPU_PIN_LIST } };
        _cleanup_(host_cpus_done) HostCpus host = {};
        _cleanup_(freep) char *why = NULL;
        Fixture *f = *state;
        CpuPlacement p;

        fixture_machine(f, row.machine);
        fixture_write(f, "sys/devices/system/cpu/online", "0\n");
        assert_int_equal(host_cpus_load(f->root, &host), 0);
        assert_int_equal(cpu_set_parse(row.pin, &g.cpu_pin.list), 0);
        assert_int_equal(cpu_place(&host, &g, &(CpuSet){}, &(CpuSet){}, &p, &why), -E_CONFIG);
        assert_string_equal(why, "CPU 1 is offline; write 1 to /sys/devices/system/cpu/cpu1/online, or leave it out");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_rows),
                fixture_test(test_offline),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
