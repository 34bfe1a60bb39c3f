/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins: text to struct, function to pin. */

#include "device-pin.h"
#include "device-spec.h"

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
        _cleanup_(device_spec_done) DeviceSpec ids = {};
        const char *space = strchr(text, ' ');
        DevicePin pin = {};
        int r;

        if (!space || (size_t) (space - text) > PIN_PATH_MAX || space == text ||
                strspn(text, "0123456789abcdef:./") != (size_t) (space - text))
                return -EINVAL;
        r = device_spec_parse(space + 1, &ids);
        if (r < 0)
                return r;
        if (ids.type != DEVICE_BY_IDS || !ids.with_subsystem)
                return -EINVAL;
        pin = (DevicePin){ strndup(text, (size_t) (space - text)), ids.vendor, ids.device, ids.subsystem_vendor,
                ids.subsystem_device };
        if (!pin.path)
                return -ENOMEM;
        *ret = pin;
        return 0;
}

/* Sysfs has "devices/pci0000:00/0000:00:1c.0/0000:01:00.0"; of every function but the root bus only the device and
 * function numbers are kept. A host bridge may lie deeper, and one behind another: Intel's VMD is a function with a root
 * bus of its own below it. */
static int add_part(const char *part, char **path) {
        const char *root = startswith(part, "pci");
        PciAddress a;

        if (root)
                return list_append(path, "/", "%s", root);
        if (!*path)
                return 0;
        if (pci_address_parse(part, &a) < 0)
                return -EINVAL;
        return list_append(path, "/", "%02x.%x", a.slot & 0x1fU, a.function & 7U);
}

int device_pin_of(const PciFunction *f, DevicePin *ret) {
        _cleanup_(freep) char *copy = strdup(f->path), *path = NULL;
        char *state;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        for (char *part = strtok_r(copy, "/", &state); r >= 0 && part; part = strtok_r(NULL, "/", &state))
                r = add_part(part, &path);
        if (r < 0 || !path)
                return r < 0 ? r : -EINVAL;
        *ret = (DevicePin){ TAKE_PTR(path), f->vendor, f->device, f->subsystem_vendor, f->subsystem_device };
        return 0;
}
