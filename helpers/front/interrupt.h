/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Ctrl-C, and being asked to end, as something to wait for: what runs in a guest has to be ended before vxm does. */

#include "util.h"

/* From here on SIGINT, SIGTERM and SIGHUP end nothing by themselves, nor does a closed pipe. Of these, what is ignored already, by nohup(1)
 * or by a shell's “&”, stays so. Returns 0 or -errno. */
int interrupt_catch(void);

/* A descriptor that is readable once one has come, or -EBADF as long as interrupt_catch() has not been called. */
int interrupt_fd(void);

/* Whether one has come. */
bool interrupt_pending(void);

/* The signal that has come last, 0: none; and forgets it. */
int interrupt_take(void);
