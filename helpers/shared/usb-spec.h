/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How a guest file names a USB device: Device= in [USB]. Pure: a text in, and whether a device fits it. */

#include "util.h"

enum {
        USB_PORT_SIZE = 32, /* “255-255.255.255.255.255.255”, the longest, and its NUL */
        USB_SPEC_SIZE = USB_PORT_SIZE,
};

typedef struct UsbSpec {
        bool by_port;              /* else by ids */
        char port[USB_PORT_SIZE];  /* “1-4.2”: bus and ports, as /sys/bus/usb/devices has it */
        uint16_t vendor, product;
} UsbSpec;

/* “1-4.2” or “046d:c52b”, ids in any case. Returns 0 or -EINVAL. */
int usb_spec_parse(const char *s, UsbSpec *ret);

/* As usb_spec_parse() takes it, ids in small letters. Returns buffer. */
const char *usb_spec_print(const UsbSpec *spec, char buffer[static USB_SPEC_SIZE]);

bool usb_spec_equal(const UsbSpec *a, const UsbSpec *b);

/* Whether s is a device's name in /sys/bus/usb/devices: no root hub (“usb1”), and no interface (“1-4:1.0”). */
bool usb_port_is_valid(const char *s);

/* By bus, then port by port, as somebody would count them: 1-2 comes before 1-10, and 1-2 before 1-2.1. Returns as
 * strcmp(3). */
int usb_port_compare(const char *a, const char *b);
