/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Changes the pools of huge pages: what is noted before, written, and read back. */

#include "huge-plan.h"
#include "huge-record.h"

/* Adds to the pool of one node what the plan wants there; node is as the machine is, then, and marked as exhausted when it has
 * not got so far even after compacting memory twice. Returns 0 or -errno, logged. */
int huge_run_add(int root, const char *guest, HugePool *pool, HugeNode *node, HugeRecord *record);

/* Takes away again what a claim has added, but for free pages that other guests wait for (awaited). What is still in use goes
 * when it is free: the kernel keeps account of it as surplus. Returns 0 or -errno, logged; *ret_kept tells how many pages
 * stay. */
int huge_run_give_back(int root, const char *guest, HugeClaim *claim, uint64_t awaited, HugeRecord *record,
        uint64_t *ret_kept);
