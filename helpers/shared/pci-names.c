/* SPDX-License-Identifier: BSD-3-Clause */
/* Names from libpci. */

#include <fcntl.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "log.h"
#include "pci-names.h"
#include "root.h"

#define LIST "usr/share/misc/pci.ids"

static char *list; /* of another machine; NULL: libpci's own */

void pci_names_from(int root) {
        struct stat theirs, ours;
        int fd;

        if (list)
                return;
        fd = root_openat(root, LIST, O_RDONLY | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return;
        if (fstat(fd, &theirs) < 0 || !S_ISREG(theirs.st_mode) ||
            (stat("/" LIST, &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) ||
            format(&list, "/proc/self/fd/%d", fd) < 0)
                close(fd);
        /* Else it stays open: libpci opens the list by its name when it needs it. */
}

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

static char *look_up(const PciFunction *f, int what) {
        static struct pci_access *access; /* kept, because it takes milliseconds to read the list of ids */
        char buffer[256], *title;

        if (!access) {
                access = pci_alloc();
                if (!access)
                        return NULL;
                access->error = fail;
                access->warning = access->debug = ignore;
                if (list)
                        pci_set_name_list_path(access, list, 0);
        }
        title = pci_lookup_name(access, buffer, sizeof buffer, what, f->vendor, f->device);
        return strdup(title ? title : f->name);
}

char *pci_function_title(const PciFunction *f) {
        return look_up(f, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE);
}

char *pci_function_model(const PciFunction *f) {
        return look_up(f, PCI_LOOKUP_DEVICE);
}
