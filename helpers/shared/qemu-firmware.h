/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Parts of QEMU's command line: firmware, TPM, and what the guest knows itself by. Each returns 0 or -ENOMEM. */

#include "qemu-argv.h"

int qemu_add_firmware(Argv *a, const Guest *g, const QemuFacts *facts);
int qemu_add_tpm(Argv *a, const Guest *g, const QemuFacts *facts);
int qemu_add_uuid(Argv *a, const Guest *g, const QemuFacts *facts);

/* The 64-bit window that OVMF is to be told, in MiB; 0: nothing. needed: bytes that the guest's devices take there. */
uint64_t qemu_mmio64_mib(const Guest *g, uint64_t needed);
