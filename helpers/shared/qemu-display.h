/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A guest's emulated display on QEMU's command line: a graphics card, a pointer, and the sockets to look at it by. */

#include "qemu-argv.h"

/* A part of qemu_argv_build(). */
int qemu_add_display(Argv *a, const Guest *g, const QemuFacts *facts);

/* Another one: the memory in which the guest leaves its frames for Looking Glass. */
int qemu_add_looking_glass(Argv *a, const Guest *g, const QemuFacts *facts);
