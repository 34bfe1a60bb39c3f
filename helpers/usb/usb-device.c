/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads /sys/bus/usb/devices (Documentation/ABI/testing/sysfs-bus-usb and stable/sysfs-bus-usb of the kernel). What
 * devices say of themselves is foreign text. */

#include <inttypes.h>

#include "root.h"
#include "sysfs.h"
#include "usb-device.h"

enum {
        CLASS_HUB = 9,
        DEVICES_MAX = 4096,
        TITLE_MAX = 80, /* bytes that are shown */
};

static void device_done(UsbDevice *d) {
        free(d->name);
        free(d->path);
        free(d->title);
}

void usb_devices_done(UsbDevices *l) {
        for (size_t i = 0; i < l->n; i++)
                device_done(&l->items[i]);
        free(l->items);
        *l = (UsbDevices){};
}

static int read_number(int root, const UsbDevice *d, const char *name, int base, unsigned long max, unsigned long *ret) {
        _cleanup_(freep) char *text = NULL;
        char *end;
        int r = sysfs_read(root, d->path, name, &text);

        if (r < 0)
                return r;
        errno = 0;
        *ret = strtoul(text, &end, base);
        return errno != 0 || end == text || *end != '\0' || *text == '-' || *ret > max ? -EINVAL : 0;
}

/* Cut where it is too long, but not within a character. */
static void shorten(char *s) {
        size_t n = TITLE_MAX;

        if (strlen(s) <= n)
                return;
        while (n > 0 && ((unsigned char) s[n] & 0xc0) == 0x80)
                n--;
        s[n] = '\0';
}

static int read_title(int root, UsbDevice *d) {
        static const char *const names[] = { "manufacturer", "product" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *text = NULL;

                if (sysfs_read(root, d->path, names[i], &text) < 0)
                        continue; /* not all devices have them */
                text_clean(text);
                if (!isempty(strstrip(text)))
                        r = list_append(&d->title, " ", "%s", strstrip(text));
        }
        if (r >= 0 && !d->title)
                r = free_and_strdup(&d->title, "");
        if (r >= 0)
                shorten(d->title);
        return r;
}

static int read_device(int root, const char *name, UsbDevice *d) {
        _cleanup_(freep) char *link = NULL;
        unsigned long vendor = 0, product = 0, class = 0, bus = 0, number = 0, authorized = 1;
        int r;

        r = format(&link, "sys/bus/usb/devices/%s", name);
        r = r < 0 ? r : free_and_strdup(&d->name, name);
        r = r < 0 ? r : sysfs_resolve(root, link, &d->path);
        r = r < 0 ? r : read_number(root, d, "idVendor", 16, UINT16_MAX, &vendor);
        r = r < 0 ? r : read_number(root, d, "idProduct", 16, UINT16_MAX, &product);
        r = r < 0 ? r : read_number(root, d, "bDeviceClass", 16, UINT8_MAX, &class);
        r = r < 0 ? r : read_number(root, d, "busnum", 10, USB_BUS_MAX, &bus);
        r = r < 0 ? r : read_number(root, d, "devnum", 10, USB_NUMBER_MAX, &number);
        if (r >= 0 && read_number(root, d, "authorized", 10, UINT8_MAX, &authorized) < 0)
                authorized = 1;
        if (r < 0)
                return r;
        d->vendor = (uint16_t) vendor;
        d->product = (uint16_t) product;
        d->address = (UsbAddress){ (unsigned) bus, (unsigned) number };
        d->hub = class == CLASS_HUB;
        d->authorized = authorized != 0;
        return read_title(root, d);
}

static int compare(const void *a, const void *b) {
        const UsbDevice *x = a, *y = b;
        bool root_x = startswith(x->name, "usb"), root_y = startswith(y->name, "usb");

        if (root_x || root_y)
                return root_x && root_y ? strcmp(x->name, y->name) : root_x ? -1 : 1;
        return usb_port_compare(x->name, y->name);
}

static int add_device(int root, const char *name, UsbDevices *l) {
        UsbDevice *slot, d = {};
        int r;

        r = l->n >= DEVICES_MAX ? -E2BIG : read_device(root, name, &d);
        slot = r < 0 ? NULL : ARRAY_GROW(l->items, l->n);
        if (slot) {
                *slot = d;
                l->n++;
                return 0;
        }
        device_done(&d);
        if (r == -ENOENT || r == -ENODEV || r == -EINVAL || r == -EIO)
                return 0; /* just coming or going */
        return r < 0 ? r : -ENOMEM;
}

int usb_devices_read(int root, UsbDevices *ret) {
        _cleanup_(usb_devices_done) UsbDevices l = {};
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, "bus/usb/devices", NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (startswith(names[i], "usb") || usb_port_is_valid(names[i]))
                        r = add_device(root, names[i], &l);
        strings_free(names, n);
        if (r < 0)
                return r;
        if (l.n > 0)
                qsort(l.items, l.n, sizeof l.items[0], compare);
        *ret = l;
        l = (UsbDevices){};
        return 0;
}

bool usb_device_fits(const UsbDevice *d, const UsbSpec *spec) {
        return spec->by_port ? streq(spec->port, d->name) : spec->vendor == d->vendor && spec->product == d->product;
}

const UsbDevice *usb_devices_find(const UsbDevices *l, UsbAddress address) {
        for (size_t i = 0; i < l->n; i++)
                if (usb_address_equal(l->items[i].address, address))
                        return &l->items[i];
        return NULL;
}

char *usb_device_describe(const UsbDevice *d) {
        char *text;

        if (format(&text, "%s (%04x:%04x%s%s)", d->name, d->vendor, d->product, d->title[0] ? " " : "", d->title) < 0)
                return NULL;
        return text;
}

static bool is_taken(const int *chosen, size_t n, int device) {
        for (size_t i = 0; i < n; i++)
                if (chosen[i] == device)
                        return true;
        return false;
}

void usb_assign(const UsbSpec *wants, size_t n_wants, const UsbDevices *devices, const bool *usable, int *ret) {
        for (size_t i = 0; i < n_wants; i++)
                ret[i] = -1;
        for (int by_port = 1; by_port >= 0; by_port--)
                for (size_t i = 0; i < n_wants; i++) {
                        if (wants[i].by_port != (by_port == 1))
                                continue;
                        for (size_t d = 0; ret[i] < 0 && d < devices->n; d++)
                                if (usable[d] && usb_device_fits(&devices->items[d], &wants[i]) &&
                                        !is_taken(ret, n_wants, (int) d))
                                        ret[i] = (int) d;
                }
}
