/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The host's USB devices in a guest, see qemu-plug.h: devices of QEMU's controller. */

#include "argv.h"
#include "qemu-argv.h"
#include "qemu-plug.h"

/* The controller that they are plugged into, if the guest is to have any. Returns 0 or -ENOMEM. */
int qemu_add_usb(Argv *a, const Guest *g, const QemuFacts *facts);

extern const QemuPlugKind qemu_usb_kind;
