/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How a guest file names a PCI device: Device= in [GPU] and [PCI]. Pure: a text in, and whether a function fits it. */

#include "pci.h"

typedef enum DeviceSpecType {
        DEVICE_BY_ADDRESS, /* “01:00.0” in any spelling, or udev's ID_PATH, “pci-0000:01:00.0” */
        DEVICE_BY_IDS,     /* “1002:73bf”, or with the subsystem's, “1002:73bf:1da2:e438” */
        DEVICE_BY_NAME,    /* part of the name that pci.ids gives it: “RX 6800” */
        DEVICE_AUTO,       /* the one GPU that the host does not use */
} DeviceSpecType;

typedef struct DeviceSpec {
        DeviceSpecType type;
        char *text; /* as the user wrote it */
        PciAddress address;
        uint16_t vendor, device;
        bool with_subsystem;
        uint16_t subsystem_vendor, subsystem_device;
} DeviceSpec;

enum {
        DEVICE_NAME_MIN = 3, /* characters; fewer fit half the machine */
        DEVICE_NAME_MAX = 128,
};

/* Returns 0; -EINVAL: it is none of these; -ENOMEM. */
int device_spec_parse(const char *text, DeviceSpec *ret);
void device_spec_done(DeviceSpec *spec);

/* Whether a function fits, by address, ids or name; title: its name, as pci_function_title() has it, only asked for
 * DEVICE_BY_NAME. DEVICE_AUTO fits none: that takes more than one function to tell. */
bool device_spec_matches(const DeviceSpec *spec, const PciFunction *f, const char *title);
