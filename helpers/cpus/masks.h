/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* All that has a mask of CPUs, whatever of the kernel's it is: one kind a row of a table, see CpuMaskKind. */

#include "cpu-record.h"

/* Notes all of it that the fence is to keep off these CPUs. Returns 0, -E2BIG, -ENOMEM or -errno. */
int masks_note(int root, const CpuSet *cpus, CpuRecord *record);

/* Whether this has ended, and nothing will ever be the same again. */
bool mask_is_over(int root, const CpuRecordMask *mask);

/* Sets one, unless it is so already. Returns 1; 0: nothing to do, or it has gone; -errno. */
int mask_set(int root, const CpuRecordMask *mask);

/* Whether what mask_set() returned means that the kernel lets nobody move it there. */
bool mask_is_fixed(const CpuRecordMask *mask, int r);

/* What it is, in words, to be followed by its name. */
const char *mask_what(const CpuRecordMask *mask);

/* Prints the step that sets it, as --dry-run shows it. */
void mask_print(const CpuRecordMask *mask, FILE *f);
