/* SPDX-License-Identifier: BSD-3-Clause */
/* Names from udev's hwdb, which is made from libpci's list, but is searched in place: the list has to be read as a whole, and a
 * megabyte and a half takes longer than all else that vxm-bind does. libpci is loaded, and reads its list, where there is no
 * hwdb, and for another machine's names. */

#include <fcntl.h>
#include <pci/pci.h>
#include <sys/stat.h>
#include <systemd/sd-hwdb.h>

#include "exit-status.h"
#include "library.h"
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

/* ---- the hwdb ---- */

/* NULL: there is none, or it does not know the devices of PCI, of which the name of a vendor tells that no list lacks. */
static sd_hwdb *open_hwdb(void) {
        static sd_hwdb *hwdb;
        static bool tried;
        const char *vendor;

        if (tried)
                return hwdb;
        tried = true;
        if (sd_hwdb_new(&hwdb) >= 0 && sd_hwdb_get(hwdb, "pci:v00008086*", "ID_VENDOR_FROM_DATABASE", &vendor) < 0)
                hwdb = sd_hwdb_unref(hwdb);
        return hwdb;
}

/* In libpci's words. */
static char *look_up_in_hwdb(sd_hwdb *hwdb, const PciFunction *f, bool with_vendor) {
        const char *vendor = NULL, *device = NULL;
        char modalias[32], *title = NULL;
        int r;

        (void) snprintf(modalias, sizeof modalias, "pci:v%08Xd%08X*", f->vendor, f->device);
        (void) sd_hwdb_get(hwdb, modalias, "ID_VENDOR_FROM_DATABASE", &vendor);
        (void) sd_hwdb_get(hwdb, modalias, "ID_MODEL_FROM_DATABASE", &device);
        if (device)
                r = with_vendor && vendor ? format(&title, "%s %s", vendor, device) : format(&title, "%s", device);
        else if (!with_vendor)
                r = format(&title, "Device %04x", f->device);
        else
                r = vendor ? format(&title, "%s Device %04x", vendor, f->device)
                           : format(&title, "Device %04x:%04x", f->vendor, f->device);
        return r < 0 ? NULL : title;
}

/* ---- the list ---- */

static struct {
        __typeof__(pci_alloc) *alloc;
        __typeof__(pci_set_name_list_path) *set_name_list_path;
        __typeof__(pci_lookup_name) *lookup_name;
} pci;

static int load_libpci(void) {
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(pci.alloc, pci_alloc),
                LIBRARY_FUNCTION(pci.set_name_list_path, pci_set_name_list_path),
                LIBRARY_FUNCTION(pci.lookup_name, pci_lookup_name),
                {},
        };

        return library_load("libpci.so.3", functions);
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

static struct pci_access *open_list(void) {
        struct pci_access *access = load_libpci() < 0 ? NULL : pci.alloc();

        if (!access)
                return NULL;
        access->error = fail;
        access->warning = access->debug = ignore;
        if (list)
                pci.set_name_list_path(access, list, 0);
        return access;
}

static char *look_up_in_list(const PciFunction *f, bool with_vendor) {
        static struct pci_access *access; /* kept, because it takes milliseconds to read a list */
        char buffer[256], *title;

        if (!access)
                access = open_list();
        if (!access)
                return strdup(f->name);
        title = pci.lookup_name(access, buffer, sizeof buffer, PCI_LOOKUP_DEVICE | (with_vendor ? PCI_LOOKUP_VENDOR : 0), f->vendor,
                f->device);
        return strdup(title ? title : f->name);
}

static char *look_up(const PciFunction *f, bool with_vendor) {
        sd_hwdb *hwdb = list ? NULL : open_hwdb();

        return hwdb ? look_up_in_hwdb(hwdb, f, with_vendor) : look_up_in_list(f, with_vendor);
}

char *pci_function_title(const PciFunction *f) {
        return look_up(f, true);
}

char *pci_function_model(const PciFunction *f) {
        return look_up(f, false);
}
