/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes are looked at and changed by O_PATH descriptors: they are the device's own, whatever happens to the name.
 *
 * The owner of a node may change its mode and its list, so the way back sets all of them, the owner first. Drivers:
 * what libusb detaches (USBDEVFS_DISCONNECT), it attaches again in the end; a QEMU that is killed does not, and usbfs
 * leaves the interfaces without a driver then. A guest can choose another configuration, too. */

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "guarded.h"
#include "root.h"
#include "sysfs.h"
#include "usb-loan.h"

#define ACL_ATTRIBUTE "system.posix_acl_access"
#define WRITE_DEADLINE UINT64_C(20000000) /* µs; a driver that looks at a slow device takes some seconds */

enum {
        USB_MAJOR = 189, /* Documentation/admin-guide/devices.txt */
        ACL_BYTES_MAX = 2048,
        FD_PATH_SIZE = 32,
};

static int open_node(int root, UsbAddress address, struct stat *ret) {
        char node[USB_NODE_SIZE];
        _cleanup_(closep) int fd = root_openat(root, usb_node_print(address, node) + 1, O_PATH | O_NOFOLLOW);

        if (fd < 0)
                return fd;
        if (fstat(fd, ret) < 0)
                return -errno;
        /* The kernel's numbers follow from bus and number, see usb_new_device(). A captured tree has plain files. */
        if (root_is_this_machine(root) &&
                (!S_ISCHR(ret->st_mode) ||
                        ret->st_rdev != makedev(USB_MAJOR, (address.bus - 1) * 128 + address.number - 1)))
                return -ENOENT;
        return TAKE_FD(fd);
}

/* An O_PATH descriptor's attributes are reached through /proc. */
static const char *path_of(int fd, char buffer[static FD_PATH_SIZE]) {
        (void) snprintf(buffer, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
        return buffer;
}

/* *ret becomes NULL where there is none, or the file system has no such lists. */
static int read_acl(int fd, char **ret) {
        unsigned char list[ACL_BYTES_MAX];
        _cleanup_(freep) char *text = NULL;
        char path[FD_PATH_SIZE];
        ssize_t n = getxattr(path_of(fd, path), ACL_ATTRIBUTE, list, sizeof list);

        if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
                return -errno;
        if (n > 0) {
                text = malloc((size_t) n * 2 + 1);
                if (!text)
                        return -ENOMEM;
                for (ssize_t i = 0; i < n; i++)
                        (void) sprintf(text + 2 * i, "%02x", list[i]);
        }
        *ret = TAKE_PTR(text);
        return 0;
}

static unsigned digit(char c) {
        return (unsigned) (c <= '9' ? c - '0' : c - 'a' + 10);
}

static int write_acl(int fd, const char *text) {
        unsigned char list[ACL_BYTES_MAX];
        size_t n = text ? strlen(text) / 2 : 0;
        char path[FD_PATH_SIZE];

        if (n > sizeof list)
                return -E2BIG;
        for (size_t i = 0; i < n; i++)
                list[i] = (unsigned char) (digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
        if (n > 0)
                return setxattr(path_of(fd, path), ACL_ATTRIBUTE, list, n, 0) < 0 ? -errno : 0;
        return removexattr(path_of(fd, path), ACL_ATTRIBUTE) < 0 && errno != ENODATA && errno != EOPNOTSUPP ? -errno : 0;
}

/* ---- how it is ---- */

/* The name of an interface's driver; NULL: it has none. */
static int read_driver(int root, const char *interface, char **ret) {
        _cleanup_(freep) char *link = NULL;
        int r = format(&link, "sys/bus/usb/devices/%s/driver", interface);

        *ret = NULL;
        r = r < 0 ? r : root_readlink_name(root, link, ret);
        return r == -ENOENT ? 0 : r;
}

static int note_interfaces(int root, const UsbDevice *d, UsbLoan *loan) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, d->path, NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *rest = startswith(names[i], d->name);
                _cleanup_(freep) char *driver = NULL;

                if (!rest || *rest != ':')
                        continue;
                r = read_driver(root, names[i], &driver);
                if (r >= 0 && driver)
                        r = usb_loan_add_interface(loan, names[i], driver);
        }
        strings_free(names, n);
        return r;
}

/* Empty where the device is in none. */
static unsigned read_configuration(int root, const char *port) {
        _cleanup_(freep) char *path = NULL, *text = NULL;

        if (format(&path, "sys/bus/usb/devices/%s/bConfigurationValue", port) < 0 || root_read(root, path, &text) < 0)
                return 0;
        return (unsigned) strtoul(text, NULL, 10) & UINT8_MAX;
}

int usb_loan_note(int root, const UsbDevice *d, UsbLoan *ret) {
        _cleanup_(usb_loan_done) UsbLoan loan = { .vendor = d->vendor, .product = d->product, .address = d->address };
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        int r;

        (void) snprintf(loan.port, sizeof loan.port, "%s", d->name);
        fd = open_node(root, d->address, &st);
        if (fd < 0)
                return fd;
        loan.uid = st.st_uid;
        loan.gid = st.st_gid;
        loan.mode = st.st_mode & 07777;
        loan.configuration = read_configuration(root, d->name);
        r = read_acl(fd, &loan.acl);
        r = r < 0 ? r : note_interfaces(root, d, &loan);
        if (r < 0)
                return r;
        *ret = loan;
        loan = (UsbLoan){};
        return 0;
}

int usb_loan_give(int root, const UsbLoan *loan, uid_t uid) {
        struct stat st;
        _cleanup_(closep) int fd = open_node(root, loan->address, &st);
        char path[FD_PATH_SIZE];
        int r;

        if (fd < 0)
                return fd;
        /* Nobody else's, whomever mode and list let in before. With a list, the group's bits are its mask. */
        r = write_acl(fd, NULL);
        if (r >= 0 && (chmod(path_of(fd, path), 0600) < 0 || fchownat(fd, "", uid, (gid_t) -1, AT_EMPTY_PATH) < 0))
                r = -errno;
        return r;
}

int usb_loan_is_held(int root, const UsbLoan *loan, uid_t uid) {
        struct stat st;
        _cleanup_(closep) int fd = open_node(root, loan->address, &st);

        return fd == -ENOENT ? 0 : fd < 0 ? fd : st.st_uid == uid;
}

/* ---- the way back ---- */

static int return_node(int fd, const struct stat *st, const UsbLoan *loan) {
        _cleanup_(freep) char *acl = NULL;
        char path[FD_PATH_SIZE];
        int r;

        if ((st->st_uid != loan->uid || st->st_gid != loan->gid) &&
                fchownat(fd, "", loan->uid, loan->gid, AT_EMPTY_PATH) < 0)
                return -errno;
        r = read_acl(fd, &acl);
        if (r >= 0 && !streq_ptr(acl, loan->acl))
                r = write_acl(fd, loan->acl);
        /* With a list, the group's bits are its mask, so the mode comes last. */
        if (r >= 0 && chmod(path_of(fd, path), loan->mode) < 0)
                r = -errno;
        return r;
}

typedef struct Write {
        int root;
        const char *path, *value;
} Write;

/* One that is stuck must not keep the records' lock, which it has inherited: nothing but the root stays open. */
static int write_value(void *userdata) {
        const Write *w = userdata;

        if ((w->root > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, (unsigned) w->root - 1, 0) < 0) ||
                close_range((unsigned) w->root + 1, UINT_MAX, 0) < 0)
                return -errno;
        return root_write(w->root, w->path, w->value);
}

/* A driver's probe may take long, or never come back. */
static int write_guarded(int root, const char *path, const char *value) {
        Write w = { root, path, value };
        GuardedStuck stuck = {};

        return guarded_short_call(write_value, &w, WRITE_DEADLINE, &stuck);
}

/* Whom the list lets in may have gone meanwhile, and others come: udev sees to it, as if the device had just come. The
 * identifier tells this event from those of the kernel (Documentation/ABI/testing/sysfs-uevent). */
static int tell_udev(int root, const UsbLoan *loan) {
        _cleanup_(freep) char *path = NULL;

        if (format(&path, "sys/bus/usb/devices/%s/uevent", loan->port) < 0)
                return -ENOMEM;
        return write_guarded(root, path, "change 5d1cd2c4-7b0f-4c39-9a43-6c0f3d3f6f0e");
}

static int return_configuration(int root, const UsbLoan *loan) {
        _cleanup_(freep) char *path = NULL;
        char value[16];

        if (loan->configuration == 0 || read_configuration(root, loan->port) == loan->configuration)
                return 0;
        (void) snprintf(value, sizeof value, "%u", loan->configuration);
        if (format(&path, "sys/bus/usb/devices/%s/bConfigurationValue", loan->port) < 0)
                return -ENOMEM;
        return write_guarded(root, path, value);
}

/* The kernel says that a probe went well whoever took the interface, or nobody. */
static int return_driver(int root, const UsbInterface *interface) {
        _cleanup_(freep) char *driver = NULL, *after = NULL;
        int r = read_driver(root, interface->name, &driver);

        if (r < 0 || driver)
                return r;
        r = write_guarded(root, "sys/bus/usb/drivers_probe", interface->name);
        r = r < 0 ? r : read_driver(root, interface->name, &after);
        return r < 0 ? r : after ? 0 : -ENXIO;
}

/* Is it that device, and not one that has come to its place? Returns 1, 0 or -errno. */
static int is_there(int root, const UsbLoan *loan) {
        _cleanup_(usb_devices_done) UsbDevices devices = {};
        const UsbDevice *d;
        int r = usb_devices_read(root, &devices);

        d = r < 0 ? NULL : usb_devices_find(&devices, loan->address);
        return r < 0 ? r : d && usb_loan_is_of(loan, d);
}

/* The first error, and what it came of. Where one write has not come back, none follows, and nothing is read that the same
 * lock may guard. */
typedef struct Outcome {
        int error;
        const char *step;
        bool stuck;
} Outcome;

static void note_outcome(Outcome *o, int r, const char *step) {
        o->stuck = o->stuck || r == -ETIMEDOUT;
        if (r >= 0 || o->error < 0)
                return;
        o->error = r;
        o->step = step;
}

int usb_loan_return(int root, const UsbLoan *loan, const char **ret_step) {
        _cleanup_(closep) int fd = -EBADF;
        Outcome o = {};
        struct stat st;
        int r;

        *ret_step = "find it";
        r = is_there(root, loan);
        if (r <= 0)
                return r;
        fd = open_node(root, loan->address, &st);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        note_outcome(&o, return_node(fd, &st, loan), "give its node back");
        note_outcome(&o, tell_udev(root, loan), "have udev look at it");
        if (!o.stuck)
                note_outcome(&o, return_configuration(root, loan), "choose its configuration again");
        for (size_t i = 0; !o.stuck && i < loan->n_interfaces; i++)
                note_outcome(&o, return_driver(root, &loan->interfaces[i]), "have its driver bound again");
        if (o.error < 0)
                *ret_step = o.step;
        if (o.error < 0 && !o.stuck && is_there(root, loan) == 0)
                return 0; /* pulled out just now */
        return o.error < 0 ? o.error : 1;
}
