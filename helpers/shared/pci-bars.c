/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads BARs from sysfs (Documentation/ABI/testing/sysfs-bus-pci), and packs them as firmware does. Only reads. */

#include "pci-bars.h"
#include "root.h"

/* include/linux/ioport.h; shown in “resource”. */
enum {
        RESOURCE_IO = 0x100,
        RESOURCE_MEMORY = 0x200,
        RESOURCE_PREFETCHABLE = 0x2000,
};

/* Reads n numbers that blanks part. */
static int read_numbers(const char *s, uint64_t values[], size_t n) {
        for (size_t i = 0; i < n; i++) {
                char *end;

                errno = 0;
                values[i] = strtoull(s, &end, 16);
                if (errno > 0 || end == s || *end != (i + 1 < n ? ' ' : '\0'))
                        return -EINVAL;
                s = end + 1;
        }
        return 0;
}

/* Lines of “0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200”: start, end, flags; zeros where there is none. */
int pci_bars_read(int root, const PciFunction *f, PciBar bars[static PCI_BARS_MAX], size_t *ret_n) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        size_t n = 0;
        char *rest;
        int r;

        *ret_n = 0;
        r = format(&path, "sys/%s/resource", f->path);
        r = r < 0 ? r : root_read(root, path, &text);
        if (r < 0)
                return r == -ENOENT || r == -ENODEV || r == -EACCES ? 0 : r;
        rest = text;
        for (unsigned i = 0; i < PCI_BARS_MAX && rest; i++) {
                uint64_t value[3]; /* start, end, flags */

                r = read_numbers(strsep(&rest, "\n"), value, ELEMENTSOF(value));
                if (r < 0)
                        return r;
                if (!(value[2] & (RESOURCE_IO | RESOURCE_MEMORY)) || value[1] < value[0] || value[1] == 0)
                        continue;
                bars[n++] = (PciBar){
                        .index = i,
                        .start = value[0],
                        .size = value[1] - value[0] + 1,
                        .memory = value[2] & RESOURCE_MEMORY,
                        .prefetchable = value[2] & RESOURCE_PREFETCHABLE,
                };
        }
        *ret_n = n;
        return 0;
}

/* Firmware lays out what needs the coarsest alignment first (edk2, MdeModulePkg/Bus/Pci/PciBusDxe). */
static int compare_slots(const void *a, const void *b) {
        const PciSlotSpace *x = a, *y = b;

        if (x->alignment != y->alignment)
                return x->alignment < y->alignment ? 1 : -1;
        return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

uint64_t pci_window_size(PciSlotSpace slots[], size_t n) {
        uint64_t end = 0;

        if (n > 0)
                qsort(slots, n, sizeof *slots, compare_slots);
        for (size_t i = 0; i < n; i++) {
                uint64_t start;

                if (slots[i].size == 0)
                        continue;
                if (__builtin_add_overflow(end, slots[i].alignment - 1, &start))
                        return UINT64_MAX;
                start &= ~(slots[i].alignment - 1);
                if (__builtin_add_overflow(start, slots[i].size, &end) || end > UINT64_C(1) << 62)
                        return UINT64_MAX;
        }
        return end;
}

/* Adds what a function's prefetchable BARs take. Their sizes are powers of two, so that sorted they leave no gap. */
static int add_function(int root, const PciFunction *f, PciSlotSpace *slot) {
        PciBar bars[PCI_BARS_MAX];
        size_t n;
        int r;

        r = pci_bars_read(root, f, bars, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                uint64_t size = bars[i].size;

                if (!bars[i].memory || !bars[i].prefetchable || bars[i].index > 5)
                        continue;
                if ((size & (size - 1)) != 0 || __builtin_add_overflow(slot->size, size, &slot->size))
                        return -EINVAL;
                slot->alignment = slot->alignment > size ? slot->alignment : size;
        }
        return r;
}

int pci_window_needed(int root, const GuestFunctions *functions, uint64_t *ret) {
        _cleanup_(freep) PciSlotSpace *slots = calloc(functions->n + 1, sizeof *slots);
        size_t n = 0;
        int r = 0;

        if (!slots)
                return -ENOMEM;
        for (size_t i = 0; r >= 0 && i < functions->n; i++) {
                const PciFunction *f = &functions->items[i].pci;

                if (i > 0 && !pci_same_slot(functions->items[i - 1].pci.address, f->address))
                        n++;
                r = add_function(root, f, &slots[n]);
        }
        if (r < 0)
                return r;
        *ret = pci_window_size(slots, n + 1);
        return 0;
}
