/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads DRM connectors. */

#include <fcntl.h>

#include "log.h"
#include "monitors.h"
#include "parse.h"
#include "pci.h"
#include "root.h"

#define DRM "sys/class/drm"

enum {
        EDID_FILE_MAX = 64 * 1024, /* 255 extensions are half of it */
};

void monitor_done(Monitor *m) {
        free(m->connector);
        free(m->pci);
        *m = (Monitor){};
}

void monitors_done(Monitors *l) {
        for (size_t i = 0; i < l->n; i++)
                monitor_done(&l->items[i]);
        free(l->items);
        *l = (Monitors){};
}

int bus_parse(const char *name) {
        const char *digits = startswith(name, "i2c-");
        uint64_t bus;

        return digits && parse_number(digits, 0, BUS_MAX, &bus) >= 0 ? (int) bus : BUS_UNKNOWN;
}

/* “card1-HDMI-A-1”, but none of a panel that is part of the machine, which has no other input. */
static bool is_of_monitor(const char *name) {
        static const char *const panels[] = { "eDP-", "LVDS-", "DSI-", "DPI-", "Writeback-" };
        const char *digits = startswith(name, "card"), *kind = digits ? strchr(digits, '-') : NULL;

        if (!kind || kind == digits || strspn(digits, "0123456789") != (size_t) (kind - digits))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(panels); i++)
                if (startswith(kind + 1, panels[i]))
                        return false;
        return true;
}

static int read_edid(int root, const char *connector, Edid *ret) {
        _cleanup_(freep) char *path = NULL, *data = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size;
        int r;

        if (format(&path, DRM "/%s/edid", connector) < 0)
                return -ENOMEM;
        fd = root_openat(root, path, O_RDONLY);
        if (fd < 0)
                return fd;
        r = read_full(fd, EDID_FILE_MAX, &data, &size);
        return r < 0 ? r : edid_parse(data, size, ret);
}

/* The name of the directory entry that is an I²C adapter: an AUX channel's is the connector's child. */
static int find_child_bus(int root, const char *directory) {
        char **names = NULL;
        size_t n = 0;
        int bus = BUS_UNKNOWN;

        if (root_list(root, directory, &names, &n) < 0)
                return BUS_UNKNOWN;
        for (size_t i = 0; bus == BUS_UNKNOWN && i < n; i++)
                bus = bus_parse(names[i]);
        strings_free(names, n);
        return bus;
}

/* The link “ddc” is there since Linux 5.3 for drivers that tell it to the kernel. On DisplayPort it is the adapter of the pins, which
 * serve DVI and HDMI by an adapter plug; the AUX channel's comes first. */
static int find_bus(int root, const char *connector, int *ret) {
        _cleanup_(freep) char *directory = NULL, *link = NULL, *name = NULL;

        if (format(&directory, DRM "/%s", connector) < 0 || format(&link, "%s/ddc", directory) < 0)
                return -ENOMEM;
        *ret = find_child_bus(root, directory);
        if (*ret == BUS_UNKNOWN && root_readlink_name(root, link, &name) >= 0)
                *ret = bus_parse(name);
        return 0;
}

static int read_card(int root, const char *connector, char **ret) {
        _cleanup_(freep) char *link = NULL, *name = NULL;
        PciAddress address;
        int r;

        if (format(&link, DRM "/%.*s/device", (int) (strchr(connector, '-') - connector), connector) < 0)
                return -ENOMEM;
        r = root_readlink_name(root, link, &name);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && pci_address_parse(name, &address) >= 0)
                *ret = TAKE_PTR(name);
        return 0;
}

/* Returns 1: taken; 0: nothing is connected, or what it says of itself cannot be used; -errno. */
static int read_monitor(int root, const char *connector, Monitor *ret) {
        _cleanup_(monitor_done) Monitor m = { .bus = BUS_UNKNOWN };
        int r = read_edid(root, connector, &m.edid);

        if (r < 0) {
                if (r == -EBADMSG)
                        log_debug("%s has an EDID that is none, or nothing is connected there.", connector);
                return r == -ENOMEM ? r : 0;
        }
        monitor_quirk_default(&m.quirk);
        m.connector = strdup(connector);
        if (!m.connector)
                return -ENOMEM;
        r = find_bus(root, connector, &m.bus);
        r = r < 0 ? r : read_card(root, connector, &m.pci);
        if (r < 0)
                return r;
        *ret = m;
        m = (Monitor){};
        return 1;
}

int monitors_read(int root, Monitors *ret) {
        _cleanup_(monitors_done) Monitors l = {};
        char **names = NULL;
        size_t n = 0;
        int r = root_list(root, DRM, &names, &n);

        if (r == -ENOENT)
                r = 0; /* no display at all */
        for (size_t i = 0; r >= 0 && i < n; i++) {
                Monitor *m;

                if (!is_of_monitor(names[i]))
                        continue;
                m = ARRAY_GROW(l.items, l.n);
                r = m ? read_monitor(root, names[i], m) : -ENOMEM;
                l.n += r > 0;
        }
        strings_free(names, n);
        if (r < 0)
                return r;
        *ret = l;
        l = (Monitors){};
        return 0;
}

int monitors_buses_of_card(int root, const char *pci, int **ret, size_t *ret_n) {
        _cleanup_(freep) char *directory = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        *ret = NULL;
        *ret_n = 0;
        if (format(&directory, "sys/bus/pci/devices/%s", pci) < 0)
                return -ENOMEM;
        r = root_list(root, directory, &names, &n);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                int *bus = bus_parse(names[i]) == BUS_UNKNOWN ? NULL : ARRAY_GROW(*ret, *ret_n);

                if (bus)
                        (*ret)[(*ret_n)++] = bus_parse(names[i]);
        }
        strings_free(names, n);
        return r;
}

int monitor_describe(const Monitor *m, char **ret) {
        char model[EDID_MODEL_SIZE];

        return format(ret, "%s (%s)", edid_model(&m->edid, model), m->connector);
}
