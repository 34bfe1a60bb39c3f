/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges USB devices: what they carry for the host, by the same facts as PCI functions. */

#include <fcntl.h>

#include "exit-status.h"
#include "root.h"
#include "sysfs.h"
#include "usb-use.h"

enum {
        DEPTH_MAX = 12, /* of directories between a device and its disk: interface, host, target, unit, “block”, disk */
};

static int refuse(int error, char **ret_why, const char *why) {
        int r = free_and_strdup(ret_why, why);

        return r < 0 ? r : -error;
}

/* Keyboards and mice are what a guest is given most. */
static bool matters(const HostUse *u) {
        return u->type != HOST_USE_INPUT;
}

static int judge_uses(const UsbDevice *d, const HostUses *uses, char **ret_why) {
        for (size_t i = 0; i < uses->n; i++) {
                const HostUse *u = &uses->items[i];

                if (!matters(u) || !path_is_within(u->path, d->path))
                        continue;
                return format(ret_why, "is in use by the host: %s; %s", u->text,
                               u->type == HOST_USE_NETWORK         ? "set the interface down first"
                               : u->type == HOST_USE_DISPLAY       ? "switch the display off first"
                                                                   : "unmount it first") < 0
                        ? -ENOMEM
                        : -E_BUSY;
        }
        return 0;
}

/* The kernel gives a block device to one only who asks with O_EXCL (open(2)), as mounting does, in whatever namespace,
 * and as device mapper does. A drive without a medium cannot be opened at all. */
static int judge_disk(int root, const char *name, char **ret_why) {
        _cleanup_(freep) char *node = NULL;
        _cleanup_(closep) int fd = -EBADF;
        int r = format(&node, "dev/%s", name);

        if (r < 0)
                return r;
        for (char *p = node; *p; p++)
                *p = *p == '!' ? '/' : *p;
        fd = root_openat(root, node, O_RDONLY | O_EXCL | O_NONBLOCK);
        if (fd != -EBUSY)
                return 0;
        return format(ret_why,
                       "is in use by the host: the kernel has %s or a part of it mounted, or something stands on it; "
                       "see lsblk",
                       name) < 0
                ? -ENOMEM
                : -E_BUSY;
}

/* Looks for the directories “block” below the device. */
static int judge_disks(int root, const char *directory, unsigned depth, char **ret_why) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, directory, NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *path = NULL, *link = NULL, *target = NULL;

                if (streq(path_name(directory), "block")) {
                        r = judge_disk(root, names[i], ret_why);
                        continue;
                }
                r = format(&path, "%s/%s", directory, names[i]);
                r = r < 0 ? r : format(&link, "sys/%s", path);
                /* Links lead out of the device, or back up; files have nothing below them. */
                if (r >= 0 && depth > 0 && root_readlink(root, link, &target) < 0)
                        r = judge_disks(root, path, depth - 1, ret_why);
        }
        strings_free(names, n);
        return r == -ENOTDIR ? 0 : r;
}

/* A program that has claimed an interface shows as the driver usbfs. */
static int judge_programs(int root, const UsbDevice *d, char **ret_why) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, d->path, NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *driver = NULL;

                if (!strchr(names[i], ':'))
                        continue;
                r = format(&link, "sys/%s/%s/driver", d->path, names[i]);
                if (r >= 0 && root_readlink_name(root, link, &driver) >= 0 && streq(driver, "usbfs"))
                        r = format(ret_why,
                                    "is in use by a program of the host; end it (see fuser -v /" USB_NODES "/%03u/%03u)",
                                    d->address.bus, d->address.number) < 0
                                ? -ENOMEM
                                : -E_BUSY;
        }
        strings_free(names, n);
        return r;
}

int usb_use_judge(int root, const UsbDevice *d, const HostUses *uses, char **ret_why) {
        int r;

        if (d->hub)
                return refuse(E_CONFIG, ret_why, "is a hub, with which all devices behind it would go; name those");
        if (!d->authorized)
                return refuse(E_BUSY, ret_why, "is not authorized on the host; allow it there first (USBGuard, or its file "
                                               "“authorized” in /sys)");
        r = judge_uses(d, uses, ret_why);
        r = r < 0 ? r : judge_programs(root, d, ret_why);
        return r < 0 ? r : judge_disks(root, d->path, DEPTH_MAX, ret_why);
}
