/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What [Monitor] sections say, and what no single line of them can tell. Pure: nothing here has looked at a monitor. */

#include "guest.h"

/* Reads “hdmi-1” … or “0x0f”. Returns 0 or -EINVAL. */
int monitor_input_parse(const char *text, GuestInput *ret);

/* What an input is called; NULL: it has no name, or is none. */
const char *monitor_input_name(MonitorInput input);

/* Returns 0, or -E_CONFIG, logged: a monitor lacks its input, or has the same for guest and host; or one is any there is though
 * there are several. */
int guest_monitors_verify(const Guest *g);
