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

/* path: the list of ids; NULL: libpci's own. */
static struct pci_access *open_access(const char *path) {
        struct pci_access *access = pci_alloc();

        if (!access)
                return NULL;
        access->error = fail;
        access->warning = access->debug = ignore;
        if (path)
                pci_set_name_list_path(access, (char *) path, 0);
        return access;
}

/* Where the list has no name libpci asks udev's hwdb, which is made from the same list, but is searched in place: the list
 * has to be read as a whole, and a megabyte and a half takes longer than all else that vxm-bind does. So it gets an empty
 * list, if the hwdb is there and libpci was built to use it, which the name of a vendor tells that no list lacks. */
static struct pci_access *choose_access(void) {
        struct pci_access *access;
        char buffer[64];

        if (list)
                return open_access(list);
        access = open_access("/dev/null");
        if (!access || pci_lookup_name(access, buffer, sizeof buffer, PCI_LOOKUP_VENDOR | PCI_LOOKUP_NO_NUMBERS, 0x8086))
                return access;
        pci_cleanup(access);
        return open_access(NULL);
}

static char *look_up(const PciFunction *f, int what) {
        static struct pci_access *access; /* kept, because it takes milliseconds to read a list */
        char buffer[256], *title;

        if (!access)
                access = choose_access();
        if (!access)
                return NULL;
        title = pci_lookup_name(access, buffer, sizeof buffer, what, f->vendor, f->device);
        return strdup(title ? title : f->name);
}

char *pci_function_title(const PciFunction *f) {
        return look_up(f, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE);
}

char *pci_function_model(const PciFunction *f) {
        return look_up(f, PCI_LOOKUP_DEVICE);
}
