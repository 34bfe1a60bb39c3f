/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which of the host's CPUs a guest gets, and what that makes of its own: pure, from what guest file, sysfs and other
 * guests say. */

#include "cpu-host.h"
#include "guest.h"

typedef struct CpuPlacement {
        unsigned vcpus[GUEST_CPUS_MAX]; /* the host's CPU of each vCPU, in the guest's order: threads of a core follow
                                           each other */
        size_t n;
        CpuSet spare;  /* more of the guest's own, for QEMU's other threads */
        CpuSet others; /* where those run: on the spare ones, else on the host's */
} CpuPlacement;

/* How the guest's CPUs belong together, as in QEMU's -smp. */
typedef struct CpuTopology {
        unsigned sockets, dies, cores, threads; /* of each, in one of the level above */
        bool whole_caches;                      /* the guest has all of each L3 cache that it has a part of */
} CpuTopology;

/* What the guest runs on: the CPUs of its vCPUs and the spare ones. */
CpuSet cpu_placement_own(const CpuPlacement *p);

/* Places the guest, whose Pin= must be set. taken: CPUs that other guests hold. fenced: those among them that are
 * fenced off for them, where QEMU's other threads cannot run. Returns 0; -E_CONFIG: Pin= cannot be had on this machine;
 * -E_BUSY: Pin=auto finds too few, as other guests hold the rest; -ENOMEM; and in *ret_why the end of “Pin=…: ”. */
int cpu_place(const HostCpus *host, const Guest *g, const CpuSet *taken, const CpuSet *fenced, CpuPlacement *ret,
        char **ret_why);

/* Which topology the guest sees: that of the CPUs it is placed on, as far as it is an even one. */
CpuTopology cpu_topology(const HostCpus *host, const CpuPlacement *p);
