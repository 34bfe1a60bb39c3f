/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The host's processors, as sysfs tells: which are there, which are threads of one core, which share a last-level
 * cache. And of their kind, what a guest's command line depends on. */

#include "cpu-set.h"

typedef struct HostCpu {
        unsigned number;
        unsigned package;
        CpuSet core;         /* itself and its SMT siblings */
        CpuSet domain;       /* whoever shares its L3 cache; its package where there is none */
        uint64_t cache_size; /* of that L3 cache, in bytes; 0: unknown */
} HostCpu;

typedef struct HostCpus {
        HostCpu *items; /* those online, by number */
        size_t n;
        CpuSet present, online;
} HostCpus;

typedef struct HostCpuKind {
        bool amd, intel;
        bool topoext;       /* AMD: the CPU can tell how its threads belong together */
        bool invariant_tsc; /* its clock runs on at the same pace in all power states */
        bool nested;        /* Intel: guests may run guests */
} HostCpuKind;

/* Reads sys/devices/system/cpu below root. Returns 0; -E_LACKS: there is nothing of the kind; -EINVAL: it makes no
 * sense; -errno. */
int host_cpus_load(int root, HostCpus *ret);
void host_cpus_done(HostCpus *cpus);

/* The CPU of that number, or NULL when it is not online. */
const HostCpu *host_cpus_find(const HostCpus *cpus, unsigned number);

/* Of this machine asks the processor itself, as a guest's sandbox hides /proc/cpuinfo; else reads that. What cannot be
 * told is taken for absent. */
HostCpuKind host_cpu_kind(int root);
