/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A file of this machine that somebody wants written, by whatever name: it is another file beside that until all of it is there. Links are
 * followed, and what is no regular file, such as a device or a pipe, is written in place. */

#include <sys/stat.h>

#include "util.h"

typedef struct WholeFile {
        int fd;                   /* to be written to; -EBADF at first */
        char *target, *temporary; /* what it becomes, and what it is till then; NULL: written in place */
        struct stat before;       /* of what is there already */
        bool exists;
} WholeFile;

/* Finds where path really leads; name: what it is called if that is a directory, NULL: it may be none. Returns 0; -EISDIR; -ELOOP; -ENOMEM. Looks
 * only; f->target may be set in any case. */
int whole_file_find(WholeFile *f, const char *path, const char *name);

/* Whether it is written in place. To open such a file may mean to wait for who reads from it. */
bool whole_file_is_in_place(const WholeFile *f);

/* Opens what was found. Returns 0 or -errno; -EINTR only in place. */
int whole_file_open(WholeFile *f);

/* The target is from here on what was written. It keeps mode and owner, as far as the caller may; a new one has mode but for what umask takes
 * away. Returns 0 or -errno. */
int whole_file_finish(WholeFile *f, mode_t mode);

/* Closes it; what has not been finished is gone. */
void whole_file_done(WholeFile *f);
