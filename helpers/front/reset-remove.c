/* SPDX-License-Identifier: BSD-3-Clause */
/* Removes what reset_find() has found. Follows no link, and goes into no other file system; what is not any more what was shown stays. */

#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "alias.h"
#include "log.h"
#include "reset-disk.h"
#include "reset-remove.h"
#include "root.h"

#define USERDEL "/usr/sbin/userdel"

enum {
        DEPTH_MAX = 16, /* of directories; there are two */
};

/* What is mounted there is EBUSY, which elsewhere means that a retry may help. */
static int remove_name(int directory, const char *name, int flags) {
        if (unlinkat(directory, name, flags) == 0 || errno == ENOENT)
                return 0;
        return errno == EBUSY ? -EXDEV : -errno;
}

static int remove_tree(int directory, const char *name, dev_t device, unsigned depth);

static int remove_entries(int fd, dev_t device, unsigned depth) {
        DIR *d = fdopendir(fd);
        int first = 0;

        if (!d) {
                close(fd);
                return -errno;
        }
        for (struct dirent *entry; (entry = readdir(d));) {
                int r;

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = remove_tree(dirfd(d), entry->d_name, device, depth + 1);
                first = first < 0 ? first : r;
        }
        closedir(d);
        return first;
}

/* A bind mount may be of the same file system. Kernels before 5.8 do not tell, but what is mounted there is not removed itself. */
static bool is_mounted_on(int directory, const char *name) {
        struct statx st;

        return statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* Returns 1: the directory itself is a mount point, and is empty now; 0; -EXDEV: another file system is there; -EMLINK: too deep; -errno. */
static int remove_tree(int directory, const char *name, dev_t device, unsigned depth) {
        struct stat st;
        int fd, r;

        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode))
                return remove_name(directory, name, 0);
        if (st.st_dev != device || (depth > 0 && is_mounted_on(directory, name)))
                return -EXDEV;
        if (depth > DEPTH_MAX)
                return -EMLINK;
        fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : remove_entries(fd, device, depth);
        if (r < 0)
                return r;
        r = remove_name(directory, name, AT_REMOVEDIR);
        return r == -EXDEV && depth == 0 ? 1 : r;
}

/* Returns a descriptor or -errno. */
static int open_parent(int root, const char *path, const char **ret_name) {
        const char *slash = strrchr(path, '/');
        _cleanup_(freep) char *parent = strndup(path, (size_t) (slash - path));

        *ret_name = slash + 1;
        return parent ? root_openat(root, parent, O_RDONLY | O_DIRECTORY) : -ENOMEM;
}

static int remove_all_of(int root, const ResetItem *item) {
        const char *name;
        _cleanup_(closep) int directory = open_parent(root, item->path, &name);
        struct stat st;
        int r;

        if (directory < 0)
                return directory;
        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        r = remove_tree(directory, name, st.st_dev, 0);
        return r > 0 ? log_info("/%s is a mount point, and stays, empty.", item->path) : r;
}

/* Its directory may be somebody's home: whatever else has taken the link's place is not ours. */
static int remove_link(int root, const ResetItem *item) {
        const char *name;
        _cleanup_(closep) int directory = open_parent(root, item->path, &name);
        _cleanup_(freep) char *target = directory < 0 ? NULL : alias_target(directory, name);

        return directory < 0 ? directory : target ? remove_name(directory, name, 0) : 0;
}

/* The file that has been shown, by the directory that has been judged, and nothing else. */
static int remove_disk(int root, const ResetItem *item) {
        const char *name;
        _cleanup_(closep) int directory = reset_disk_open_directory(root, item->path, &name);
        struct stat st;

        if (directory < 0)
                return directory == -ELOOP || directory == -EPERM ? -ESTALE : directory;
        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return st.st_dev == item->device && st.st_ino == item->inode ? remove_name(directory, name, 0) : -ESTALE;
}

static int remove_user(const char *user) {
        char *const argv[] = { (char *) "userdel", (char *) user, NULL }, *const environment[] = { NULL };
        int status, r;
        pid_t pid;

        r = posix_spawn(&pid, USERDEL, NULL, NULL, argv, environment);
        if (r > 0)
                return log_error_errno(r, "Cannot run " USERDEL ": %s; user %s stays.", strerror(r), user);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : log_error_errno(EIO, "userdel failed, and has said why; user %s stays.", user);
}

static const char *explain(int r) {
        switch (-r) {
        case EXDEV:
                return "something else is mounted below it, or a subvolume is there; unmount or remove that";
        case EMLINK:
                return "directories are nested too deep; look there, and remove it yourself";
        case ESTALE:
                return "it is not what has been shown any more; look at it, then try again";
        default:
                return strerror(-r);
        }
}

int reset_remove(int root, const ResetItem *item) {
        int r;

        switch (item->kind) {
        case RESET_USER:
                return remove_user(item->path);
        case RESET_LINK:
                r = remove_link(root, item);
                break;
        case RESET_DISK:
                r = remove_disk(root, item);
                break;
        default:
                r = remove_all_of(root, item);
        }
        return r < 0 && r != -ENOENT ? log_error_errno(r, "Cannot remove /%s: %s.", item->path, explain(r)) : 0;
}
