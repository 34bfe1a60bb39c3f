/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The guest's serial console on this terminal. */

#include "util.h"

enum {
        CONSOLE_ENDED = 2, /* the guest has closed it */
        CONSOLE_LEFT,      /* by the escape key */
};

/* Connects standard input and output to the console of a guest that is known, until either ends. Returns 0, or -errno
 * after a message. */
int console_run(const char *guest);

/* The same with a socket that is connected, in non-blocking mode. terminal: the escape key means something. Returns one
 * of the above, or -errno. */
int console_forward(int console, bool terminal);
