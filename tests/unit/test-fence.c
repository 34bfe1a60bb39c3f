/* SPDX-License-Identifier: BSD-3-Clause */
/* The fence around guests' CPUs: one comes, another comes, they go in any order. */

#include "exit-status.h"
#include "fence.h"
#include "fixture.h"

#define HOST_UNITS                                                                                                     \
        "unit init.scope -\nunit system.slice -\nunit user.slice 0-3\nunit machine.slice -\nunit vxm.slice -\n"

#define GUEST_A                                                                                                        \
        "vcpus 4,5\nspare -\nothers 0-3,6-7\nisolate yes\n" HOST_UNITS "unit vxm-guest@a.service -\nirq 24 5\nirq 25 " \
        "0-7\n"
#define GUEST_B                                                                                                        \
        "vcpus 2,3\nspare -\nothers 0-1\nisolate yes\n" HOST_UNITS "unit vxm-guest@b.service -\nirq 25 0-7\nirq 26 "   \
        "2-4\n"
#define GUEST_C "vcpus 6\nspare 7\nothers 7\nisolate yes\n" HOST_UNITS "unit vxm-guest@c.service 4-7\n"
#define THREADS "thread 7:1 4-5\nthread 9:70 0-63\nworkqueues unbound 0-63\n"
#define GUEST_D "vcpus 0\nspare -\nothers 1\nisolate no\n"

static void add(CpuClaims *claims, const char *guest, const char *text) {
        _cleanup_(freep) char *copy = strdup(text);
        CpuClaim *claim = ARRAY_GROW(claims->items, claims->n);

        assert_non_null(claim);
        assert_non_null(copy);
        claim->guest = strdup(guest);
        assert_int_equal(cpu_record_parse(copy, &claim->record), 0);
        claims->n++;
}

static char *plan(const CpuClaims *claims, const char *leaving) {
        _cleanup_(fence_plan_done) FencePlan p = {};
        _cleanup_(freep) char *why = NULL;
        char *text = NULL;
        CpuSet online;
        size_t size;
        FILE *f;

        assert_int_equal(cpu_set_parse("0-7", &online), 0);
        if (fence_plan(&online, claims, leaving, &p, &why) == -E_CONFIG)
                return TAKE_PTR(why);
        f = open_memstream(&text, &size);
        assert_non_null(f);
        fence_plan_print(&p, f);
        fclose(f);
        return text;
}

static void assert_plan(const CpuClaims *claims, const char *leaving, const char *wanted) {
        _cleanup_(freep) char *seen = plan(claims, leaving);

        assert_string_equal(seen, wanted);
}

static void test_one(void **state) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};

        (void) state;
        add(&claims, "a", GUEST_A);
        assert_plan(&claims, NULL,
                "set     init.scope AllowedCPUs=0-3,6-7\n"
                "set     system.slice AllowedCPUs=0-3,6-7\n"
                "set     user.slice AllowedCPUs=0-3\n" /* within what it had */
                "set     machine.slice AllowedCPUs=0-3,6-7\n"
                "set     vxm.slice AllowedCPUs=\n"
                "set     vxm-guest@a.service AllowedCPUs=0-7\n"
                "write   /proc/irq/24/smp_affinity_list 0-3,6-7\n" /* it had none but the guest's */
                "write   /proc/irq/25/smp_affinity_list 0-3,6-7\n");
        /* The way back is in reverse, to what was. */
        assert_plan(&claims, "a",
                "set     vxm-guest@a.service AllowedCPUs=\n"
                "set     vxm.slice AllowedCPUs=\n"
                "set     machine.slice AllowedCPUs=\n"
                "set     user.slice AllowedCPUs=0-3\n"
                "set     system.slice AllowedCPUs=\n"
                "set     init.scope AllowedCPUs=\n"
                "write   /proc/irq/24/smp_affinity_list 5\n"
                "write   /proc/irq/25/smp_affinity_list 0-7\n");
}

static void test_two(void **state) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};

        (void) state;
        add(&claims, "a", GUEST_A);
        add(&claims, "d", GUEST_D); /* only pinned: no matter to the fence */
        add(&claims, "b", GUEST_B);
        assert_plan(&claims, NULL,
                "set     init.scope AllowedCPUs=0-1,6-7\n"
                "set     system.slice AllowedCPUs=0-1,6-7\n"
                "set     user.slice AllowedCPUs=0-1\n"
                "set     machine.slice AllowedCPUs=0-1,6-7\n"
                "set     vxm.slice AllowedCPUs=\n"
                "set     vxm-guest@a.service AllowedCPUs=0-1,4-7\n" /* not b's */
                "set     vxm-guest@b.service AllowedCPUs=0-3,6-7\n"
                "write   /proc/irq/24/smp_affinity_list 0-1,6-7\n"
                "write   /proc/irq/25/smp_affinity_list 0-1,6-7\n"
                "write   /proc/irq/26/smp_affinity_list 0-1,6-7\n");
        assert_plan(&claims, "a",
                "set     vxm-guest@b.service AllowedCPUs=0-7\n"
                "set     vxm-guest@a.service AllowedCPUs=\n"
                "set     vxm.slice AllowedCPUs=\n"
                "set     machine.slice AllowedCPUs=0-1,4-7\n"
                "set     user.slice AllowedCPUs=0-1\n"
                "set     system.slice AllowedCPUs=0-1,4-7\n"
                "set     init.scope AllowedCPUs=0-1,4-7\n"
                "write   /proc/irq/25/smp_affinity_list 0-1,4-7\n"
                "write   /proc/irq/26/smp_affinity_list 4\n"
                "write   /proc/irq/24/smp_affinity_list 5\n");
}

/* The kernel's own threads: one that may only run on guests' CPUs is bound there. One that began after guest a had come was
 * noted by b alone: it may run on a's CPUs again when b leaves, as it did before, for nobody would give them back later. */
static void test_threads(void **state) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};

        (void) state;
        add(&claims, "a", "vcpus 4\nspare -\nothers 0\nisolate yes\n" THREADS);
        assert_plan(&claims, NULL,
                "set     thread 7:1 CPUs=5\n"
                "set     thread 9:70 CPUs=0-3,5-7\n"
                "write   /sys/devices/virtual/workqueue/cpumask ef\n");
        add(&claims, "b", "vcpus 5\nspare -\nothers 0\nisolate yes\n" THREADS "thread 9:900 0-63\n");
        assert_plan(&claims, NULL,
                "set     thread 7:1 CPUs=4-5\n"
                "set     thread 9:70 CPUs=0-3,6-7\n"
                "write   /sys/devices/virtual/workqueue/cpumask cf\n"
                "set     thread 9:900 CPUs=0-3,6-7\n");
        assert_plan(&claims, "b",
                "set     thread 7:1 CPUs=5\n"
                "set     thread 9:70 CPUs=0-3,5-7\n"
                "write   /sys/devices/virtual/workqueue/cpumask ef\n"
                "set     thread 9:900 CPUs=0-63\n");
        assert_plan(&claims, "a",
                "set     thread 7:1 CPUs=4\n"
                "set     thread 9:70 CPUs=0-4,6-7\n"
                "write   /sys/devices/virtual/workqueue/cpumask df\n"
                "set     thread 9:900 CPUs=0-4,6-7\n");
}

/* A slice is cut off as a partition if all in it have CPUs to spare for QEMU's other threads. */
static void test_partition(void **state) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        _cleanup_(freep) char *seen = NULL;

        (void) state;
        add(&claims, "c", GUEST_C);
        assert_plan(&claims, NULL,
                "set     init.scope AllowedCPUs=0-5\n"
                "set     system.slice AllowedCPUs=0-5\n"
                "set     user.slice AllowedCPUs=0-3\n"
                "set     machine.slice AllowedCPUs=0-5\n"
                "set     vxm.slice AllowedCPUs=6-7\n"
                "set     vxm-guest@c.service AllowedCPUs=6-7\n"
                "write   /sys/fs/cgroup/vxm.slice/cpuset.cpus.partition isolated\n");
        add(&claims, "a", GUEST_A);
        seen = plan(&claims, NULL);
        assert_null(strstr(seen, "partition"));
        assert_non_null(strstr(seen, "set     vxm.slice AllowedCPUs=\n"));
        assert_non_null(strstr(seen, "set     vxm-guest@c.service AllowedCPUs=6-7\n"));
        seen = (free(seen), plan(&claims, "a"));
        assert_non_null(strstr(seen, "set     vxm.slice AllowedCPUs=6-7\n"));
        assert_non_null(strstr(seen, "partition isolated\n"));
        seen = (free(seen), plan(&claims, "c"));
        assert_non_null(strstr(seen, "set     vxm-guest@c.service AllowedCPUs=4-7\n")); /* as it was */
}

static void test_host_needs_one(void **state) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};

        (void) state;
        add(&claims, "a", "vcpus 0,1,2,3\nspare -\nothers 4\nisolate yes\n" HOST_UNITS);
        assert_plan(&claims, NULL, "user.slice has AllowedCPUs= of its own, of which none would be left");
        add(&claims, "b", "vcpus 4,5,6,7\nspare -\nothers 1\nisolate yes\n");
        assert_plan(&claims, NULL, "the host would be left without a CPU; leave it at least one");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_two),
                cmocka_unit_test(test_threads),
                cmocka_unit_test(test_partition),
                cmocka_unit_test(test_host_needs_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
