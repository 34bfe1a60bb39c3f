/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A NULL-terminated argument vector under construction. All that add return 0 or -ENOMEM. */

#include "util.h"

typedef struct Argv {
        char **items;
        size_t n;
} Argv;

void argv_done(Argv *argv);

/* Appends one argument. */
int argv_add_flag(Argv *argv, const char *flag);

/* Appends two: an option, and its value as formatted text. */
int argv_add(Argv *argv, const char *option, const char *fmt, ...) _printf_(3, 4);

/* In QEMU's key=value,key=value syntax a comma inside a value is written twice. Returns NULL when out of memory. */
char *argv_double_commas(const char *s);

/* Prints an option and its value a line, quoted for a shell, with a backslash at each line's end but the last. */
void argv_print(const Argv *argv, FILE *f);
