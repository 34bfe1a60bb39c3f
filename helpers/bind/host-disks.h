/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The part of host-use.h about disks: mounted file systems and swap, down to the disks they lie on. */

#include "host-use.h"

/* Appends to *l. Returns 0, or -errno that has been logged. */
int host_disks_read(int root, HostUses *l);
