/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which machine is meant: this one, or by -H another, as “host” or “user@host”. */

#include <systemd/sd-bus.h>

#include "util.h"

/* For main() only: takes the host of -H over; NULL: this machine. Returns 0; -EINVAL: that is none. */
int host_set(const char *host);

/* The other machine's name as it was given; NULL: this one. */
const char *host_name(void);

/* Connects to the system bus, there or here. Returns 0 or -errno, after a message. */
int host_bus_open(sd_bus **ret);

/* Runs vxm there with the same words, on this terminal, in place of this process. Returns an exit status only when
 * there is no ssh. */
int host_run(int argc, char *argv[]);

/* Appends a word to a line for a POSIX shell, behind a blank, so that the shell takes it for just that word. Returns 0
 * or -ENOMEM. */
int host_quote(char **line, const char *word);
