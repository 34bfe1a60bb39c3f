/* SPDX-License-Identifier: BSD-3-Clause */
/* Argument vectors that grow, and how they are shown. */

#include <stdarg.h>

#include "argv.h"

void argv_done(Argv *argv) {
        for (size_t i = 0; i < argv->n; i++)
                free(argv->items[i]);
        free(argv->items);
        *argv = (Argv){};
}

/* Appends one argument, taken over; keeps the NULL at the end. */
static int argv_append(Argv *argv, char *item) {
        char **grown;

        if (!item)
                return -ENOMEM;
        grown = reallocarray(argv->items, argv->n + 2, sizeof *grown);
        if (!grown) {
                free(item);
                return -ENOMEM;
        }
        argv->items = grown;
        argv->items[argv->n++] = item;
        argv->items[argv->n] = NULL;
        return 0;
}

int argv_add_flag(Argv *argv, const char *flag) {
        return argv_append(argv, strdup(flag));
}

int argv_add(Argv *argv, const char *option, const char *fmt, ...) {
        va_list ap;
        char *value;
        int r;

        r = argv_add_flag(argv, option);
        if (r < 0)
                return r;
        va_start(ap, fmt);
        r = vasprintf(&value, fmt, ap);
        va_end(ap);
        return argv_append(argv, r < 0 ? NULL : value);
}

char *argv_double_commas(const char *s) {
        char *doubled = malloc(2 * strlen(s) + 1), *p = doubled;

        if (!doubled)
                return NULL;
        for (; *s; s++) {
                if (*s == ',')
                        *p++ = ',';
                *p++ = *s;
        }
        *p = '\0';
        return doubled;
}

static void print_quoted(const char *s, FILE *f) {
        if (*s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%")] == '\0') {
                fputs(s, f);
                return;
        }
        fputc('\'', f);
        for (; *s; s++) {
                if (*s == '\'')
                        fputs("'\\'", f);
                fputc(*s, f);
        }
        fputc('\'', f);
}

void argv_print(const Argv *argv, FILE *f) {
        for (size_t i = 0; i < argv->n; i++) {
                print_quoted(argv->items[i], f);
                if (i + 1 == argv->n)
                        fputc('\n', f);
                else if (i > 0 && argv->items[i][0] == '-' && argv->items[i + 1][0] != '-')
                        fputc(' ', f);
                else
                        fputs(" \\\n  ", f);
        }
}
