/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A guest's sound card on QEMU's command line. */

#include "qemu-argv.h"

/* A part of qemu_argv_build(). */
int qemu_add_audio(Argv *a, const Guest *g, const QemuFacts *facts);
