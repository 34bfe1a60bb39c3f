/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses and matches the names of devices in guest files. */

#include <ctype.h>

#include "device-spec.h"

/* Reads exactly four hexadecimal digits at *s. Moves *s behind them. */
static bool read_id(const char **s, uint16_t *ret) {
        unsigned value = 0;

        for (int i = 0; i < 4; i++, (*s)++) {
                int c = tolower((unsigned char) **s);

                if (!isxdigit(c))
                        return false;
                value = value << 4 | (unsigned) (isdigit(c) ? c - '0' : c - 'a' + 10);
        }
        *ret = (uint16_t) value;
        return true;
}

static bool parse_ids(const char *s, DeviceSpec *spec) {
        if (!read_id(&s, &spec->vendor) || *s++ != ':' || !read_id(&s, &spec->device))
                return false;
        if (*s == '\0')
                return true;
        spec->with_subsystem = true;
        return *s++ == ':' && read_id(&s, &spec->subsystem_vendor) && *s++ == ':' && read_id(&s, &spec->subsystem_device) &&
               *s == '\0';
}

/* Names in pci.ids are plain ASCII, and begin with a letter or a digit; “RX 6800/6800 XT” is part of one. */
static bool is_name(const char *s) {
        size_t n = strlen(s);

        return n >= DEVICE_NAME_MIN && n <= DEVICE_NAME_MAX && isalnum((unsigned char) *s) &&
               strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 []()/+-.,&_'") == n;
}

/* Ids come before addresses, as “0010:0011” could be both. What has a colon is one of the two or a slip, never a name:
 * a mistyped address must be told at once, not when nothing of that name is found. */
static int parse_kind(const char *text, DeviceSpec *spec) {
        const char *path = startswith(text, "pci-");

        if (streq(text, "auto"))
                return spec->type = DEVICE_AUTO, 0;
        if (parse_ids(text, spec))
                return spec->type = DEVICE_BY_IDS, 0;
        if (pci_address_parse(path ? path : text, &spec->address) >= 0)
                return spec->type = DEVICE_BY_ADDRESS, 0;
        if (strchr(text, ':') || !is_name(text))
                return -EINVAL;
        return spec->type = DEVICE_BY_NAME, 0;
}

int device_spec_parse(const char *text, DeviceSpec *ret) {
        DeviceSpec spec = {};
        int r;

        r = parse_kind(text, &spec);
        r = r < 0 ? r : free_and_strdup(&spec.text, text);
        if (r < 0)
                return r;
        *ret = spec;
        return 0;
}

void device_spec_done(DeviceSpec *spec) {
        free(spec->text);
        *spec = (DeviceSpec){};
}

static bool ids_match(const DeviceSpec *spec, const PciFunction *f) {
        return spec->vendor == f->vendor && spec->device == f->device &&
               (!spec->with_subsystem ||
                       (spec->subsystem_vendor == f->subsystem_vendor && spec->subsystem_device == f->subsystem_device));
}

bool device_spec_matches(const DeviceSpec *spec, const PciFunction *f, const char *title) {
        switch (spec->type) {
        case DEVICE_BY_ADDRESS:
                return pci_address_equal(spec->address, f->address);
        case DEVICE_BY_IDS:
                return ids_match(spec, f);
        case DEVICE_BY_NAME:
                return title && strcasestr(title, spec->text);
        case DEVICE_AUTO:
                return false;
        }
        return false;
}
