/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The host's keyboards and mice in a guest, see qemu-plug.h: QEMU's input-linux objects, which take a device for the guest alone, and
 * let go of it when the keys of Toggle= are pressed on it. */

#include "qemu-plug.h"

/* Its userdata is the Guest. */
extern const QemuPlugKind qemu_input_kind;
