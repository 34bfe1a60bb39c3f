/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What verbs about files and hardware begin with: the machine that --root means. */

/* Opens it, and has PCI devices named as that machine names them. Returns the descriptor, or -errno after a message. */
int verb_root_open(const char *path);
