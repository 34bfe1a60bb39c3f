/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What vxm doctor finds out. All judgements are those of the helpers that act on them. Looks only. */

#include "findings.h"

/* About the machine, whatever guests there are. Returns 0 or -errno, logged. */
int doctor_host(int root, bool is_this_machine, Findings *ret);

/* About one guest: what vxm-bind --check says, and whether systemd has read its files as they are. Returns 0 or -errno, logged. */
int doctor_guest(int root, bool is_this_machine, const char *guest, Findings *ret);
