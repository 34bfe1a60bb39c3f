/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The last words of a unit in this machine's journal. */

#include "util.h"

/* Prints the last messages, at most max, that a unit's processes have written since a time, and systemd about it, a
 * line each, indented. since: µs of the epoch. Returns how many; 0 also where this user may not read the journal;
 * -errno. */
int unit_log_print(FILE *f, const char *unit, uint64_t since, size_t max);

/* Whether this machine's journal has anything of a guest's units, as far as this user may read it. Returns 1, 0 or -errno. */
int unit_log_has_guest(const char *guest);
