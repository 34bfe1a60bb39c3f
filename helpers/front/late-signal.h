/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Ctrl-C while something is half-way: it is asked for at places where all can be undone, and acts when that has been done. */

#include <signal.h>

#include "util.h"

/* Blocks what would end us; *ret_before: as it was. Returns 0 or -errno. */
int late_signal_hold(sigset_t *ret_before);

/* Whether somebody has asked for the end. */
bool late_signal_pending(void);

/* Forgets one that is held, and was meant for somebody else. */
void late_signal_drop(int number);

/* Lets it act: does not return then. */
void late_signal_release(const sigset_t *before);
