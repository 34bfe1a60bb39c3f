/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Tables for people, by libsmartcols: as wide as they have to be, and at most 80 columns. */

#include "util.h"

typedef struct TextColumn {
        const char *title;
        bool right; /* its text stands at the right */
} TextColumn;

/* Prints rows of cells, one after the other, below the titles; the last column is cut where it is too wide. No cell may
 * be NULL. Returns 0, or -errno after a message. */
int text_table_print(FILE *f, const TextColumn columns[], size_t n_columns, const char *const cells[], size_t n_rows);
