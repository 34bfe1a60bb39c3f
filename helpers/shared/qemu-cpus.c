/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's processors: facts of the host, and from them a part of QEMU's command line. */

#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "conf.h"
#include "cpu-record.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "qemu-cpus.h"
#include "root.h"

enum {
        LEAVES_MAX = 64, /* KVM has about ten */
};

/* ---- facts ---- */

/* KVM_GET_SUPPORTED_HV_CPUID (Documentation/virt/kvm/api.rst, 4.118); of the system, without a VM, since Linux 5.11.
 * Where it may not be asked, in the unit that only judges, nothing depends on the answer. */
static HypervOffer ask_kvm(int root) {
        _cleanup_(closep) int kvm = root_is_this_machine(root) ? root_openat(root, "dev/kvm", O_RDWR) : -EBADF;
        _cleanup_(freep) struct kvm_cpuid2 *leaves = NULL;
        HypervOffer offer = {};

        if (kvm < 0 || ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_SYS_HYPERV_CPUID) <= 0)
                return offer;
        leaves = calloc(1, sizeof *leaves + LEAVES_MAX * sizeof leaves->entries[0]);
        if (!leaves)
                return offer;
        leaves->nent = LEAVES_MAX;
        if (ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, leaves) < 0)
                return offer;

        offer.known = true;
        for (uint32_t i = 0; i < leaves->nent && i < LEAVES_MAX; i++) {
                const struct kvm_cpuid_entry2 *leaf = &leaves->entries[i];

                if (leaf->function == 0x40000003) {
                        offer.features_eax = leaf->eax;
                        offer.features_edx = leaf->edx;
                } else if (leaf->function == 0x40000004) {
                        offer.enlightenment_eax = leaf->eax;
                } else if (leaf->function == 0x4000000A) {
                        offer.nested_eax = leaf->eax;
                }
        }
        return offer;
}

/* A restart of the guest's unit alone leaves what vxm-cpus has decided as it is. */
static int check_decided(const Guest *g, const CpuRecord *record) {
        CpuSet own = cpu_placement_own(&record->placement);

        if (record->placement.n == g->cpu_count && record->isolate == g->cpu_isolate &&
                (g->cpu_pin.kind != CPU_PIN_LIST || cpu_set_equal(&own, &g->cpu_pin.list)))
                return 0;
        return conf_log(LOG_ERR, g->file, 0,
                "[CPU] has changed since the guest's CPUs were set apart; run systemctl stop vxm-guest@%s, then start it again.",
                g->name);
}

/* What vxm-cpus has decided, from the credential that systemd hands to the guest's unit. */
static int read_credential(int root, const Guest *g, CpuPlacement *ret) {
        const char *directory = root_is_this_machine(root) ? getenv("CREDENTIALS_DIRECTORY") : NULL;
        _cleanup_(cpu_record_done) CpuRecord record = {};
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        if (!directory || directory[0] != '/')
                return -ENOENT;
        r = format(&path, "%s/" CPU_CREDENTIAL, directory + 1);
        r = r < 0 ? r : root_read(root, path, &text);
        r = r < 0 ? r : cpu_record_parse(text, &record);
        if (r == -ENOENT)
                return r;
        if (r < 0)
                return log_error_errno(
                        r, "Cannot read what vxm-cpus has left in /%s: %s.", path ? path : "", strerror(-r));
        r = check_decided(g, &record);
        if (r >= 0)
                *ret = record.placement;
        return r;
}

static int load_host(int root, HostCpus *ret) {
        int r = host_cpus_load(root, ret);

        if (r == -E_LACKS)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "/sys/devices/system/cpu/online is missing; Pin= needs a kernel with more than one CPU "
                        "(CONFIG_SMP).");
        return r < 0 ? log_error_errno(r, "Cannot read /sys/devices/system/cpu: %s.", strerror(-r)) : 0;
}

static int place(int root, const Guest *g, const HostCpus *host, QemuCpuFacts *facts) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        int r;

        r = read_credential(root, g, &facts->placement);
        facts->decided = r >= 0;
        if (r != -ENOENT)
                return r;
        r = cpu_claims_load(root, g->name, &claims);
        return r < 0 ? r : cpu_claims_place(host, g, &claims, &facts->placement);
}

/* systemd takes AllowedCPUs= from who has no such controller, too, and does nothing. */
static int check_cpusets(int root, const Guest *g) {
        _cleanup_(freep) char *text = NULL;
        int r = root_read(root, "sys/fs/cgroup/cgroup.controllers", &text);
        char *state;

        if (r == -ENOENT && !root_is_this_machine(root))
                return 0; /* recorded without it */
        for (char *word = r < 0 ? NULL : strtok_r(text, " \n", &state); word; word = strtok_r(NULL, " \n", &state))
                if (streq(word, "cpuset"))
                        return 0;
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                "%s: [CPU] Isolate=yes needs the kernel's cpuset controller in the unified hierarchy (cgroup v2), which is "
                "missing; boot without cgroup_disable=cpuset and systemd.unified_cgroup_hierarchy=0, or remove Isolate=.",
                g->file);
}

/* Under one root handle, so that a captured tree replays. */
int qemu_cpus_gather(int root, const Guest *g, QemuCpuFacts *ret) {
        _cleanup_(host_cpus_done) HostCpus host = {};
        QemuCpuFacts facts = { .kind = host_cpu_kind(root) };
        int r;

        r = g->cpu_isolate ? check_cpusets(root, g) : 0;
        if (r < 0)
                return r;
        if (g->os == GUEST_OS_WINDOWS)
                facts.hyperv = ask_kvm(root);
        if (g->cpu_pin.kind != CPU_PIN_NONE) {
                r = load_host(root, &host);
                r = r < 0 ? r : place(root, g, &host, &facts);
                if (r < 0)
                        return r;
                facts.topology = cpu_topology(&host, &facts.placement);
        }
        *ret = facts;
        return 0;
}

/* ---- Hyper-V ---- */

typedef enum HypervRule {
        ALWAYS,
        ON_PINNED, /* each vCPU has a CPU of its own */
        ON_NESTED_INTEL,
} HypervRule;

/* All that QEMU's docs/system/i386/hyperv.rst recommends, and which bits of KVM's offer each needs
 * (kvm_hyperv_properties in target/i386/kvm/kvm.c). Not there: hv-syndbg, for debugging; hv-passthrough, as it depends
 * on the kernel alone; hv-enforce-cpuid, which some Windows do not start with. */
static const struct {
        const char *option;
        bool old; /* in every KVM since Linux 5.0: right also where KVM could not be asked */
        HypervRule rule;
        uint32_t features_eax, features_edx, enlightenment_eax, nested_eax;
} hyperv_rows[] = {
        { "hv-relaxed=on", true, ALWAYS, .enlightenment_eax = 1 << 5 },
        { "hv-vapic=on", true, ALWAYS, .features_eax = 1 << 4 },
        { "hv-spinlocks=0x1fff", true, ALWAYS, 0 },
        { "hv-vpindex=on", true, ALWAYS, .features_eax = 1 << 6 },
        { "hv-runtime=on", true, ALWAYS, .features_eax = 1 << 0 },
        { "hv-crash=on", true, ALWAYS, .features_edx = 1 << 10 },
        { "hv-time=on", true, ALWAYS, .features_eax = 1 << 1 | 1 << 9 },
        { "hv-synic=on", true, ALWAYS, .features_eax = 1 << 2 },
        { "hv-stimer=on", true, ALWAYS, .features_eax = 1 << 3 },
        { "hv-stimer-direct=on", false, ALWAYS, .features_edx = 1 << 19 },
        { "hv-tlbflush=on", true, ALWAYS, .enlightenment_eax = 1 << 2 | 1 << 11 },
        { "hv-tlbflush-ext=on", false, ALWAYS, .features_edx = 1 << 14 },
        { "hv-tlbflush-direct=on", false, ALWAYS, .nested_eax = 1 << 17 },
        { "hv-ipi=on", true, ALWAYS, .enlightenment_eax = 1 << 10 | 1 << 11 },
        { "hv-reset=on", true, ALWAYS, .features_eax = 1 << 7 },
        { "hv-frequencies=on", true, ALWAYS, .features_eax = 1 << 11, .features_edx = 1 << 8 },
        { "hv-reenlightenment=on", true, ALWAYS, .features_eax = 1 << 13 },
        { "hv-avic=on", false, ALWAYS, .enlightenment_eax = 1 << 9 },
        { "hv-xmm-input=on", false, ALWAYS, .features_edx = 1 << 4 },
        { "hv-evmcs=on", false, ON_NESTED_INTEL, .enlightenment_eax = 1 << 14 },
        { "hv-emsr-bitmap=on", false, ON_NESTED_INTEL, .nested_eax = 1 << 19 },
        { "hv-no-nonarch-coresharing=on", true, ON_PINNED, 0 },
};

static bool row_holds(size_t i, const QemuCpuFacts *facts) {
        const HypervOffer *o = &facts->hyperv;

        if (hyperv_rows[i].rule == ON_PINNED && facts->placement.n == 0)
                return false;
        if (hyperv_rows[i].rule == ON_NESTED_INTEL && !(facts->kind.intel && facts->kind.nested))
                return false;
        if (!o->known)
                return hyperv_rows[i].old;
        return (hyperv_rows[i].features_eax & ~o->features_eax) == 0 &&
               (hyperv_rows[i].features_edx & ~o->features_edx) == 0 &&
               (hyperv_rows[i].enlightenment_eax & ~o->enlightenment_eax) == 0 &&
               (hyperv_rows[i].nested_eax & ~o->nested_eax) == 0;
}

static int list_hyperv(char **list, const Guest *g, const QemuCpuFacts *facts) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(hyperv_rows); i++)
                if (row_holds(i, facts))
                        r = list_append(list, ",", "%s", hyperv_rows[i].option);
        /* Drivers that refuse to work in a guest look at this name, too. */
        return r < 0 || !g->hide_hypervisor ? r : list_append(list, ",", "hv-vendor-id=vxm");
}

/* ---- the command line ---- */

/* A guest that gets whole L3 caches sees the host's own; any other gets made-up ones that fit its CPUs, or it would
 * think that CPUs share a cache that do not. */
static int list_caches(char **list, const QemuCpuFacts *facts) {
        if (facts->topology.sockets == 0)
                return 0;
        return list_append(list, ",", "%s",
                facts->topology.whole_caches ? "host-cache-info=on" : "host-cache-info=off,l3-cache=on");
}

static unsigned threads_of(const Guest *g, const QemuCpuFacts *facts) {
        return g->cpu_topology.threads > 0 ? g->cpu_topology.threads : facts->topology.threads;
}

static int add_model(Argv *a, const Guest *g, const QemuCpuFacts *facts) {
        _cleanup_(freep) char *list = NULL;
        bool host_model = !g->cpu_model;
        int r;

        r = list_append(&list, ",", "%s", host_model ? "host" : g->cpu_model);
        /* QEMU leaves it off, even of the host's model: without it a guest on AMD takes threads for cores. */
        if (r >= 0 && facts->kind.amd && facts->kind.topoext && threads_of(g, facts) > 1)
                r = list_append(&list, ",", "topoext=on");
        /* A guest that knows its clock to be steady uses it. QEMU leaves it off as it would stand against saving the
         * guest's state, which its devices do anyway. */
        if (r >= 0 && host_model && facts->kind.invariant_tsc && guest_has_devices(g))
                r = list_append(&list, ",", "invtsc=on");
        if (r >= 0 && host_model)
                r = list_caches(&list, facts);
        if (r >= 0 && g->hide_hypervisor)
                r = list_append(&list, ",", "kvm=off");
        if (r >= 0 && g->os == GUEST_OS_WINDOWS)
                r = list_hyperv(&list, g, facts);
        return r < 0 ? r : argv_add(a, "-cpu", "%s", list);
}

static int add_topology(Argv *a, const Guest *g, const QemuCpuFacts *facts) {
        const GuestCpuTopology *asked = &g->cpu_topology;
        const CpuTopology *t = &facts->topology;

        if (asked->sockets > 0)
                return argv_add(a, "-smp", "%" PRIu64 ",sockets=%u,cores=%u,threads=%u", g->cpu_count, asked->sockets,
                        asked->cores, asked->threads);
        if (t->sockets == 0)
                return argv_add(a, "-smp", "%" PRIu64, g->cpu_count);
        return argv_add(a, "-smp", "%" PRIu64 ",sockets=%u,dies=%u,cores=%u,threads=%u", g->cpu_count, t->sockets,
                t->dies, t->cores, t->threads);
}

int qemu_cpus_add(Argv *a, const Guest *g, const QemuCpuFacts *facts) {
        int r;

        r = add_model(a, g, facts);
        r = r < 0 ? r : add_topology(a, g, facts);
        /* The guest's idle CPUs wait in the guest, not in the host: nothing else is to run there. */
        if (r >= 0 && g->cpu_realtime)
                r = argv_add(a, "-overcommit", "cpu-pm=on,mem-lock=on");
        return r;
}
