/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The part of QEMU's command line about disks and CD-ROM drives; see qemu-argv.h. */

#include "qemu-argv.h"

int qemu_add_disks(Argv *a, const Guest *g, const QemuFacts *facts);
