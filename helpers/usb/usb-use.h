/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether the host can do without a USB device. Only reads. */

#include "host-use.h"
#include "usb-device.h"

/* Returns 0: it can; -E_CONFIG or -E_BUSY, and in *ret_why what stands against it, as the rest of a sentence with the
 * next step, “is a hub; name the devices behind it”; -errno. A keyboard or a mouse may go: whoever names one means
 * it. */
int usb_use_judge(int root, const UsbDevice *d, const HostUses *uses, char **ret_why);
