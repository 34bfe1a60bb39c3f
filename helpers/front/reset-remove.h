/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Removes one thing that is listed. */

#include "reset.h"

/* Returns 0, also when it is gone already, or -errno, logged. */
int reset_remove(int root, const ResetItem *item);
