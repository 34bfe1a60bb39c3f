/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Cuts a byte stream from an untrusted peer into lines, with a limit: what QMP and the guest agent speak. */

#include "util.h"

typedef struct LineBuffer {
        char *data;
        size_t size;      /* bytes in data */
        size_t allocated;
        size_t searched;  /* of these, so many are known to hold no newline */
        size_t max;       /* the longest line taken, in bytes */
} LineBuffer;

/* Appends what one read(2) of fd gives. Returns the bytes read; 0 at the end; -EAGAIN when there is nothing now;
 * -EMSGSIZE when a line grows beyond the limit; -errno. */
ssize_t lines_read(LineBuffer *b, int fd);

/* As lines_read(), from memory. Returns 0, -EMSGSIZE or -ENOMEM. */
int lines_feed(LineBuffer *b, const void *data, size_t size);

/* Takes the next whole line out, without its newline, NUL-terminated. Returns it (to be freed), or NULL when there is
 * none yet; *ret_size is its size, which is more than strlen() when it holds a NUL byte. */
char *lines_next(LineBuffer *b, size_t *ret_size);

void lines_done(LineBuffer *b);
