/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Copies one file, whole and as it is, between this machine and guests, by their agents. What is copied to is another file beside the
 * target until all of it is there. */

#include "util.h"

typedef struct CopyEnd {
        char *guest; /* NULL: this machine */
        char *path;
        int stream;  /* without a path: a descriptor, on this machine */
        int verdict; /* of a stream to read: another one, which has something to read if what has come is not all; 0: none */
} CopyEnd;

/* Reads GUEST:PATH, spirit:PATH, or a path of this machine, in which a slash comes before any colon. Returns 0; -EINVAL: no path is given;
 * -ENOMEM. */
int copy_end_parse(const char *text, CopyEnd *ret);
void copy_end_done(CopyEnd *e);

/* Where guests' sockets are: GUEST_SOCKETS. progress: shows how far it is, if standard error is a terminal. Returns 0; a signal's number and
 * 128, when one has ended it; or -errno, logged; nothing half-made is left. */
int copy_file(const char *sockets, const CopyEnd *from, const CopyEnd *to, bool progress);
