/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Writes guest files and their drop-ins, whole or not at all, and has systemd read them. */

#include "util.h"

/* What nobody but root can do is told before questions are asked, files fetched and texts edited. Returns 0 or -errno, logged. */
int guest_write_judge(int root);

/* Writes text as path (below root, no leading slash), and makes the directories above that are missing. Whoever reads it meanwhile sees
 * all of the old or all of the new. replace: there may be one already, whose owner and mode are kept; else -EEXIST. Returns 0; -E_BUSY:
 * somebody else is writing it; -errno. */
int guest_write(int root, const char *path, const char *text, bool replace);

/* Removes it. Returns 0, also when there is none, or -errno. */
int guest_unwrite(int root, const char *path);

/* Has systemd run its generators again, if root is this machine and we may; else says that somebody has to. Returns 0. */
int guest_written(int root);
