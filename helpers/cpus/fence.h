/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the fence around guests' CPUs comes to: pure, from the records of the guests that are there and of the one that
 * comes or goes. The fence is always worked out as a whole, so that guests may come and go in any order. */

#include "cpu-record.h"

#define FENCE_GUEST_SLICE "vxm.slice" /* all guests that the host is fenced off for run in it */

/* What the host runs in. */
extern const char *const fence_host_units[];
extern const size_t n_fence_host_units;

typedef struct FencePlan {
        CpuSet fenced;        /* the CPUs of all guests with Isolate=yes */
        CpuSet host;          /* those that are left to the host */
        /* What FENCE_GUEST_SLICE is to be (cpuset.cpus.partition): "member", no partition; "isolated", where the scheduler
         * leaves each thread on its CPU; "root", where it does not, as QEMU's other threads have several to spread over. */
        const char *partition;
        CpuRecordUnit *units; /* AllowedCPUs= of each, in the order in which to set them */
        size_t n_units;
        CpuRecordMask *masks;
        size_t n_masks;
} FencePlan;

void fence_plan_done(FencePlan *plan);

/* Plans for these guests, less the one called leaving (NULL: none leaves). Where several records tell how something
 * was, they tell the same; what only the one who leaves has noted gets just that back, for it was so while the others
 * were there. What is planned for a unit that has a limit of its own stays within it. Returns 0;
 * -E_CONFIG: something of the host's would be left without a CPU, and in *ret_why what; -ENOMEM. When one leaves,
 * -E_CONFIG does not come back: the host gets what can be given. */
int fence_plan(const CpuSet *online, const CpuClaims *guests, const char *leaving, FencePlan *ret, char **ret_why);

/* Prints a step a line, as --dry-run shows them. */
void fence_plan_print(const FencePlan *plan, FILE *f);
