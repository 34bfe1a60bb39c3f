/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether a guest is known on this machine. */

/* One is that has a file, or runs still. Returns 0; -E_CONFIG: there is none of that name, after a message that says which may be
 * meant; -errno. */
int known_guest(const char *name);
