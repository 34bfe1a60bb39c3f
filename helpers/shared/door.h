/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How a running guest learns which devices are its own. /run/vxm/KIND/GUEST is there while the guest may have some; a helper that runs
 * as root puts an empty file in it for each device once the guest's user may open it, and the guest's supervisor watches, see
 * qemu-plug.h. The name of the file says all; which names there are is its kind's business. Who can write there could make a guest's
 * QEMU try to open a node, and no more. */

#include "util.h"

#define DOOR_USB "plug"    /* see usb-plug.h */
#define DOOR_INPUT "evdev" /* see input-plug.h */

/* “run/vxm/KIND/GUEST”. Returns 0 or -ENOMEM. */
int door_path(const char *kind, const char *guest, char **ret);

/* Makes the guest's directory, unless it is there, with nothing in it. Returns 0 or -errno. */
int door_open(int root, const char *kind, const char *guest);

/* Whether it is there, and so a guest that may get devices. */
bool door_is_open(int root, const char *kind, const char *guest);

/* Tells the guest's supervisor of a device, or no more. Return 0, also when that is so already, or -errno. */
int door_show(int root, const char *kind, const char *guest, const char *entry);
int door_hide(int root, const char *kind, const char *guest, const char *entry);

/* Removes the directory with all that is in it. Returns 0, also when there is none, or -errno. */
int door_close(int root, const char *kind, const char *guest);
