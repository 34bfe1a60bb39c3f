/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Carries out a plan of vxm-bind: the one place that changes a device. */

#include "bind-plan.h"

typedef struct BindRun {
        int root;
        bool is_this_machine; /* and not a tree of another one's, into which no modules belong */
        bool release;         /* the devices are on their way back */
        uint64_t deadline;    /* µs that one write to a driver may take */
        GuardedStuck stuck;   /* set when a write has not come back … */
        char stuck_device[PCI_ADDRESS_TEXT]; /* … for this device */
} BindRun;

/* Does the steps in order. On the way to the guest the first failure ends it: --release undoes from there. On the way back
 * all is done that can be done, without any further write to a device that failed, and the first failure is returned: one
 * device that is stuck must not keep the others from the host. Everything is logged. Returns 0 or -errno. */
int bind_run(BindRun *run, const BindPlan *plan);
