/* SPDX-License-Identifier: BSD-3-Clause */
/* Resolves and judges the devices of a guest. Only reads. */

#include <stdarg.h>

#include "devices.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"

static int refuse(const PciFunction *f, int error, const char *fmt, ...) _printf_(3, 4);

static int refuse(const PciFunction *f, int error, const char *fmt, ...) {
        _cleanup_(freep) char *reason = NULL;
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&reason, fmt, ap);
        va_end(ap);
        if (r < 0) {
                reason = NULL;
                return log_oom();
        }
        return log_event_errno(error, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name), "%s %s", f->name, reason);
}

static bool is_member(const PciFunctions *l, const PciFunction *f) {
        for (size_t i = 0; i < l->n; i++)
                if (pci_address_equal(l->items[i].address, f->address))
                        return true;
        return false;
}

/* PCI bridges do no DMA of their own; other bridges (ISA, host) are in nobody's way as long as no driver uses them. */
static bool stays_with_host(const PciFunction *f) {
        return pci_is_bridge(f) && (f->class_code >> 8 == 0x0604 || !f->driver);
}

/* The kernel lets a guest have a device only if all of its IOMMU group is the guest's, bridges excepted
 * (Documentation/driver-api/vfio.rst). */
static int judge_group(int root, const PciFunction *f, const PciFunctions *ours) {
        _cleanup_(pci_functions_done) PciFunctions members = {};
        int r;

        if (f->group < 0)
                return refuse(f, E_LACKS,
                        pci_iommu_is_on(root)
                                ? "is in no IOMMU group, so it cannot be given to a guest; try another slot."
                                : "cannot be given to a guest while the IOMMU is off; turn on VT-d or AMD-Vi in the "
                                  "firmware setup, boot with intel_iommu=on or amd_iommu=on, then look into "
                                  "/sys/kernel/iommu_groups.");

        r = pci_read_group(root, f->group, &members);
        if (r < 0)
                return log_error_errno(r, "Cannot read IOMMU group %d: %s.", f->group, strerror(-r));

        for (size_t i = 0; i < members.n; i++) {
                const PciFunction *m = &members.items[i];

                if (!stays_with_host(m) && !is_member(ours, m))
                        return refuse(f, E_LACKS,
                                "shares IOMMU group %d with %s (driver %s), which would be lost to the host; move the card "
                                "to a slot with a group of its own.",
                                f->group, m->name, m->driver ? m->driver : "none");
        }
        return 0;
}

/* Judges a slot by all of its functions, as they go together: named is the one that the guest file names. */
static int judge_slot(const Guest *g, const PciFunctions *slot, const PciFunction *named) {
        for (size_t i = 0; i < slot->n; i++)
                if (slot->items[i].boot_vga)
                        return refuse(&slot->items[i], E_CONFIG,
                                "is the GPU this machine boots on; the host would go dark. Name another one in [GPU] Device= "
                                "of %s.",
                                g->file);
        if (!pci_is_gpu(named))
                return refuse(named, E_CONFIG, "is no GPU (class %06x); correct [GPU] Device= in %s.", named->class_code,
                        g->file);
        return 0;
}

/* Appends all functions of the slot that one Device= names. */
static int collect_slot(int root, const Guest *g, PciAddress address, PciFunctions *all) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        char text[PCI_ADDRESS_TEXT];
        const PciFunction *named = NULL;
        int r;

        r = pci_read_slot(root, address, &slot);
        if (r < 0)
                return log_error_errno(r, "Cannot read PCI slot %s: %s.", pci_address_format(address, text), strerror(-r));
        for (size_t i = 0; i < slot.n; i++)
                if (pci_address_equal(slot.items[i].address, address))
                        named = &slot.items[i];
        if (!named)
                return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED,
                        FIELDS("VXM_DEVICE", pci_address_format(address, text)),
                        "There is no PCI device %s in this machine; see `lspci -D`, then correct [GPU] Device= in %s.",
                        pci_address_format(address, text), g->file);
        r = judge_slot(g, &slot, named);
        if (r < 0)
                return r;

        for (size_t i = 0; i < slot.n; i++) {
                PciFunction *f;

                if (pci_is_bridge(&slot.items[i]))
                        continue;
                f = ARRAY_GROW(all->items, all->n);
                if (!f)
                        return log_oom();
                *f = slot.items[i];
                all->n++;
                slot.items[i] = (PciFunction){};
        }
        return 0;
}

int guest_devices_find(int root, const Guest *g, PciFunctions *ret) {
        _cleanup_(pci_functions_done) PciFunctions all = {};

        for (size_t i = 0; i < g->n_gpus; i++) {
                int r = collect_slot(root, g, g->gpus[i], &all);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < all.n; i++) {
                int r = judge_group(root, &all.items[i], &all);

                if (r < 0)
                        return r;
        }
        *ret = all;
        all = (PciFunctions){};
        return 0;
}
