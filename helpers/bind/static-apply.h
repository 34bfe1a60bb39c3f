/* SPDX-License-Identifier: BSD-3-Clause */
/* Brings the files of static binding to what they should be, all or none, and has the initramfs made anew with them. */

#pragma once

#include "static-files.h"

/* What makes the initramfs of a machine. */
typedef struct StaticTool {
        const char *program; /* absolute */
        const char *argv[6];
} StaticTool;

/* The one tool that makes the initramfs of the machine below root; NULL: none that is known. Where several are installed,
 * only one writes what the boot loader loads, and the others would put files of their own beside it. */
const StaticTool *static_tool_find(int root);

/* Makes the files below root be wanted, and no others of static_paths: writes what differs, removes what is not wanted, then
 * runs tool (NULL: none). Nothing is written or run if all is as it should be and an earlier run has not left the
 * initramfs unfinished. When anything fails, the files are put back as they were. Errors are logged.
 *
 * Returns 1: something has been changed; 0: all was as it should be; -E_CONFIG: one of the files is not ours; -errno. */
int static_apply(int root, const StaticFiles *wanted, const StaticTool *tool);

/* Prints what static_apply() would do. */
int static_print(int root, const StaticFiles *wanted, const StaticTool *tool, FILE *f);
