/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the files in /run/vxm/plug. */

#include <ctype.h>

#include "usb-plug.h"

static unsigned three_digits(const char *s) {
        return (unsigned) (s[0] - '0') * 100 + (unsigned) (s[1] - '0') * 10 + (unsigned) (s[2] - '0');
}

int usb_entry_parse(const char *s, UsbAddress *ret) {
        UsbAddress address;

        for (size_t i = 0; i < USB_ENTRY_SIZE - 1; i++)
                if (i == 3 ? s[i] != '-' : !isdigit((unsigned char) s[i]))
                        return -EINVAL;
        if (s[USB_ENTRY_SIZE - 1] != '\0')
                return -EINVAL;
        address = (UsbAddress){ three_digits(s), three_digits(s + 4) };
        if (address.bus < 1 || address.bus > USB_BUS_MAX || address.number < 1 || address.number > USB_NUMBER_MAX)
                return -EINVAL;
        *ret = address;
        return 0;
}

const char *usb_entry_print(UsbAddress address, char buffer[static USB_ENTRY_SIZE]) {
        (void) snprintf(buffer, USB_ENTRY_SIZE, "%03u-%03u", address.bus % 1000, address.number % 1000);
        return buffer;
}

const char *usb_node_print(UsbAddress address, char buffer[static USB_NODE_SIZE]) {
        (void) snprintf(buffer, USB_NODE_SIZE, "/" USB_NODES "/%03u/%03u", address.bus, address.number);
        return buffer;
}
