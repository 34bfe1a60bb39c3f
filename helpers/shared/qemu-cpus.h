/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The guest's processors on QEMU's command line: their model, how they belong together, where they run, and what
 * Windows gets told so that it knows that it is a guest. */

#include "argv.h"
#include "cpu-place.h"

/* What this machine's KVM offers a guest of Hyper-V's interface: the CPUID leaves of the Hypervisor Top Level
 * Functional Specification. QEMU does not start with more than that. */
typedef struct HypervOffer {
        bool known;            /* KVM could be asked */
        uint32_t features_eax; /* 0x40000003 */
        uint32_t features_edx;
        uint32_t enlightenment_eax; /* 0x40000004 */
        uint32_t nested_eax;        /* 0x4000000A */
} HypervOffer;

typedef struct QemuCpuFacts {
        HostCpuKind kind;
        CpuPlacement placement; /* n == 0: not pinned */
        bool decided;           /* by vxm-cpus; else it is what that would decide now */
        CpuTopology topology;   /* sockets == 0: the guest's CPUs are just so many cores */
        HypervOffer hyperv;
} QemuCpuFacts;

/* Gathers the facts. A guest with Pin= is placed as vxm-cpus has placed it; before that, and for a captured tree, as it
 * would be. Returns 0, or after a message -E_CONFIG, -E_BUSY, -E_LACKS or -errno. */
int qemu_cpus_gather(int root, const Guest *g, QemuCpuFacts *ret);

/* Adds -cpu, -smp and what belongs to them. Returns 0 or -ENOMEM. */
int qemu_cpus_add(Argv *a, const Guest *g, const QemuCpuFacts *facts);
