/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Has somebody edit a text with the editor of their choice. */

#include "util.h"

/* Runs $VISUAL, $EDITOR, or what the machine has for an editor, on a private file called name with *text in it, and replaces *text by
 * what it is then. Returns 0, or -errno after a message: the editor failed, or what is there is no text. */
int editor_run(const char *name, char **text);

/* Keeps a text that could not be used in a file that nobody else can read; *ret is its path. Returns 0 or -errno. */
int editor_keep(const char *name, const char *text, char **ret);
