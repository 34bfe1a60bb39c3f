/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables by libsmartcols. */

#include <locale.h>

#include "exit-status.h"
#include "log.h"
#include "smartcols-library.h"
#include "text-table.h"

enum {
        WIDTH = 80,     /* columns; most terminals have them */
        LAST_MIN = 16,  /* what is left of the last one however wide the others are */
};

/* Characters, not bytes; those of what we show are one column wide. */
static size_t width_of(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

static size_t last_width(const TextColumn columns[], size_t n_columns, const char *const cells[], size_t n_rows) {
        size_t used = 0;

        for (size_t c = 0; c + 1 < n_columns; c++) {
                size_t widest = width_of(columns[c].title);

                for (size_t i = 0; i < n_rows; i++) {
                        size_t width = width_of(cells[i * n_columns + c]);

                        widest = width > widest ? width : widest;
                }
                used += widest + 1;
        }
        return used + LAST_MIN < WIDTH ? WIDTH - used : LAST_MIN;
}

/* How many bytes the first characters take. */
static size_t bytes_of(const char *s, size_t characters) {
        const char *p = s;

        for (; *p && characters > 0; characters--)
                do
                        p++;
                while (((unsigned char) *p & 0xc0) == 0x80);
        return (size_t) (p - s);
}

/* A copy of at most so many columns, of which “…” is the last one if that is not all. */
static char *cut(const char *s, size_t width) {
        char *copy = NULL;

        if (width_of(s) <= width)
                return strdup(s);
        return format(&copy, "%.*s…", (int) bytes_of(s, width - 1), s) < 0 ? NULL : copy;
}

static int add_row(const SmartcolsLibrary *scols, struct libscols_table *table, const char *const cells[], size_t n, size_t width) {
        struct libscols_line *line = scols->table_new_line(table, NULL);
        _cleanup_(freep) char *last = cut(cells[n - 1], width);
        int r = line && last ? 0 : -ENOMEM;

        for (size_t c = 0; r >= 0 && c < n; c++)
                r = scols->line_set_data(line, c, c + 1 < n ? cells[c] : last);
        return r;
}

static int make(const SmartcolsLibrary *scols, const TextColumn columns[], size_t n_columns, const char *const cells[],
        size_t n_rows, char **ret) {
        _cleanup_(scols_unrefp) struct libscols_table *table = scols->new_table();
        size_t width = last_width(columns, n_columns, cells, n_rows);
        int r = table ? 0 : -ENOMEM;

        for (size_t c = 0; r >= 0 && c < n_columns; c++)
                if (!scols->table_new_column(table, columns[c].title, 0, columns[c].right ? SCOLS_FL_RIGHT : 0))
                        r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n_rows; i++)
                r = add_row(scols, table, cells + i * n_columns, n_columns, width);
        return r < 0 ? r : scols->print_table_to_string(table, ret);
}

/* smartcols writes what is no ASCII as \x.. in the C locale, in which we run. All our texts are UTF-8. */
static int make_in_utf8(const SmartcolsLibrary *scols, const TextColumn columns[], size_t n_columns,
        const char *const cells[], size_t n_rows, char **ret) {
        locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0), before;
        int r;

        before = utf8 ? uselocale(utf8) : (locale_t) 0;
        r = make(scols, columns, n_columns, cells, n_rows, ret);
        if (before)
                (void) uselocale(before);
        if (utf8)
                freelocale(utf8);
        return r;
}

int text_table_print(FILE *f, const TextColumn columns[], size_t n_columns, const char *const cells[], size_t n_rows) {
        const SmartcolsLibrary *scols = smartcols_library();
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!scols)
                return log_error_errno(E_LACKS, "Cannot draw a table without libsmartcols.so.1; install libsmartcols1, or use --json.");
        r = make_in_utf8(scols, columns, n_columns, cells, n_rows, &text);
        if (r < 0)
                return log_error_errno(r, "Cannot draw a table: %s.", strerror(-r));
        return fprintf(f, "%s\n", text) < 0 ? -EIO : 0;
}
