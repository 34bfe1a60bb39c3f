/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* From what a guest file calls a device to the one function that it means. */

#include "guest.h"
#include "host-use.h"

/* What is read of the machine at most once, when first needed. */
typedef struct DeviceFacts {
        int root;
        bool given; /* vxm-bind has given the devices already: “auto” is the GPU we own */
        bool have_all, have_uses;
        PciFunctions all;
        HostUses uses;
} DeviceFacts;

int device_facts_all(DeviceFacts *facts, const PciFunctions **ret);
int device_facts_uses(DeviceFacts *facts, const HostUses **ret);
void device_facts_done(DeviceFacts *facts);

/* Finds the function that spec means, and holds it against the section's pins. What fits none or several is refused,
 * naming the candidates. Returns 0, -E_CONFIG or -errno, logged. */
int device_resolve(DeviceFacts *facts, const Guest *g, const GuestDevices *section, const DeviceSpec *spec, PciFunction *ret);
