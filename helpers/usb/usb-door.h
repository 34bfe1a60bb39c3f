/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Root's side of /run/vxm/plug, see usb-plug.h. */

#include "usb-plug.h"

/* Makes the guest's directory, unless it is there. Returns 0 or -errno. */
int usb_door_open(int root, const char *guest);

/* Whether it is there, and so a guest that may get devices. */
bool usb_door_is_open(int root, const char *guest);

/* Tells the guest's supervisor of a device, or no more. Return 0, also when that is so already, or -errno. */
int usb_door_show(int root, const char *guest, UsbAddress address);
int usb_door_hide(int root, const char *guest, UsbAddress address);

/* Removes the directory with all that is in it. Returns 0, also when there is none, or -errno. */
int usb_door_close(int root, const char *guest);
