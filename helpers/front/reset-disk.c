/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells disks apart by what they are. Looks only. */

#include <fcntl.h>
#include <limits.h>

#include "reset-disk.h"
#include "root.h"

static bool is_same(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* In a directory of somebody else's, root might be led to any file. */
static int judge_owner(int directory) {
        struct stat st;

        if (fstat(directory, &st) < 0)
                return -errno;
        return (st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & 022) == 0 ? 0 : -EPERM;
}

int reset_disk_open_directory(int root, const char *path, const char **ret_name) {
        const char *slash = strrchr(path, '/');
        _cleanup_(freep) char *parent = slash ? strndup(path, (size_t) (slash - path)) : strdup(".");
        _cleanup_(closep) int directory = -EBADF;
        struct stat st;
        int r;

        if (!parent)
                return -ENOMEM;
        *ret_name = slash ? slash + 1 : path;
        directory = root_openat_without_links(root, parent, O_PATH | O_DIRECTORY);
        if (directory < 0)
                return directory;
        if (fstatat(directory, *ret_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISLNK(st.st_mode) ? -ELOOP : -ENOENT;
        r = judge_owner(directory);
        return r < 0 ? r : TAKE_FD(directory);
}

bool reset_directory_is_below(int directory, const struct stat *top) {
        _cleanup_(closep) int fd = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat st = {}, before;

        do {
                int above;

                before = st;
                if (fd < 0 || fstat(fd, &st) < 0)
                        return false;
                if (is_same(&st, top))
                        return true;
                above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                close(fd);
                fd = above;
        } while (!is_same(&st, &before)); /* above the topmost there is only itself */
        return false;
}

/* The directory that a file is in, however it has been found. Returns a descriptor or -errno. */
static int open_directory_of(int file) {
        char link[32], path[PATH_MAX];
        ssize_t n;
        int fd;

        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        n = readlink(link, path, sizeof path - 1);
        if (n < 0)
                return -errno;
        path[n] = '\0';
        if (path[0] != '/')
                return -ENOENT;
        strrchr(path, '/')[path[1] ? 0 : 1] = '\0';
        fd = open(path[0] ? path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* directory: where the disk is. */
static bool goes_with(int root, const ResetItem *item, const struct stat *disk, int directory) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        if (item->kind == RESET_DISK)
                return item->device == disk->st_dev && item->inode == disk->st_ino;
        if (item->kind != RESET_TREE)
                return false;
        fd = root_openat(root, item->path, O_PATH | O_NOFOLLOW);
        return fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && directory >= 0 && reset_directory_is_below(directory, &st);
}

/* By its path: also one that is not there yet. */
static bool is_named(const ResetItem *item, const char *path) {
        const char *rest = item->kind == RESET_TREE || item->kind == RESET_DISK ? startswith(path, item->path) : NULL;

        return rest && (*rest == '\0' || *rest == '/');
}

static bool would_miss(int root, const Reset *l, const char *path) {
        _cleanup_(closep) int file = root_openat(root, path, O_PATH), directory = file < 0 ? file : open_directory_of(file);
        struct stat st;
        bool there = file >= 0 && fstat(file, &st) == 0;

        for (size_t i = 0; i < l->n; i++)
                if (is_named(&l->items[i], path) || (there && goes_with(root, &l->items[i], &st, directory)))
                        return true;
        return false;
}

const char *reset_find_missed(int root, const Reset *l, const Guest *other) {
        for (size_t i = 0; i < other->n_disks; i++)
                if (other->disks[i].path && would_miss(root, l, other->disks[i].path + 1))
                        return other->disks[i].path;
        return NULL;
}
