/* SPDX-License-Identifier: BSD-3-Clause */
/* Names from udev's database, where udev has noted what its hwdb says of a device; the hwdb is made from libpci's list. libpci
 * is loaded where udev knows nothing: before it has run, without a hwdb, and for trees of other machines. */

#include <fcntl.h>
#include <libudev.h>
#include <pci/pci.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "library.h"
#include "log.h"
#include "pci-names.h"
#include "root.h"

#define LIST "usr/share/misc/pci.ids"

static bool of_this_machine; /* the functions whose names are asked for */
static char *list;           /* of another machine; NULL: libpci's own */

void pci_names_from(int root) {
        struct stat theirs, ours;
        int fd;

        of_this_machine = root_is_this_machine(root);
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

/* In libpci's words; vendor and device are NULL where there is no name. */
static char *make_title(const PciFunction *f, const char *vendor, const char *device, bool with_vendor) {
        char *title = NULL;
        int r;

        if (device)
                r = with_vendor && vendor ? format(&title, "%s %s", vendor, device) : format(&title, "%s", device);
        else if (!with_vendor)
                r = format(&title, "Device %04x", f->device);
        else
                r = vendor ? format(&title, "%s Device %04x", vendor, f->device)
                           : format(&title, "Device %04x:%04x", f->vendor, f->device);
        return r < 0 ? NULL : title;
}

/* ---- libudev ---- */

static struct {
        __typeof__(udev_new) *new;
        __typeof__(udev_device_new_from_subsystem_sysname) *device_new_from_subsystem_sysname;
        __typeof__(udev_device_get_property_value) *device_get_property_value;
        __typeof__(udev_device_unref) *device_unref;
} udev;

/* NULL: this machine has no libudev. */
static struct udev *open_udev(void) {
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(udev.new, udev_new),
                LIBRARY_FUNCTION(udev.device_new_from_subsystem_sysname, udev_device_new_from_subsystem_sysname),
                LIBRARY_FUNCTION(udev.device_get_property_value, udev_device_get_property_value),
                LIBRARY_FUNCTION(udev.device_unref, udev_device_unref),
                {},
        };
        static struct udev *context;

        if (!context && library_load("libudev.so.1", functions) >= 0)
                context = udev.new();
        return context;
}

/* Returns NULL where udev knows nothing. Each class of devices has a name, by which one sees that there was a hwdb to ask. */
static char *look_up_in_udev(const PciFunction *f, bool with_vendor) {
        struct udev *context = of_this_machine ? open_udev() : NULL;
        struct udev_device *device;
        char *title = NULL;

        device = context ? udev.device_new_from_subsystem_sysname(context, "pci", f->name) : NULL;
        if (!device)
                return NULL;
        if (udev.device_get_property_value(device, "ID_PCI_CLASS_FROM_DATABASE"))
                title = make_title(f, udev.device_get_property_value(device, "ID_VENDOR_FROM_DATABASE"),
                        udev.device_get_property_value(device, "ID_MODEL_FROM_DATABASE"), with_vendor);
        udev.device_unref(device);
        return title;
}

/* ---- libpci ---- */

static struct {
        __typeof__(pci_alloc) *alloc;
        __typeof__(pci_cleanup) *cleanup;
        __typeof__(pci_set_name_list_path) *set_name_list_path;
        __typeof__(pci_lookup_name) *lookup_name;
} pci;

static int load_libpci(void) {
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(pci.alloc, pci_alloc),
                LIBRARY_FUNCTION(pci.cleanup, pci_cleanup),
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

/* path: the list of ids; NULL: libpci's own. */
static struct pci_access *open_access(const char *path) {
        struct pci_access *access = pci.alloc();

        if (!access)
                return NULL;
        access->error = fail;
        access->warning = access->debug = ignore;
        if (path)
                pci.set_name_list_path(access, (char *) path, 0);
        return access;
}

/* Where the list has no name libpci asks the hwdb, which is searched in place: the list has to be read as a whole, and a
 * megabyte and a half takes longer than all else that vxm-bind does. So it gets an empty list, if the hwdb is there and libpci
 * was built to use it, which the name of a vendor tells that no list lacks. */
static struct pci_access *choose_access(void) {
        struct pci_access *access;
        char buffer[64];

        if (load_libpci() < 0)
                return NULL;
        if (list)
                return open_access(list);
        access = open_access("/dev/null");
        if (!access || pci.lookup_name(access, buffer, sizeof buffer, PCI_LOOKUP_VENDOR | PCI_LOOKUP_NO_NUMBERS, 0x8086))
                return access;
        pci.cleanup(access);
        return open_access(NULL);
}

static char *look_up_in_libpci(const PciFunction *f, bool with_vendor) {
        static struct pci_access *access; /* kept, because it takes milliseconds to read a list */
        char buffer[256], *title;

        if (!access)
                access = choose_access();
        if (!access)
                return make_title(f, NULL, NULL, with_vendor);
        title = pci.lookup_name(access, buffer, sizeof buffer, PCI_LOOKUP_DEVICE | (with_vendor ? PCI_LOOKUP_VENDOR : 0), f->vendor,
                f->device);
        return strdup(title ? title : f->name);
}

static char *look_up(const PciFunction *f, bool with_vendor) {
        char *title = look_up_in_udev(f, with_vendor);

        return title ? title : look_up_in_libpci(f, with_vendor);
}

char *pci_function_title(const PciFunction *f) {
        return look_up(f, true);
}

char *pci_function_model(const PciFunction *f) {
        return look_up(f, false);
}
