/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which USB devices a guest gets of those that are there. Looks only. */

#include "guest.h"
#include "usb-record.h"
#include "usb-use.h"

typedef struct UsbPlan {
        UsbDevices devices;
        int chosen[GUEST_USB_MAX]; /* of each Device= of the guest: an index into devices, or -1 where it is not there */
} UsbPlan;

/* Plans for a guest that is to start. A device that is not there is no error: it may come later. Of several that have
 * the same ids the first by ports is taken that can be had. Returns 0; -E_CONFIG or -E_BUSY: one that is there cannot
 * be given, which has been logged with the reason; -errno, logged. */
int usb_plan_make(int root, const Guest *g, UsbPlan *ret);
void usb_plan_done(UsbPlan *plan);

/* Whether a guest may have the device: whether another has it, and what it is to the host. Who may not read other
 * guests' records is not told of them. Returns as usb_use_judge(). */
int usb_judge(int root, const char *guest, const UsbDevice *d, const HostUses *uses, char **ret_why);
