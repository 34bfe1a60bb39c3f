/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Strict readers of single values. All are pure, take a NUL-terminated string, and return 0, -EINVAL when the text is
 * not of the form, or -ERANGE when the number is out of range; *ret is untouched then. */

#include <sys/types.h>

#include "util.h"

/* yes/no, true/false, on/off, 1/0, in any case, as systemd.syntax(7). */
int parse_boolean(const char *s, bool *ret);

/* A decimal number of min … max. */
int parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* The permissions of a file, in one to four octal digits. */
int parse_mode(const char *s, mode_t *ret);

/* Bytes: a decimal number with an optional suffix K, M, G or T (powers of 1024), within min … max. */
int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret);

/* Microseconds: one or several numbers with unit, “90s”, “2min”, “1h 30min”; a bare number means seconds. */
int parse_time(const char *s, uint64_t *ret);

/* Whether s is an absolute path without “.”, “..”, doubled slashes and control characters, and with no backslash
 * at its end, which would continue the line of a unit file. */
bool path_is_clean(const char *s);

/* Whether s is a guest's name: [a-z][a-z0-9-]*, at most GUEST_NAME_MAX characters. It becomes part of unit, user and
 * file names, hence the narrow grammar. */
enum {
        GUEST_NAME_MAX = 24,
};
bool guest_name_is_valid(const char *s);

/* Whether s is the full name of a unit, as systemd.unit(5) has it. A template's is none: it cannot run. */
enum {
        UNIT_NAME_LIMIT = 255, /* characters, systemd's own limit */
};
bool unit_name_is_valid(const char *s);
