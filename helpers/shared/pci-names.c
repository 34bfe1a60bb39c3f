/* SPDX-License-Identifier: BSD-3-Clause */
/* Names from libpci. */

#include <pci/pci.h>

#include "pci-names.h"

char *pci_function_title(const PciFunction *f) {
        struct pci_access *access = pci_alloc();
        char buffer[256], *title;

        if (!access)
                return NULL;
        title = pci_lookup_name(access, buffer, sizeof buffer, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, f->vendor, f->device);
        title = strdup(title ? title : f->name);
        pci_cleanup(access);
        return title;
}
