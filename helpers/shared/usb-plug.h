/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Names of USB devices in a guest's directory in /run/vxm/plug, see door.h: “001-005”, bus and number. A device that comes back after
 * it was away, or after a reset, has another number, so it is another one to both sides. */

#include "util.h"

enum {
        USB_BUS_MAX = 255,
        USB_NUMBER_MAX = 127, /* USB 2.0, 4.6.1 */
        USB_ENTRY_SIZE = 8,   /* “001-005” */
        USB_NODE_SIZE = 32,
};

#define USB_NODES "dev/bus/usb"

/* Where a device is on its bus, as the kernel counts: usb_device.devnum, not the port. */
typedef struct UsbAddress {
        unsigned bus, number;
} UsbAddress;

/* Reads “001-005”, just as it is printed. Returns 0 or -EINVAL. */
int usb_entry_parse(const char *s, UsbAddress *ret);

/* Return buffer. */
const char *usb_entry_print(UsbAddress address, char buffer[static USB_ENTRY_SIZE]);
const char *usb_node_print(UsbAddress address, char buffer[static USB_NODE_SIZE]); /* “/dev/bus/usb/001/005” */

static inline bool usb_address_equal(UsbAddress a, UsbAddress b) {
        return a.bus == b.bus && a.number == b.number;
}
