/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Interrupts and the CPUs that take them (Documentation/core-api/irq/irq-affinity.rst). */

#include "cpu-record.h"

/* Notes the mask of each interrupt that one of these CPUs may take, and of those to come. Returns 0, -E2BIG, -ENOMEM or
 * -errno. */
int irqs_note(int root, const CpuSet *cpus, CpuRecord *record);

/* Sets the mask of one, unless it is so already. Returns 1; 0: nothing to do, or the interrupt has gone; -errno. */
int irq_set(int root, const CpuRecordIrq *irq);

/* Whether what irq_set() returned means that the kernel lets nobody move the interrupt there. */
bool irq_is_fixed(int r);
