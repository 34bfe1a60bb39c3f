/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The part of QEMU's command line about disks, CD-ROM drives and shares; see qemu-argv.h. */

#include "qemu-argv.h"

int qemu_add_disks(Argv *a, const Guest *g, const QemuFacts *facts);
int qemu_add_shares(Argv *a, const Guest *g, const QemuFacts *facts);
