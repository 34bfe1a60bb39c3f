/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The guest's memory: whether the machine has it, and what QEMU is told of it. */

#include "qemu-argv.h"

/* Adds size, backend, locking and balloon to the command line. Returns 0 or -ENOMEM. */
int qemu_add_memory(Argv *a, const Guest *g, const QemuFacts *facts);

/* The node, if it is one of several, that has all huge pages that the guest needs; looks only. Returns 0 or -errno, logged. */
int qemu_place_memory(int root, const Guest *g, MemoryPlacement *ret);
