/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of undo records. */

#include <fcntl.h>
#include <sys/file.h>

#include "parse.h"
#include "record-file.h"
#include "root.h"

enum {
        PATH_SIZE = 96, /* kinds and guests have short names */
};

static int open_directory(int root, const char *kind, int flags) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof path, "run/vxm/%s", kind);
        return root_openat(root, path, flags | O_DIRECTORY);
}

/* What becomes a record when it is whole. */
static const char *temporary_name(char buffer[static PATH_SIZE], const char *guest) {
        (void) snprintf(buffer, PATH_SIZE, ".%s.new", guest);
        return buffer;
}

int record_file_save(int root, const char *kind, const char *guest, RecordPrint print, const void *record) {
        _cleanup_(closep) int directory = open_directory(root, kind, O_PATH), fd = -EBADF;
        _cleanup_(fclosep) FILE *f = NULL;
        char buffer[PATH_SIZE];
        const char *temporary = temporary_name(buffer, guest);
        int r;

        if (directory < 0)
                return directory;
        (void) unlinkat(directory, temporary, 0); /* what a kill left behind */
        fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "w");
        if (!f)
                return -ENOMEM;
        fd = -EBADF;

        r = print(f, record);
        if (r >= 0 && (fflush(f) != 0 || ferror(f)))
                r = -EIO;
        if (r >= 0 && renameat(directory, temporary, directory, guest) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(directory, temporary, 0);
        return r;
}

int record_file_read(int root, const char *kind, const char *guest, char **ret) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof path, "run/vxm/%s/%s", kind, guest);
        return root_read(root, path, ret);
}

int record_file_open(int root, const char *kind, const char *guest) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof path, "run/vxm/%s/%s", kind, guest);
        return root_openat(root, path, O_RDONLY | O_NOFOLLOW);
}

int record_file_forget(int root, const char *kind, const char *guest) {
        _cleanup_(closep) int directory = open_directory(root, kind, O_PATH);
        char buffer[PATH_SIZE];

        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        (void) unlinkat(directory, temporary_name(buffer, guest), 0);
        return unlinkat(directory, guest, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int record_file_lock(int root, const char *kind, int *ret_fd) {
        _cleanup_(closep) int fd = open_directory(root, kind, O_RDONLY);

        if (fd < 0)
                return fd;
        if (flock(fd, LOCK_EX) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int record_file_guests(int root, const char *kind, char ***ret, size_t *ret_n) {
        char path[PATH_SIZE], **names = NULL;
        size_t n = 0, kept = 0;
        int r;

        (void) snprintf(path, sizeof path, "run/vxm/%s", kind);
        r = root_list(root, path, &names, &n);
        if (r < 0 && r != -ENOENT)
                return r;
        for (size_t i = 0; i < n; i++)
                if (guest_name_is_valid(names[i]))
                        names[kept++] = names[i];
                else
                        free(names[i]); /* what a kill has left of a record */
        *ret = names;
        *ret_n = kept;
        return 0;
}

int record_file_holder(int root, const char *kind, const char *guest, RecordHas has, const void *something, char **ret_holder) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = record_file_guests(root, kind, &names, &n);
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (streq(names[i], guest))
                        continue;
                r = has(root, names[i], something);
                if (r == -ENOENT)
                        r = 0; /* taken away just now */
                if (r != 0)
                        *ret_holder = TAKE_PTR(names[i]);
        }
        strings_free(names, n);
        return r;
}
