/* SPDX-License-Identifier: BSD-3-Clause */
/* Strings, arrays and whole-file reads. Knows nothing of vxm. */

#include <ctype.h>
#include <stdarg.h>
#include <time.h>

#include "util.h"

int free_and_strdup(char **dest, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }

        free(*dest);
        *dest = copy;
        return 0;
}

int format(char **ret, const char *fmt, ...) {
        va_list ap;
        char *s;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (r < 0)
                return -ENOMEM;

        *ret = s;
        return 0;
}

int list_append(char **list, const char *separator, const char *fmt, ...) {
        _cleanup_(freep) char *text = NULL;
        char *longer = NULL;
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }
        if (!*list) {
                *list = TAKE_PTR(text);
                return 0;
        }
        r = format(&longer, "%s%s%s", *list, separator, text);
        if (r < 0)
                return r;
        free(*list);
        *list = longer;
        return 0;
}

uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

/* The length of the sequence that starts at p, or 0 when there is no valid one. */
static size_t utf8_sequence(const unsigned char *p) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = *p < 0x80 ? 1 : *p >> 5 == 0x06 ? 2 : *p >> 4 == 0x0e ? 3 : *p >> 3 == 0x1e ? 4 : 0;
        uint32_t c;

        if (n <= 1)
                return n;
        c = *p & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if (p[i] >> 6 != 0x02)
                        return 0;
                c = c << 6 | (p[i] & 0x3fU);
        }
        return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

bool utf8_is_valid(const char *s) {
        const unsigned char *p = (const unsigned char *) s;

        while (*p) {
                size_t n = utf8_sequence(p);

                if (n == 0)
                        return false;
                p += n;
        }
        return true;
}

char *text_clean(char *s) {
        bool valid = utf8_is_valid(s);

        for (unsigned char *p = (unsigned char *) s; *p; p++) {
                /* U+0080 … U+009F, terminals' other control characters, are 0xc2 and one of 0x80 … 0x9f. */
                bool control = *p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0);

                if (control && *p == 0xc2 && p[1])
                        *p++ = '?';
                if (control || (!valid && *p >= 0x80))
                        *p = '?';
        }
        return s;
}

char *strstrip(char *s) {
        size_t n;

        while (isspace((unsigned char) *s))
                s++;
        for (n = strlen(s); n > 0 && isspace((unsigned char) s[n - 1]); n--)
                ;
        s[n] = '\0';
        return s;
}

int read_full(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *buffer = NULL;
        size_t size = 0, allocated = 0;

        for (;;) {
                ssize_t n;

                if (size + 1 >= allocated) {
                        char *grown;

                        allocated = allocated ? allocated * 2 : 4096;
                        grown = realloc(buffer, allocated);
                        if (!grown)
                                return -ENOMEM;
                        buffer = grown;
                }

                n = read(fd, buffer + size, allocated - size - 1);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
        }

        buffer[size] = '\0';
        *ret = TAKE_PTR(buffer);
        if (ret_size)
                *ret_size = size;
        return 0;
}

int write_full(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += n;
                size -= (size_t) n;
        }
        return 0;
}
