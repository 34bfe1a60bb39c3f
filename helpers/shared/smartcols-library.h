/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libsmartcols is used, see library.h. Only lists that are shown to people need it. */

#include <libsmartcols.h>

typedef struct SmartcolsLibrary {
        __typeof__(scols_new_table) *new_table;
        __typeof__(scols_unref_table) *unref_table;
        __typeof__(scols_table_new_column) *table_new_column;
        __typeof__(scols_table_new_line) *table_new_line;
        __typeof__(scols_line_set_data) *line_set_data;
        __typeof__(scols_print_table_to_string) *print_table_to_string;
} SmartcolsLibrary;

/* Returns NULL where there is none. */
const SmartcolsLibrary *smartcols_library(void);

void scols_unrefp(struct libscols_table **table);
