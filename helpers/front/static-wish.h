/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which guests ask for devices at boot, and where. */

#include "guest.h"

/* How many ask; gpus: for a GPU. One whose file is wrong may ask, and counts; what is wrong is told elsewhere. Returns 0 or -errno, logged. */
int static_wish_count(int root, bool gpus, size_t *ret);

/* Where the guest, which asks (gpus: for a GPU), does so, as “FILE:LINE”. *ret_drop_in: that is a drop-in, over which the guest's own file has no say.
 * Returns 0 or -ENOMEM, logged. */
int static_wish_place(int root, const Guest *g, bool gpus, char **ret, bool *ret_drop_in);
