/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What can stand behind an @: a guest, “spirit” (this machine), “docker” (a container of docker or podman). */

#include "util.h"

/* Whether a guest is meant by it, whether there is one or not. */
bool target_is_guest(const char *target);

/* Whether there is such a target; sockets: where guests' are. Returns 0; -E_CONFIG, logged: there is no such guest. */
int target_check(const char *sockets, const char *target);

/* Runs a line in a target's shell, with this process's standard streams, of which a terminal is no input for a guest; called in a process of its
 * own, as it may never return. sockets: where guests' are. Returns an exit status. */
int target_line(const char *sockets, const char *target, const char *line);

/* Whether the last target_line() has come to its end by a failure of ours, not by its command's: what it has printed may not be all. */
bool target_was_cut_short(void);

/* As target_line(), with the words of a command line, or with options of ours: --pause, --resume, --status, --snapshot. */
int target_words(const char *sockets, const char *target, int argc, char *argv[]);
