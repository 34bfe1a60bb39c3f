/* SPDX-License-Identifier: BSD-3-Clause */
/* A bounded line buffer. */

#include "lines.h"

enum {
        CHUNK = 4096,
        LARGE_CHUNK = 64 * 1024, /* of a line that is long already; short ones would be moved too often */
};

static int reserve(LineBuffer *b, size_t more) {
        size_t wanted = b->size + more;
        char *grown;

        if (wanted <= b->allocated)
                return 0;
        if (wanted < b->allocated * 2) /* long lines are not copied again for each portion */
                wanted = b->allocated * 2;
        grown = realloc(b->data, wanted);
        if (!grown)
                return -ENOMEM;
        b->data = grown;
        b->allocated = wanted;
        return 0;
}

static char *find_end(LineBuffer *b) {
        char *end = b->size > b->searched ? memchr(b->data + b->searched, '\n', b->size - b->searched) : NULL;

        if (!end)
                b->searched = b->size;
        return end;
}

/* Whether what is left without a newline is longer than any line may be. Whole lines are taken out before more is read,
 * so the data never grows beyond one line and one chunk. */
static int check_limit(LineBuffer *b) {
        return b->size > b->max && !find_end(b) ? -EMSGSIZE : 0;
}

ssize_t lines_read(LineBuffer *b, int fd) {
        size_t chunk = b->size < LARGE_CHUNK ? CHUNK : LARGE_CHUNK;
        ssize_t n;
        int r;

        r = reserve(b, chunk);
        if (r < 0)
                return r;
        do
                n = read(fd, b->data + b->size, chunk);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        b->size += (size_t) n;
        r = check_limit(b);
        return r < 0 ? r : n;
}

int lines_feed(LineBuffer *b, const void *data, size_t size) {
        int r = reserve(b, size);

        if (r < 0)
                return r;
        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        return check_limit(b);
}

char *lines_next(LineBuffer *b, size_t *ret_size) {
        char *end, *line;
        size_t n;

        end = find_end(b);
        if (!end)
                return NULL;

        n = (size_t) (end - b->data);
        line = malloc(n + 1);
        if (!line)
                return NULL;
        memcpy(line, b->data, n);
        line[n] = '\0';

        b->size -= n + 1;
        b->searched = 0;
        memmove(b->data, end + 1, b->size);
        *ret_size = n;
        return line;
}

void lines_done(LineBuffer *b) {
        free(b->data);
        *b = (LineBuffer){ .max = b->max };
}
