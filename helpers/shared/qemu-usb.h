/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The host's USB devices in a running guest: those that vxm-usb has given it, see usb-plug.h, come and go as devices of
 * QEMU's controller. What is there at the start joins in the same way as what is plugged in later. */

#include "argv.h"
#include "qemu-argv.h"
#include "qmp.h"

/* The controller that they are plugged into, if the guest is to have any. Returns 0 or -ENOMEM. */
int qemu_add_usb(Argv *a, const Guest *g, const QemuFacts *facts);

typedef struct QemuUsb QemuUsb;

/* Begins to watch a directory such as /run/vxm/plug/GUEST; nodes: where those of devices are, /dev/bus/usb. Returns 0;
 * -ENOENT: there is no such directory; -errno. */
int qemu_usb_new(const char *directory, const char *nodes, QemuUsb **ret);
QemuUsb *qemu_usb_free(QemuUsb *usb);

/* Readable when something has changed. */
int qemu_usb_fd(const QemuUsb *usb);

/* Plugs in and out, in QEMU, what has come and gone; to be called when QEMU takes commands, and when the descriptor is
 * readable. What does not work is told, and costs the guest that device only. Returns 0, or -errno when devices cannot
 * be watched. */
int qemu_usb_process(QemuUsb *usb, Qmp *qmp);
