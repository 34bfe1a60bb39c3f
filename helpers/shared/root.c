/* SPDX-License-Identifier: BSD-3-Clause */
/* File access below the root handle. */

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "root.h"

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

int root_open(const char *path) {
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

bool root_is_this_machine(int root) {
        static struct stat real; /* nobody moves it under us */
        struct stat ours;

        if (real.st_ino == 0 && stat("/", &real) < 0)
                return false;
        return fstat(root, &ours) == 0 && ours.st_dev == real.st_dev && ours.st_ino == real.st_ino;
}

/* glibc has no wrapper for openat2(2) before 2.41. */
static int openat_in_root(int root, const char *path, int flags, uint64_t resolve) {
        struct open_how how = {
                .flags = (uint64_t) (flags | O_CLOEXEC),
                .resolve = RESOLVE_IN_ROOT | resolve,
        };
        long fd;

        do
                fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        while (fd < 0 && (errno == EINTR || errno == EAGAIN));
        return fd < 0 ? -errno : (int) fd;
}

/* systemd's RestrictSUIDSGID= makes openat2(2) fail with ENOSYS, because a seccomp filter cannot look into its arguments.
 * Below "/" itself openat(2) resolves paths to the same files. */
static int openat_without_openat2(int root, const char *path, int flags) {
        int fd;

        if (!root_is_this_machine(root))
                return -ENOSYS;
        fd = openat(root, path, flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int root_openat(int root, const char *path, int flags) {
        static bool without; /* a filter stays */
        int fd = without ? -ENOSYS : openat_in_root(root, path, flags, 0);

        without |= fd == -ENOSYS;
        return without ? openat_without_openat2(root, path, flags) : fd;
}

int root_openat_without_links(int root, const char *path, int flags) {
        return openat_in_root(root, path, flags, RESOLVE_NO_SYMLINKS);
}

/* Reads the file behind a descriptor, which it takes; one that is an error is returned. */
static int read_text(int file, char **ret) {
        _cleanup_(closep) int fd = file;
        _cleanup_(freep) char *text = NULL;
        size_t n;
        int r;

        if (fd < 0)
                return fd;
        r = read_full(fd, ROOT_FILE_MAX, &text, &n);
        if (r < 0)
                return r;

        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}

int root_read(int root, const char *path, char **ret) {
        return read_text(root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK), ret);
}

int directory_read(int directory, const char *entry, char **ret) {
        int fd = openat(directory, entry, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

        return read_text(fd < 0 ? -errno : fd, ret);
}

static int parse_number_of_file(const char *text, uint64_t *ret) {
        unsigned long long value;
        char *end;

        errno = 0;
        value = strtoull(text, &end, 0);
        if (errno > 0 || end == text || *end != '\0' || *text == '-')
                return -EINVAL;
        *ret = value;
        return 0;
}

int root_read_number(int root, const char *path, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = root_read(root, path, &text);

        return r < 0 ? r : parse_number_of_file(text, ret);
}

int directory_read_number(int directory, const char *entry, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = directory_read(directory, entry, &text);

        return r < 0 ? r : parse_number_of_file(text, ret);
}

int root_write(int root, const char *path, const char *value) {
        _cleanup_(closep) int fd = -EBADF;
        ssize_t n;

        fd = root_openat(root, path, O_WRONLY | O_NOCTTY);
        if (fd < 0)
                return fd;

        /* Not repeated after EINTR: a sysfs write enters a driver, and what it has begun is unknown. */
        n = write(fd, value, strlen(value));
        if (n < 0)
                return -errno;
        return (size_t) n == strlen(value) ? 0 : -EIO;
}

static int read_link(int directory, const char *entry, char **ret) {
        char target[PATH_MAX];
        ssize_t n;
        char *s;

        n = readlinkat(directory, entry, target, sizeof target);
        if (n < 0)
                return -errno;
        if ((size_t) n >= sizeof target)
                return -ENAMETOOLONG;

        s = strndup(target, (size_t) n);
        if (!s)
                return -ENOMEM;
        *ret = s;
        return 0;
}

static int name_in_link(const char *target, char **ret) {
        const char *slash = strrchr(target, '/');

        return free_and_strdup(ret, slash ? slash + 1 : target);
}

int root_readlink(int root, const char *path, char **ret) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
        int r;

        if (fd < 0)
                return fd;
        r = read_link(fd, "", ret);
        return r == -ENOENT ? -EINVAL : r; /* ENOENT with "" means: not a link */
}

int root_readlink_name(int root, const char *path, char **ret) {
        _cleanup_(freep) char *target = NULL;
        int r = root_readlink(root, path, &target);

        return r < 0 ? r : name_in_link(target, ret);
}

int directory_readlink_name(int directory, const char *entry, char **ret) {
        _cleanup_(freep) char *target = NULL;
        int r = read_link(directory, entry, &target);

        return r < 0 ? r : name_in_link(target, ret);
}

bool root_exists(int root, const char *path) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);

        return fd >= 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

char **strings_free(char **strings, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(strings[i]);
        free(strings);
        return NULL;
}

int root_list(int root, const char *path, char ***ret, size_t *ret_n) {
        _cleanup_(closedirp) DIR *d = NULL;
        char **names = NULL;
        size_t n = 0;
        int fd, r;

        fd = root_openat(root, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                close(fd);
                return r;
        }

        for (;;) {
                struct dirent *entry;
                char **slot;

                errno = 0;
                entry = readdir(d);
                if (!entry) {
                        r = -errno;
                        break;
                }
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;

                slot = ARRAY_GROW(names, n);
                if (!slot || !(*slot = strdup(entry->d_name))) {
                        r = -ENOMEM;
                        break;
                }
                n++;
        }
        if (r < 0) {
                strings_free(names, n);
                return r;
        }

        if (n > 0)
                qsort(names, n, sizeof *names, compare_strings);
        *ret = names;
        *ret_n = n;
        return 0;
}
