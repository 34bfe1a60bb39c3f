/* SPDX-License-Identifier: BSD-3-Clause */
/* Static binding: functions that guest files want on vfio-pci from boot on, before any other driver has seen them.
 *
 * Three layers do it, each alone enough: the initramfs, a udev rule and vxm-static-bind.service. The first two are files
 * that static_enable() makes from the guest files and static_disable() removes; the last is static_bind(). */

#pragma once

#include <stdbool.h>

/* Makes all files for the functions that guest files below root want bound at boot, rebuilds the initramfs and enables
 * vxm-static-bind.service; what an earlier run made and is no longer wanted goes. Does nothing if all is as it should be.
 * With dry_run, prints what would be written and run instead. Errors are logged.
 *
 * Returns 0, or -errno as exit-status.h has it; when it fails, no file has changed. */
int static_enable(int root, bool dry_run);

/* Whether what is listed to be bound at boot is what guest files ask for. Returns 1, 0, or -errno, logged: it cannot be told. */
int static_is_current(int root);

/* Removes exactly what static_enable() has made, rebuilds the initramfs without it, and disables the unit. Returns 0, also
 * when there is nothing to remove, or -errno. Errors are logged. */
int static_disable(int root, bool dry_run);

/* What vxm-static-bind.service runs at boot: says for each function which layer has bound it, and binds what none has, if
 * no other driver has it or that driver can be made to let go. Returns 0, or -errno. Errors are logged. */
int static_bind(int root, bool dry_run);
