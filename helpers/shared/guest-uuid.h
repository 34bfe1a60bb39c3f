/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The UUID that a guest sees as its machine's (SMBIOS): licences are bound to it, and servers know machines by it. */

#include <systemd/sd-id128.h>

#include "guest.h"

/* The one that the guest file names; else one made of this machine's ID and the guest's name, the same each time. Files
 * of another machine (root) have none then: *ret is NULL. Returns 0; -E_LACKS: this machine has no ID, logged; -errno,
 * logged. */
int guest_uuid_find(int root, const Guest *g, char **ret);

/* A guest's name as 128 bits, for no two names the same. */
sd_id128_t guest_name_id(const char *name);
