/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* libddcutil, of both kinds that there are: 1.4 (libddcutil.so.4, Debian 12) and 2 (libddcutil.so.5). The one file that knows it. It
 * makes up for what DDC/CI over I²C is like: tries again, waits as long as this monitor needs, finds out what an odd answer means. */

#include "util.h"

/* Loads it; again is fine. Returns 0, -ENOPKG: there is none. */
int ddc_library_open(void);

/* Speak to the monitor at a bus. Each returns 0; -EOPNOTSUPP: it has no such feature; -EPROTO: what comes from it is
 * garbled, or nothing does; -EAGAIN: another program speaks to it; -EIO; -ENOPKG. */
int ddc_library_get(int bus, uint8_t feature, uint8_t *ret);
int ddc_library_set(int bus, uint8_t feature, uint8_t value);
int ddc_library_capabilities(int bus, char **ret);
