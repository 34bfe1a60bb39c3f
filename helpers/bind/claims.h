/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include "devices.h"

/* Refuses functions that another guest has: a device in a guest's undo record is that guest's, and had we taken it,
 * either undo would wreck the other. Refuses those of a card, too, that has swallowed a write of this guest's own earlier
 * run. To be called under bind_record_lock() by who goes on to take them. Returns 0, -E_BUSY, naming the holder, or -errno.
 * Logged. */
int claims_check(int root, const char *guest, const GuestFunctions *functions);

/* The undo record of what vxm gpu has taken, for no guest: “gpu-0000-01-00-0”. */
enum {
        PASSTHROUGH_NAME_SIZE = sizeof "gpu-ffffffff-ff-1f-7",
};
const char *passthrough_name(PciAddress address, char buffer[static PASSTHROUGH_NAME_SIZE]);

/* Whether a record is such a one; the address is in *ret_address. */
bool passthrough_parse(const char *name, PciAddress *ret_address);
