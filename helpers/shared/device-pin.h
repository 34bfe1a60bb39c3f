/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which card a guest file means, noted down once by `vxm-bind --record`: the way to its slot and its ids. Addresses move
 * when hardware is added, because buses are numbered anew; the way from the root through the ports does not. */

#include "pci.h"

typedef struct DevicePin {
        char *path; /* “0000:00/1c.0/00.0”: domain and root bus, then device.function of each port down to the function */
        uint16_t vendor, device, subsystem_vendor, subsystem_device;
} DevicePin;

/* Reads “PATH VENDOR:DEVICE:SUBVENDOR:SUBDEVICE”. Returns 0, -EINVAL or -ENOMEM. */
int device_pin_parse(const char *text, DevicePin *ret);

/* The pin of a function as it is now. Returns 0, -EINVAL when its place in sysfs is none of PCI's, or -ENOMEM. */
int device_pin_of(const PciFunction *f, DevicePin *ret);

/* The text that device_pin_parse() reads. */
int device_pin_format(const DevicePin *pin, char **ret);

bool device_pin_equal(const DevicePin *a, const DevicePin *b);
void device_pin_done(DevicePin *pin);
