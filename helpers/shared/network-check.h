/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether the host has what a guest's networks and its display need. Looks only; what is missing is logged, each
 * with the key it is about and the next step. */

#include "guest.h"

/* Bridges, the tun device, passt, and ports that are forwarded or show the display: free, and open to users; NETJACK. To be
 * asked where the host's own network is to be seen. Returns 0, -E_CONFIG, -E_LACKS, -E_BUSY: a port is taken. */
int network_check(int root, const Guest *g);

/* The parts of QEMU that packages have apart. Returns 0 or -E_LACKS. */
int display_check(int root, const Guest *g);
