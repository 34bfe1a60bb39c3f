/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libsmartcols. */

#include "library.h"
#include "smartcols-library.h"
#include "util.h"

const SmartcolsLibrary *smartcols_library(void) {
        static SmartcolsLibrary scols;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(scols.new_table, scols_new_table),
                LIBRARY_FUNCTION(scols.unref_table, scols_unref_table),
                LIBRARY_FUNCTION(scols.table_new_column, scols_table_new_column),
                LIBRARY_FUNCTION(scols.table_new_line, scols_table_new_line),
                LIBRARY_FUNCTION(scols.line_set_data, scols_line_set_data),
                LIBRARY_FUNCTION(scols.print_table_to_string, scols_print_table_to_string),
                {},
        };

        return library_load("libsmartcols.so.1", functions) < 0 ? NULL : &scols;
}

void scols_unrefp(struct libscols_table **table) {
        if (*table)
                smartcols_library()->unref_table(*table);
}
