/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Kernel modules, by libkmod. */

/* Loads a module and what it depends on, with the options of modprobe.d; one that is built in or loaded already is fine.
 * Returns 0; -ENOENT: the running kernel has no such module; -errno. */
int module_load(const char *name);

/* Whether the running kernel has the module, loaded, built in or on disk. Returns 1, 0 or -errno. */
int module_exists(const char *name);
