/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether a guest is known on this machine. */

/* Whether that can be a guest's name at all, which becomes part of paths and of units' names. Returns 0, or -E_CONFIG
 * after a message. */
int known_guest_name(const char *name);

/* One is that has a file, or runs still. Returns 0; -E_CONFIG: there is none of that name, after a message that says
 * which may be meant; -errno. */
int known_guest(const char *name);
