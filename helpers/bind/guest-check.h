/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* `vxm-bind --check`: whether a guest would get its devices, item by item. Looks only. */

#include "findings.h"

/* Prints a verdict a line, or as JSON, each with the reason and, where something is in the way, the next step.
 * is_this_machine: root is not the tree of another one. Returns 0 when nothing is in the way; -E_CONFIG, -E_LACKS or
 * -E_BUSY by what keeps the guest from its devices; -errno. */
int guest_check(int root, bool is_this_machine, const char *guest, bool json, FILE *f);

/* The same for who shows it in another way. Returns 0, whatever has been found, or -errno, logged. */
int guest_check_find(int root, bool is_this_machine, const char *guest, Findings *ret);
