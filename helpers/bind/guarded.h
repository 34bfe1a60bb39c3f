/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Calls into a driver that may never come back. A write to a driver's unbind can block in the kernel for ever, where no
 * signal reaches it; so it is done by a short process of its own, and only that process is lost. */

#include <sys/types.h>

#include "util.h"

/* A process that is still in the kernel, told from a later one with the same number by its start time. */
typedef struct GuardedStuck {
        pid_t pid;           /* 0: none */
        uint64_t start_time; /* clock ticks since boot, proc_pid_stat(5) */
} GuardedStuck;

/* Runs call(userdata), which returns 0 or -errno, in a child process without standard streams, and waits for it at most
 * deadline µs. The child is killed with us, too.
 * Returns what call did; -EIO: the child died; -ETIMEDOUT: the deadline has passed, and the child has been killed, or, when
 * it could not be, is in *ret_stuck; -errno. */
int guarded_call(int (*call)(void *userdata), void *userdata, uint64_t deadline, GuardedStuck *ret_stuck);

/* The same for a call of a few system calls: its process uses our memory instead of a copy, whose making takes longer than
 * most writes to drivers do. So call must allocate nothing, and change nothing but what is its own. */
int guarded_short_call(int (*call)(void *userdata), void *userdata, uint64_t deadline, GuardedStuck *ret_stuck);

/* Whether that process is still there. */
bool guarded_is_stuck(int root, const GuardedStuck *stuck);
