/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The BARs of a PCI function, as sysfs tells them, and how much address space a guest needs for those of all its
 * functions. */

#include "devices.h"

enum {
        PCI_BARS_MAX = 7, /* six, and the expansion ROM */
};

typedef struct PciBar {
        unsigned index; /* 0 … 5; 6: the expansion ROM */
        uint64_t start, size; /* bytes; start may be 0 for BARs that have no address yet */
        bool memory;    /* else I/O ports */
        bool prefetchable;
        uint64_t sizes; /* Resizable BAR: bit n is set when it can be 2^n MiB; 0: it cannot be resized, or not known */
} PciBar;

/* Reads the BARs, without what they can be resized to, into bars. A function without “resource” has none. Returns 0 or
 * -errno; -EINVAL: “resource” is not as the kernel writes it. */
int pci_bars_read(int root, const PciFunction *f, PciBar bars[static PCI_BARS_MAX], size_t *ret_n);

typedef struct PciSlotSpace {
        uint64_t size;      /* bytes: of all the BARs in it */
        uint64_t alignment; /* bytes: of the largest */
} PciSlotSpace;

/* How many bytes of addresses n slots take, each behind a bridge of its own, the gaps between them included, if the
 * first address is aligned for all. Sorts slots, as firmware does. UINT64_MAX: no addresses are enough. */
uint64_t pci_window_size(PciSlotSpace slots[], size_t n);

/* The same for what a guest gets: all prefetchable BARs, which are those that a bridge lets lie above 4 GiB. Returns 0
 * or -errno. */
int pci_window_needed(int root, const GuestFunctions *functions, uint64_t *ret);
