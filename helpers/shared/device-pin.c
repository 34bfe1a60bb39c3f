/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins: text to struct, function to pin. */

#include <ctype.h>

#include "device-pin.h"

enum {
        PIN_PATH_MAX = 256,
};

void device_pin_done(DevicePin *pin) {
        free(pin->path);
        *pin = (DevicePin){};
}

bool device_pin_equal(const DevicePin *a, const DevicePin *b) {
        return streq(a->path, b->path) && a->vendor == b->vendor && a->device == b->device &&
               a->subsystem_vendor == b->subsystem_vendor && a->subsystem_device == b->subsystem_device;
}

int device_pin_format(const DevicePin *pin, char **ret) {
        return format(ret, "%s %04x:%04x:%04x:%04x", pin->path, pin->vendor, pin->device, pin->subsystem_vendor,
                pin->subsystem_device);
}

int device_pin_parse(const char *text, DevicePin *ret) {
        const char *space = strchr(text, ' ');
        DevicePin pin = {};
        int length = 0;

        if (!space || (size_t) (space - text) > PIN_PATH_MAX || space == text ||
                strspn(text, "0123456789abcdef:./") != (size_t) (space - text))
                return -EINVAL;
        if (sscanf(space, " %4hx:%4hx:%4hx:%4hx%n", &pin.vendor, &pin.device, &pin.subsystem_vendor, &pin.subsystem_device,
                    &length) != 4 ||
                space[length] != '\0')
                return -EINVAL;
        pin.path = strndup(text, (size_t) (space - text));
        if (!pin.path)
                return -ENOMEM;
        *ret = pin;
        return 0;
}

/* Sysfs has "devices/pci0000:00/0000:00:1c.0/0000:01:00.0"; of every function but the root bus only the device and
 * function numbers are kept. */
int device_pin_of(const PciFunction *f, DevicePin *ret) {
        DevicePin pin = { .vendor = f->vendor, .device = f->device, .subsystem_vendor = f->subsystem_vendor,
                .subsystem_device = f->subsystem_device };
        _cleanup_(freep) char *copy = strdup(f->path), *path = NULL;
        char *state, *root;

        if (!copy)
                return -ENOMEM;
        root = strstr(copy, "pci");
        root = root ? strtok_r(root + STRLEN("pci"), "/", &state) : NULL;
        if (!root || free_and_strdup(&path, root) < 0)
                return root ? -ENOMEM : -EINVAL;
        for (char *part = strtok_r(NULL, "/", &state); part; part = strtok_r(NULL, "/", &state)) {
                _cleanup_(freep) char *longer = NULL;
                PciAddress a;

                if (pci_address_parse(part, &a) < 0)
                        return -EINVAL;
                if (format(&longer, "%s/%02x.%x", path, a.slot & 0x1fU, a.function & 7U) < 0)
                        return -ENOMEM;
                free(path);
                path = TAKE_PTR(longer);
        }
        pin.path = TAKE_PTR(path);
        *ret = pin;
        return 0;
}
