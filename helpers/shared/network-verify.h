/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What no single line of a guest file can tell about its networks and its display. Pure. */

#include "guest.h"

/* Returns 0; -E_CONFIG: they do not go together, logged. */
int network_verify(const Guest *g);
