/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Makes and removes taps on this machine. Needs CAP_NET_ADMIN. */

#include <sys/types.h>

#include "net-plan.h"

/* Whether the tap is there as it should be: a port of its bridge, up, and the user's. */
bool tap_is_ready(int root, const NetTap *tap, uid_t owner);

/* Makes the tap, or makes one that is there already what it should be: persistent, open to its owner, a port of the
 * bridge, up. Returns 0, or -errno and in *ret_step what could not be done. */
int tap_make(int root, const NetTap *tap, uid_t owner, const char **ret_step);

/* Removes the tap. Returns 0, also when there is none; -EBUSY: somebody still uses it; -errno. */
int tap_remove(int root, const char *name);

/* Whether there is an interface of that name. */
bool tap_exists(int root, const char *name);
