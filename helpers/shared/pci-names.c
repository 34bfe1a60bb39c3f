/* SPDX-License-Identifier: BSD-3-Clause */
/* Names from libpci. */

#include <pci/pci.h>

#include "exit-status.h"
#include "log.h"
#include "pci-names.h"

/* Only names are looked up, so the library is not initialized: pci_init() would look for ways to reach the hardware, and
 * end the program where it finds none. Its callbacks have to be set by hand then. */
static void ignore(char *fmt, ...) {
        (void) fmt;
}

static void fail(char *fmt, ...) __attribute__((noreturn));

static void fail(char *fmt, ...) {
        log_error_errno(EIO, "libpci cannot go on: %s.", fmt);
        exit(STATUS_FAILED);
}

char *pci_function_title(const PciFunction *f) {
        static struct pci_access *access; /* kept, because it takes milliseconds to read the list of ids */
        char buffer[256], *title;

        if (!access) {
                access = pci_alloc();
                if (!access)
                        return NULL;
                access->error = fail;
                access->warning = access->debug = ignore;
        }
        title = pci_lookup_name(access, buffer, sizeof buffer, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, f->vendor, f->device);
        return strdup(title ? title : f->name);
}
