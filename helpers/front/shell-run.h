/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Runs a line of vxm shell: a process for each command, and for each file at an end, with pipes between them. */

#include "shell-line.h"

/* sockets: where guests' are, GUEST_SOCKETS. input: a descriptor for the first command's input, -1: this process's own. Returns the
 * status of the last command that has failed, 0 when none has; or an exit status of ours, logged. */
int shell_run(const char *sockets, const ShellLine *line, int input);
