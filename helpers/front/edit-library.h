/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libedit is used, see library.h. Only a prompt at a terminal needs it. Of the two that there are, this is the one whose license
 * is ours. */

#include <histedit.h>

typedef struct EditLibrary {
        __typeof__(el_init) *init;
        __typeof__(el_end) *end;
        __typeof__(el_set) *set;
        __typeof__(el_get) *get;
        __typeof__(el_gets) *gets;
        __typeof__(el_line) *line;
        __typeof__(el_insertstr) *insertstr;
        __typeof__(history_init) *history_init;
        __typeof__(history_end) *history_end;
        __typeof__(history) *history;
} EditLibrary;

/* Returns NULL where there is none. */
const EditLibrary *edit_library(void);
