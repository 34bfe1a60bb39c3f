/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Interrupts and the CPUs that take them (Documentation/core-api/irq/irq-affinity.rst). */

#include "cpu-record.h"

/* Notes the mask of each interrupt that one of these CPUs may take, and of those to come. Returns 0, -E2BIG, -ENOMEM or
 * -errno. */
int irqs_note(int root, const CpuSet *cpus, CpuRecord *record);

/* The mask of one. Return 0; -ENOENT: it has gone; -errno. */
int irq_read(int root, const char *name, CpuSet *ret);
int irq_write(int root, const char *name, const CpuSet *mask);

/* Whether what irq_write() returned means that the kernel lets nobody move the interrupt there. */
bool irq_is_fixed(int r);

void irq_print(FILE *f, const char *name, const CpuSet *mask);
