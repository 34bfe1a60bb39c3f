/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The system user that a guest runs as, vxm-GUEST. */

#include <sys/types.h>

#include "util.h"

/* *ret_gid is its own group; NULL: not asked for. Returns 0; -ENOENT: there is no such user; -errno. */
int guest_user_find(const char *guest, uid_t *ret, gid_t *ret_gid);
