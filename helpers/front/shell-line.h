/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A line of vxm shell: commands for machines, and what flows between them. Pure.
 *
 *     [@TARGET] COMMAND [< @TARGET PATH] {| @TARGET COMMAND} [> @TARGET PATH]
 *
 * Only a “|”, “<” or “>” that an “@” follows, and that is not quoted, is ours. All others are left to the shell of the machine that the command is
 * for, so that “@a dmesg | tail” runs all of it there. */

#include "util.h"

enum {
        SHELL_LINE_MAX = 64 * 1024,
        SHELL_STAGES_MAX = 16,
        SHELL_TARGET_MAX = 24, /* as guests' names */
};

/* A command, for the shell of its target; or, where a file is meant, its path. target is NULL where none is named. */
typedef struct ShellPart {
        char *target;
        char *text;
} ShellPart;

typedef struct ShellLine {
        ShellPart stages[SHELL_STAGES_MAX];
        size_t n; /* 0: an empty line, or a comment */
        ShellPart input, output; /* text is NULL: there is none */
} ShellLine;

/* Returns 0; -EINVAL, and *ret_error says why; -ENOMEM. */
int shell_line_parse(const char *text, ShellLine *ret, const char **ret_error);
void shell_line_done(ShellLine *line);

/* Takes the next word off *text, without its quotes, as a POSIX shell would that expands nothing. Returns 1; 0: there is none; -ENOMEM. */
int shell_word(const char **text, char **ret);
