/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes and removes these directories and files. Only root writes there. */

#include <fcntl.h>
#include <sys/stat.h>

#include "door.h"
#include "root.h"

int door_path(const char *kind, const char *guest, char **ret) {
        return format(ret, "run/vxm/%s/%s", kind, guest);
}

static int open_directory(int root, const char *kind, const char *guest) {
        _cleanup_(freep) char *path = NULL;
        int r = door_path(kind, guest, &path);

        return r < 0 ? r : root_openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

static int open_all(int root, const char *kind) {
        _cleanup_(freep) char *path = NULL;
        int r = format(&path, "run/vxm/%s", kind);

        return r < 0 ? r : root_openat(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

static int empty(int root, const char *kind, const char *guest, int directory) {
        _cleanup_(freep) char *path = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        r = door_path(kind, guest, &path);
        r = r < 0 ? r : root_list(root, path, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (unlinkat(directory, names[i], 0) < 0 && errno != ENOENT)
                        r = -errno;
        strings_free(names, n);
        return r;
}

/* The unit's umask would keep the guest's user out. */
int door_open(int root, const char *kind, const char *guest) {
        _cleanup_(closep) int all = open_all(root, kind), fd = -EBADF;

        if (all < 0)
                return all;
        if (mkdirat(all, guest, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(all, guest, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, 0755) < 0)
                return -errno;
        return empty(root, kind, guest, fd); /* of what a killed run has left */
}

bool door_is_open(int root, const char *kind, const char *guest) {
        _cleanup_(closep) int directory = open_directory(root, kind, guest);

        return directory >= 0;
}

int door_show(int root, const char *kind, const char *guest, const char *entry) {
        _cleanup_(closep) int directory = open_directory(root, kind, guest), fd = -EBADF;

        if (directory < 0)
                return directory;
        fd = openat(directory, entry, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444);
        return fd < 0 ? -errno : 0;
}

int door_hide(int root, const char *kind, const char *guest, const char *entry) {
        _cleanup_(closep) int directory = open_directory(root, kind, guest);

        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        return unlinkat(directory, entry, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int door_close(int root, const char *kind, const char *guest) {
        _cleanup_(closep) int all = open_all(root, kind), directory = open_directory(root, kind, guest);
        int r;

        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        r = empty(root, kind, guest, directory);
        if (r >= 0 && all >= 0 && unlinkat(all, guest, AT_REMOVEDIR) < 0 && errno != ENOENT)
                r = -errno;
        return r;
}
