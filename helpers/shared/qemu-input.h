/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The host's keyboards and mice in a guest, see qemu-plug.h: QEMU's input-linux objects, which take a device for the guest alone, and
 * let go of it when the keys of Toggle= are pressed on it. */

#include "guest.h"
#include "qemu-plug.h"

/* userdata of the kind. */
typedef struct QemuInput {
        const Guest *guest;
        char main[PLUG_ENTRY_SIZE]; /* the keyboard whose keys take all other devices along; empty: none does */
} QemuInput;

extern const QemuPlugKind qemu_input_kind;
