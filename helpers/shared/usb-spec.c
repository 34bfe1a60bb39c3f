/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses and compares the names of USB devices. */

#include <ctype.h>

#include "usb-spec.h"

enum {
        LEVELS_MAX = 6,    /* ports on the way to a device, through five hubs at most (USB 2.0, 4.1.1) */
        NUMBER_MAX = 255,
};

/* Reads a number of 1 … 255, without leading zeros. Moves *s behind it. */
static bool read_number(const char **s, unsigned *ret) {
        unsigned value = 0;

        if (**s == '0' || !isdigit((unsigned char) **s))
                return false;
        for (; isdigit((unsigned char) **s); (*s)++) {
                value = value * 10 + (unsigned) (**s - '0');
                if (value > NUMBER_MAX)
                        return false;
        }
        *ret = value;
        return true;
}

bool usb_port_is_valid(const char *s) {
        unsigned number, levels = 0;

        if (!read_number(&s, &number) || *s++ != '-')
                return false;
        do
                if (!read_number(&s, &number) || ++levels > LEVELS_MAX)
                        return false;
        while (*s++ == '.');
        return s[-1] == '\0';
}

int usb_port_compare(const char *a, const char *b) {
        unsigned x, y;

        while (read_number(&a, &x) && read_number(&b, &y)) {
                if (x != y)
                        return x < y ? -1 : 1;
                if (*a == '\0' || *b == '\0')
                        return (*a != '\0') - (*b != '\0');
                a++;
                b++;
        }
        return 0;
}

static bool read_id(const char **s, uint16_t *ret) {
        unsigned value = 0;

        for (size_t i = 0; i < 4; i++, (*s)++) {
                int c = tolower((unsigned char) **s);

                if (!isxdigit(c))
                        return false;
                value = value << 4 | (unsigned) (isdigit(c) ? c - '0' : c - 'a' + 10);
        }
        *ret = (uint16_t) value;
        return true;
}

int usb_spec_parse(const char *s, UsbSpec *ret) {
        UsbSpec spec = {};

        if (usb_port_is_valid(s)) {
                spec.by_port = true;
                (void) snprintf(spec.port, sizeof spec.port, "%s", s);
        } else if (!read_id(&s, &spec.vendor) || *s++ != ':' || !read_id(&s, &spec.product) || *s != '\0') {
                return -EINVAL;
        }
        *ret = spec;
        return 0;
}

const char *usb_spec_print(const UsbSpec *spec, char buffer[static USB_SPEC_SIZE]) {
        if (spec->by_port)
                (void) snprintf(buffer, USB_SPEC_SIZE, "%s", spec->port);
        else
                (void) snprintf(buffer, USB_SPEC_SIZE, "%04x:%04x", spec->vendor, spec->product);
        return buffer;
}

bool usb_spec_equal(const UsbSpec *a, const UsbSpec *b) {
        return a->by_port == b->by_port && (a->by_port ? streq(a->port, b->port)
                                                       : a->vendor == b->vendor && a->product == b->product);
}
