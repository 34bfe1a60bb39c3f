/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Says where threads run, above all those of a running QEMU, as its own user: no privilege is needed for one's own. */

#include <sys/types.h>

#include "cpu-place.h"
#include "json.h"

/* Sets where this process runs, and all that it starts from now on, which is where QEMU's main thread, its workers and
 * its iothreads are to be. Returns 0 or -errno. */
int cpu_pin_self(const CpuPlacement *p);

/* Sets where any one thread may run (sched_setaffinity(2)); another user's only with CAP_SYS_NICE. Returns 0 or -errno. */
int cpu_pin_thread(pid_t tid, const CpuSet *set);

/* Where this process may run at all: within what its control group leaves it. Returns 0 or -errno. */
int cpu_pin_allowed(CpuSet *ret);

/* Pins each vCPU of QEMU, process pid, to its CPU, and lets it come before all else there if realtime; cpus: what
 * query-cpus-fast returned, which is not trusted. Looks what came of it. Returns 0; -EPROTO: QEMU's answer makes no
 * sense; -EIO: the kernel has not done it; -errno; and in *ret_why what went wrong, as the end of “The guest does not
 * start: ”. */
int cpu_pin_vcpus(const CpuPlacement *p, bool realtime, pid_t pid, const json_t *cpus, char **ret_why);

/* Looks whether the iothreads run beside the vCPUs; iothreads: what query-iothreads returned. As cpu_pin_vcpus(). */
int cpu_pin_iothreads(const CpuPlacement *p, pid_t pid, const json_t *iothreads, char **ret_why);
