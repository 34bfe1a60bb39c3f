/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the host itself uses, and on which device each of it hangs: by content, whatever the device's class says. */

#include "pci.h"

typedef enum HostUseType {
        HOST_USE_FILE_SYSTEM,
        HOST_USE_SWAP,
        HOST_USE_NETWORK,
        HOST_USE_INPUT,
        HOST_USE_DISPLAY,
} HostUseType;

typedef struct HostUse {
        HostUseType type;
        char *path; /* the device's directory below /sys, like PciFunction.path; it lies within that of its PCI function */
        char *text; /* “the root file system (sda2)”, “the default route (enp42s0)”, “keyboard “K120””, “the display on DP-1” */
} HostUse;

typedef struct HostUses {
        HostUse *items; /* in the order of the types; the root file system first */
        size_t n;
} HostUses;

/* Scans the machine once: mounted file systems and swap through all that lies between them and a disk (partitions, device
 * mapper, md, bcache, btrfs, ZFS), default routes and interfaces that are up through bridges, bonds and VLANs, keyboards and
 * pointers, displays that are lit. Mounts and routes are those of PID 1 and our own: a sandboxed unit has less of both than
 * the machine. Returns 0, or -errno when something in use cannot be read, which has been logged: what is not known might be
 * what the host cannot do without. What has no PCI device is in the list, too. */
int host_uses_read(int root, HostUses *ret);

/* What the host would lose with a function: the texts joined with “, ”, or NULL when that is nothing. A PCI-to-PCI bridge
 * stays with the host when what is behind it goes, so what hangs on other functions behind it is not counted. */
int host_uses_of(const HostUses *l, const PciFunction *f, char **ret);

/* Whether a use would be lost with f, as host_uses_of() has it. */
bool host_use_is_of(const HostUse *u, const PciFunction *f);

void host_uses_done(HostUses *l);

/* For the module's parts: notes one use of the device at path (below /sys); what is noted already, or hangs on no device,
 * is passed over. */
int host_uses_add(int root, HostUses *l, HostUseType type, const char *path, const char *fmt, ...) _printf_(5, 6);
