/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What a PCI function has besides its identity: BARs, ways to be reset, power, link. Read for a few functions only. */

#include "pci-bars.h"

typedef struct PciDetails {
        PciBar bars[PCI_BARS_MAX]; /* those that are there */
        size_t n_bars;
        char **reset_methods; /* “flr”, “bus”, … in the order in which the kernel tries them */
        size_t n_reset_methods;
        bool knows_reset_methods; /* from Linux 5.15 on; before, no method is known though there may be one */
        char *power_control;      /* “auto”: may sleep when unused; “on”: may not; NULL: not known */
        char *power_state;        /* “D0” … “D3cold”; NULL: not known */
        int d3cold_allowed;       /* 1, 0, or -1: not known */
        char *link_speed, *link_width;         /* “16.0 GT/s PCIe”, “16”; NULL: no link, or asleep */
        char *link_speed_max, *link_width_max;
} PciDetails;

/* Reads all. What the kernel would have to wake the device for is left out while it sleeps. Returns 0 or -errno. */
int pci_details_read(int root, const PciFunction *f, PciDetails *ret);

void pci_details_done(PciDetails *d);
