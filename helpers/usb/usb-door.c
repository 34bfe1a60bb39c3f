/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes and removes the files of /run/vxm/plug. Only root writes there. */

#include <fcntl.h>
#include <sys/stat.h>

#include "root.h"
#include "usb-door.h"

static int open_directory(int root, const char *guest) {
        _cleanup_(freep) char *path = NULL;
        int r = usb_plug_directory(guest, &path);

        return r < 0 ? r : root_openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

static int open_all(int root) {
        return root_openat(root, "run/vxm/plug", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/* The unit's umask would keep the guest's user out. */
int usb_door_open(int root, const char *guest) {
        _cleanup_(closep) int all = open_all(root), fd = -EBADF;

        if (all < 0)
                return all;
        if (mkdirat(all, guest, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(all, guest, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 || fchmod(fd, 0755) < 0 ? -errno : 0;
}

bool usb_door_is_open(int root, const char *guest) {
        _cleanup_(closep) int directory = open_directory(root, guest);

        return directory >= 0;
}

int usb_door_show(int root, const char *guest, UsbAddress address) {
        _cleanup_(closep) int directory = open_directory(root, guest), fd = -EBADF;
        char name[USB_ENTRY_SIZE];

        if (directory < 0)
                return directory;
        fd = openat(directory, usb_entry_print(address, name), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444);
        return fd < 0 ? -errno : 0;
}

int usb_door_hide(int root, const char *guest, UsbAddress address) {
        _cleanup_(closep) int directory = open_directory(root, guest);
        char name[USB_ENTRY_SIZE];

        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        return unlinkat(directory, usb_entry_print(address, name), 0) < 0 && errno != ENOENT ? -errno : 0;
}

int usb_door_close(int root, const char *guest) {
        _cleanup_(closep) int all = open_all(root), directory = open_directory(root, guest);
        _cleanup_(freep) char *path = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        r = usb_plug_directory(guest, &path);
        r = r < 0 ? r : root_list(root, path, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (unlinkat(directory, names[i], 0) < 0 && errno != ENOENT)
                        r = -errno;
        strings_free(names, n);
        if (r >= 0 && all >= 0 && unlinkat(all, guest, AT_REMOVEDIR) < 0 && errno != ENOENT)
                r = -errno;
        return r;
}
