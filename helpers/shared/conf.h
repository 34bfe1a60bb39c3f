/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The syntax of systemd's configuration files (systemd.syntax(7)): sections, assignments, comments, and lines continued
 * by a backslash. What the keys mean is the caller's. libeconf was tried and cannot append repeated keys over drop-ins. */

#include "util.h"

typedef struct ConfLine {
        const char *file;
        unsigned line;       /* of the assignment's first line, from 1 */
        const char *section; /* what stands between the brackets */
        const char *key;     /* NULL: this is the section's own line */
        const char *value;   /* stripped of white space at both ends; may be empty */
} ConfLine;

/* Takes one line in; returns 0, or -errno after it has logged what is wrong. */
typedef int (*ConfHandler)(const ConfLine *line, void *userdata);

/* Parses text (size bytes, NUL-terminated, changed in place). All lines are looked at even after an error, so that the
 * user sees all that is wrong at once. Returns 0, or the first error: the handler's own, -E_CONFIG for bad syntax
 * (logged with file and line), -ENOMEM. */
int conf_parse(char *text, size_t size, const char *file, ConfHandler handler, void *userdata);

/* Logs `file:line: text` with the fields CONFIG_FILE and CONFIG_LINE. Returns -E_CONFIG for LOG_ERR, else 0. */
int conf_log(int priority, const char *file, unsigned line, const char *fmt, ...) _printf_(4, 5);
