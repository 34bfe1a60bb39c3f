/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Kernel modules, by libkmod. */

/* Loads a module and what it depends on, with the options of modprobe.d; one that is built in or loaded already is fine.
 * Returns 0; -ENOENT: the running kernel has no such module; -errno. */
int module_load(const char *name);
