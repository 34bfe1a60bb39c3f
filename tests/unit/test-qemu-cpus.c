/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's processors on QEMU's command line, by host and guest. */

#include "fixture.h"
#include "qemu-cpus.h"

#define EVERYTHING                                                                                                     \
        { true, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX }

static char *options(const Guest *g, const QemuCpuFacts *facts) {
        Argv argv = {};
        char *text = NULL;

        assert_int_equal(qemu_cpus_add(&argv, g, facts), 0);
        for (size_t i = 0; i < argv.n; i++)
                assert_int_equal(list_append(&text, " ", "%s", argv.items[i]), 0);
        argv_done(&argv);
        return text;
}

static void assert_options(const Guest *g, const QemuCpuFacts *facts, const char *wanted) {
        _cleanup_(freep) char *seen = options(g, facts);

        assert_string_equal(seen, wanted);
}

static void assert_has(const Guest *g, const QemuCpuFacts *facts, const char *option, bool wanted) {
        _cleanup_(freep) char *seen = options(g, facts);

        if (!!strstr(seen, option) != wanted)
                fail_msg("%s %s: %s", wanted ? "lacks" : "has", option, seen);
}

static void test_plain(void **state) {
        Guest g = { .cpu_count = 3, .os = GUEST_OS_OTHER };
        QemuCpuFacts facts = { .kind = { .amd = true, .topoext = true, .invariant_tsc = true } };

        (void) state;
        assert_options(&g, &facts, "-cpu host -smp 3");
        g.cpu_model = (char *) "EPYC-Milan";
        assert_options(&g, &facts, "-cpu EPYC-Milan -smp 3");
        g.cpu_model = NULL;
        g.hide_hypervisor = true;
        assert_options(&g, &facts, "-cpu host,kvm=off -smp 3");
        g.hide_hypervisor = false;
        g.cpu_realtime = true;
        assert_options(&g, &facts, "-cpu host -smp 3 -overcommit cpu-pm=on,mem-lock=on");
}

static void test_topology(void **state) {
        QemuCpuFacts facts = {
                .kind = { .amd = true, .topoext = true }, .topology = { 1, 2, 4, 2, true }, .placement = { .n = 16 }
        };
        Guest g = { .cpu_count = 16 };

        (void) state;
        assert_options(
                &g, &facts, "-cpu host,topoext=on,host-cache-info=on -smp 16,sockets=1,dies=2,cores=4,threads=2");
        facts.topology = (CpuTopology){ 1, 1, 8, 2, false };
        facts.kind = (HostCpuKind){ .intel = true };
        assert_options(
                &g, &facts, "-cpu host,host-cache-info=off,l3-cache=on -smp 16,sockets=1,dies=1,cores=8,threads=2");
        /* What the file says comes first. */
        g.cpu_topology = (GuestCpuTopology){ 2, 8, 1 };
        assert_options(&g, &facts, "-cpu host,host-cache-info=off,l3-cache=on -smp 16,sockets=2,cores=8,threads=1");
        facts.topology = (CpuTopology){};
        g.cpu_topology = (GuestCpuTopology){ 1, 8, 2 };
        facts.kind = (HostCpuKind){ .amd = true, .topoext = true };
        assert_options(&g, &facts, "-cpu host,topoext=on -smp 16,sockets=1,cores=8,threads=2");
}

/* A steady clock stands against saving a guest's state, which devices do anyway. */
static void test_clock(void **state) {
        GuestDevices devices = { .n_specs = 1 };
        QemuCpuFacts facts = { .kind = { .invariant_tsc = true } };
        Guest g = { .cpu_count = 1, .devices = &devices, .n_devices = 1 };

        (void) state;
        assert_options(&g, &facts, "-cpu host,invtsc=on -smp 1");
        facts.kind.invariant_tsc = false;
        assert_options(&g, &facts, "-cpu host -smp 1");
}

static void test_hyperv(void **state) {
        QemuCpuFacts facts = { .hyperv = EVERYTHING };
        Guest g = { .cpu_count = 1, .os = GUEST_OS_WINDOWS };

        (void) state;
        assert_options(&g, &facts,
                "-cpu "
                "host,hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-crash=on,hv-time=on,"
                "hv-synic=on,hv-stimer=on,hv-stimer-direct=on,hv-tlbflush=on,hv-tlbflush-ext=on,hv-tlbflush-direct=on,"
                "hv-ipi=on,"
                "hv-reset=on,hv-frequencies=on,hv-reenlightenment=on,hv-avic=on,hv-xmm-input=on -smp 1");

        /* Intel's own, if guests may run guests. */
        facts.kind = (HostCpuKind){ .intel = true };
        assert_has(&g, &facts, "hv-evmcs", false);
        facts.kind.nested = true;
        assert_has(&g, &facts, ",hv-evmcs=on,hv-emsr-bitmap=on", true);
        facts.kind = (HostCpuKind){ .amd = true, .nested = true };
        assert_has(&g, &facts, "hv-evmcs", false);

        /* A promise that only pinning can keep. */
        assert_has(&g, &facts, "hv-no-nonarch-coresharing", false);
        facts.placement.n = 1;
        facts.placement.vcpus[0] = 3;
        assert_has(&g, &facts, ",hv-no-nonarch-coresharing=on", true);

        g.hide_hypervisor = true;
        assert_has(&g, &facts, "host,kvm=off,hv-relaxed=on", true);
        assert_has(&g, &facts, ",hv-vendor-id=vxm", true);
        for (size_t i = 0; i < 3; i++) {
                static const char *const never[] = { "hv-syndbg", "hv-passthrough", "hv-enforce-cpuid" };

                assert_has(&g, &facts, never[i], false);
        }
}

/* What KVM does not offer QEMU would not start with. */
static void test_hyperv_offer(void **state) {
        QemuCpuFacts facts = { .hyperv = {
                                       .known = true, .features_eax = 1 << 9 | 1 << 2, .enlightenment_eax = 1 << 5 } };
        Guest g = { .cpu_count = 1, .os = GUEST_OS_WINDOWS };

        (void) state;
        assert_options(&g, &facts, "-cpu host,hv-relaxed=on,hv-spinlocks=0x1fff,hv-synic=on -smp 1");
        facts.hyperv = (HypervOffer){};
        assert_has(&g, &facts, "hv-tlbflush=on", true);
        assert_has(&g, &facts, "hv-tlbflush-ext", false);
        assert_has(&g, &facts, "hv-xmm-input", false);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_topology),
                cmocka_unit_test(test_clock),
                cmocka_unit_test(test_hyperv),
                cmocka_unit_test(test_hyperv_offer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
