/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The monitors that are connected to the host, as the kernel's DRM connectors in sysfs tell of them. Only looks. */

#include "edid.h"
#include "monitor-quirk.h"

enum {
        BUS_UNKNOWN = -1,
        BUS_MAX = 0xfffff, /* MINORBITS of the kernel */
};

typedef struct Monitor {
        char *connector; /* “card1-HDMI-A-1” */
        char *pci;       /* of its card, “0000:01:00.0”; NULL: it is no PCI device */
        int bus;         /* its I²C bus, N of /dev/i2c-N; BUS_UNKNOWN: the driver does not tell */
        Edid edid;
        MonitorQuirk quirk; /* as by the standard until somebody asks the hwdb */
} Monitor;

typedef struct Monitors {
        Monitor *items; /* in the order of their connectors' names */
        size_t n;
} Monitors;

/* Those with an EDID that can be read; panels that are built in are none. Returns 0 or -errno. */
int monitors_read(int root, Monitors *ret);

/* The I²C buses of a card, from which that of a connector can be told by its EDID when the driver does not: the adapters that are
 * children of its PCI device. Returns 0 or -errno. */
int monitors_buses_of_card(int root, const char *pci, int **ret, size_t *ret_n);

/* What messages call it: “LG ULTRAGEAR (card1-HDMI-A-1)”. Returns 0 or -ENOMEM. */
int monitor_describe(const Monitor *m, char **ret);

/* Reads N of “i2c-N”. Returns it or BUS_UNKNOWN. */
int bus_parse(const char *name);

void monitor_done(Monitor *m);
void monitors_done(Monitors *l);
