/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's processors, read from captured machines. */

#include "cpu-host.h"
#include "exit-status.h"
#include "fixture.h"

static void assert_set(const CpuSet *set, const char *wanted) {
        char text[CPU_SET_TEXT_MAX];

        assert_string_equal(cpu_set_print(set, text), wanted);
}

static void test_two_caches(void **state) {
        Fixture *f = *state;
        HostCpus cpus;

        fixture_machine(f, "cpus-8c16t");
        assert_int_equal(host_cpus_load(f->root, &cpus), 0);
        assert_int_equal(cpus.n, 16);
        assert_set(&host_cpus_find(&cpus, 13)->core, "5,13");
        assert_set(&host_cpus_find(&cpus, 13)->domain, "4-7,12-15");
        assert_int_equal(host_cpus_find(&cpus, 13)->cache_size, 98304 * 1024);
        assert_null(host_cpus_find(&cpus, 16));
        host_cpus_done(&cpus);

        HostCpuKind kind = host_cpu_kind(f->root);
        assert_true(kind.amd && kind.topoext && kind.invariant_tsc && !kind.intel && !kind.nested);
}

static void test_offline(void **state) {
        Fixture *f = *state;
        HostCpus cpus;

        fixture_machine(f, "cpus-4c8t");
        fixture_write(f, "sys/devices/system/cpu/online", "0-5,7\n");
        assert_int_equal(host_cpus_load(f->root, &cpus), 0);
        assert_int_equal(cpus.n, 7);
        assert_null(host_cpus_find(&cpus, 6));
        assert_set(&cpus.present, "0-7");
        host_cpus_done(&cpus);

        HostCpuKind kind = host_cpu_kind(f->root);
        assert_true(kind.intel && kind.nested && !kind.amd);
}

/* Without a word about caches a package is one domain. */
static void test_bare(void **state) {
        Fixture *f = *state;
        HostCpus cpus;

        fixture_machine(f, "cpus-2");
        assert_int_equal(host_cpus_load(f->root, &cpus), 0);
        assert_set(&cpus.items[1].domain, "0-1");
        assert_set(&cpus.items[1].core, "1");
        host_cpus_done(&cpus);
}

static void test_nothing(void **state) {
        Fixture *f = *state;
        HostCpus cpus;

        assert_int_equal(host_cpus_load(f->root, &cpus), -E_LACKS);
        fixture_write(f, "sys/devices/system/cpu/online", "x\n");
        assert_int_equal(host_cpus_load(f->root, &cpus), -EINVAL);
        HostCpuKind kind = host_cpu_kind(f->root);
        assert_false(kind.amd || kind.intel || kind.invariant_tsc);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_two_caches),
                fixture_test(test_offline),
                fixture_test(test_bare),
                fixture_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
