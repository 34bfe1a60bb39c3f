/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The few macros and functions every file needs: cleanup on leaving scope, small string helpers, exact reads of small
 * files. Whatever grows a subject of its own moves to a module of its own. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _unused_ __attribute__((unused))
#define _printf_(a, b) __attribute__((format(printf, a, b)))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define STRLEN(s) (sizeof("" s "") - 1)

#define TAKE_PTR(p)                      \
        ({                               \
                __typeof__(p) _p = (p);  \
                (p) = NULL;              \
                _p;                      \
        })

#define TAKE_FD(fd)                      \
        ({                               \
                int _fd = (fd);          \
                (fd) = -EBADF;           \
                _fd;                     \
        })

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void fclosep(FILE **f) {
        if (*f)
                fclose(*f);
}

static inline void closep(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool streq_ptr(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

static inline bool isempty(const char *s) {
        return !s || *s == '\0';
}

/* Returns what follows prefix in s, or NULL if s does not start with it. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);
        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Replaces *dest by a copy of s (NULL clears). Returns 0 or -ENOMEM; *dest is untouched on failure. */
int free_and_strdup(char **dest, const char *s);

/* asprintf() that returns 0 or -ENOMEM and leaves *ret untouched on failure. */
int format(char **ret, const char *fmt, ...) _printf_(2, 3);

/* Appends formatted text to *list (NULL: empty), behind separator unless it is the first. Returns 0 or -ENOMEM. */
int list_append(char **list, const char *separator, const char *fmt, ...) _printf_(3, 4);

/* The monotonic clock, in µs. */
uint64_t now_usec(void);

/* Whether s is UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing above U+10FFFF. */
bool utf8_is_valid(const char *s);

/* Makes foreign text fit to be shown in one line: what is no printable UTF-8 becomes “?”. In place; returns s. */
char *text_clean(char *s);

/* Removes white space at both ends of s, in place; returns the first character that is left. */
char *strstrip(char *s);

/* Grows array, which holds n elements, by one zeroed element. Evaluates to the new element, or NULL when out of memory. */
#define ARRAY_GROW(array, n)                                                         \
        ({                                                                           \
                __typeof__(array) _grown;                                            \
                _grown = reallocarray((array), (n) + 1, sizeof(*(array)));           \
                if (_grown) {                                                        \
                        (array) = _grown;                                            \
                        memset(_grown + (n), 0, sizeof(*(array)));                   \
                }                                                                    \
                _grown ? _grown + (n) : NULL;                                        \
        })

/* Reads all of fd, at most max bytes, into a NUL-terminated buffer. Returns 0; -EFBIG when there is more than max; any
 * error of read(2). ret_size may be NULL. */
int read_full(int fd, size_t max, char **ret, size_t *ret_size);

/* Writes all of data to fd, in one write(2) where the kernel takes it so. Returns 0 or -errno. */
int write_full(int fd, const void *data, size_t size);
