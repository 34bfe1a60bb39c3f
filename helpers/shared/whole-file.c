/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a file beside its target, then gives it the target's name. */

#include <fcntl.h>
#include <limits.h>

#include "whole-file.h"

enum {
        LINKS_MAX = 40, /* as path_resolution(7) has it */
};

/* Where links lead to of which the last one leads to no file yet. */
static int follow_to_new(char **target) {
        for (int i = 0; i < LINKS_MAX; i++) {
                char link[PATH_MAX];
                ssize_t n = readlink(*target, link, sizeof link - 1);
                const char *slash = strrchr(*target, '/');
                char *next;

                if (n <= 0)
                        return 0;
                link[n] = '\0';
                if (format(&next, "%.*s%s", *link == '/' || !slash ? 0 : (int) (slash - *target + 1), *target, link) < 0)
                        return -ENOMEM;
                free(*target);
                *target = next;
        }
        return -ELOOP;
}

int whole_file_find(WholeFile *f, const char *path, const char *name) {
        char *real;
        int r;

        r = stat(path, &f->before) == 0 && S_ISDIR(f->before.st_mode) && name ? format(&f->target, "%s/%s", path, name)
                                                                              : free_and_strdup(&f->target, path);
        if (r < 0)
                return r;
        f->exists = stat(f->target, &f->before) == 0;
        if (f->exists && S_ISDIR(f->before.st_mode))
                return -EISDIR;
        if (!f->exists)
                return follow_to_new(&f->target);
        real = realpath(f->target, NULL);
        if (real) {
                free(f->target);
                f->target = real;
        }
        return 0;
}

bool whole_file_is_in_place(const WholeFile *f) {
        return f->exists && !S_ISREG(f->before.st_mode);
}

int whole_file_open(WholeFile *f) {
        if (whole_file_is_in_place(f)) {
                f->fd = open(f->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
                return f->fd < 0 ? -errno : 0;
        }
        if (format(&f->temporary, "%s.vxm-XXXXXX", f->target) < 0)
                return -ENOMEM;
        f->fd = mkostemp(f->temporary, O_CLOEXEC);
        if (f->fd < 0) {
                int r = -errno;

                free(TAKE_PTR(f->temporary));
                return r;
        }
        if (f->exists && (f->before.st_uid != geteuid() || f->before.st_gid != getegid()))
                (void) !fchown(f->fd, f->before.st_uid, f->before.st_gid);
        return 0;
}

int whole_file_finish(WholeFile *f, mode_t mode) {
        mode_t mask = umask(0);

        (void) umask(mask);
        if (!f->temporary)
                return 0;
        /* Else a power cut could leave the new name with nothing behind it. */
        if (fsync(f->fd) < 0 || fchmod(f->fd, f->exists ? f->before.st_mode & 0777 : mode & ~mask) < 0 || rename(f->temporary, f->target) < 0)
                return -errno;
        free(TAKE_PTR(f->temporary));
        return 0;
}

void whole_file_done(WholeFile *f) {
        if (f->temporary)
                (void) unlink(f->temporary);
        closep(&f->fd);
        free(f->target);
        free(f->temporary);
        *f = (WholeFile){ .fd = -EBADF };
}
