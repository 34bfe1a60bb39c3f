/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The kernel's own threads, and the CPUs that they may run on: proc(5), /proc/PID/stat and status, and
 * sched_setaffinity(2). Threads that serve unbound workqueues take no mask of their own, but follow that of all these
 * workqueues (Documentation/core-api/workqueue.rst, “Affinity Scopes” and the sysfs interface). */

#include "cpu-record.h"

/* Notes each thread that may run on one of these CPUs and on others, too, and that the kernel lets be moved. One that
 * begins later may run on all CPUs, whatever became of these. Returns 0, -E2BIG, -ENOMEM or -errno. */
int kthreads_note(int root, const CpuSet *cpus, CpuRecord *record);

/* Where a thread may run. Returns 0; -ESRCH: it has ended, whatever has its PID now; -errno. */
int kthread_read(int root, const char *name, CpuSet *ret);

/* Sets that, for a thread that kthread_read() has just found, if root is this machine's. Returns 0; -ESRCH: it has ended,
 * or is another machine's; -errno. */
int kthread_write(int root, const char *name, const CpuSet *mask);

/* Whether this means that the kernel lets nobody move it there. */
bool kthread_is_fixed(int r);

void kthread_print(FILE *f, const char *name, const CpuSet *mask);

/* The same of unbound workqueues, which not all kernels let be moved: -ENOENT. */
int workqueues_note(int root, const CpuSet *cpus, CpuRecord *record);
int workqueues_read(int root, const char *name, CpuSet *ret);
int workqueues_write(int root, const char *name, const CpuSet *mask);
void workqueues_print(FILE *f, const char *name, const CpuSet *mask);
