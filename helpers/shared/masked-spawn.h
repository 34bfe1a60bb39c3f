/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Programs that are started while signals are held. */

#include <signal.h>

#include "util.h"

/* Starts a program, which is looked for in PATH unless its name has a slash; mask: the signals that are blocked in it. Returns 0 or
 * -errno. */
int spawn_with_mask(const char *program, char *const argv[], char *const environment[], const sigset_t *mask, pid_t *ret);
