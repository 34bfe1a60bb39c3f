/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libedit. */

#include "edit-library.h"
#include "library.h"
#include "util.h"

const EditLibrary *edit_library(void) {
        static EditLibrary edit;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(edit.init, el_init),
                LIBRARY_FUNCTION(edit.end, el_end),
                LIBRARY_FUNCTION(edit.set, el_set),
                LIBRARY_FUNCTION(edit.get, el_get),
                LIBRARY_FUNCTION(edit.gets, el_gets),
                LIBRARY_FUNCTION(edit.line, el_line),
                LIBRARY_FUNCTION(edit.insertstr, el_insertstr),
                LIBRARY_FUNCTION(edit.history_init, history_init),
                LIBRARY_FUNCTION(edit.history_end, history_end),
                LIBRARY_FUNCTION(edit.history, history),
                {},
        };

        return library_load("libedit.so.2", functions) < 0 ? NULL : &edit;
}
