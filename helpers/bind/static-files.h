/* SPDX-License-Identifier: BSD-3-Clause */
/* Which files make static binding, and what stands in them: from facts alone. Nothing here reads or writes. */

#pragma once

#include "pci.h"

/* What is where. The link is what `systemctl enable vxm-static-bind` makes. */
#define STATIC_DEVICES "etc/vxm/static-devices"
#define STATIC_MODPROBE "etc/modprobe.d/vxm-static.conf"
#define STATIC_RULES "etc/udev/rules.d/60-vxm-static.rules"
#define STATIC_MKINITCPIO "etc/mkinitcpio.conf.d/vxm-static.conf"
#define STATIC_WANTS "etc/systemd/system/sysinit.target.wants/vxm-static-bind.service"

/* Is there while the initramfs is not up to date with these files. */
#define STATIC_PENDING "var/lib/vxm/initramfs-pending"

/* The first line of each file that is made here; what does not begin with it is not ours to change. */
#define STATIC_HEADER "# Made by vxm-bind --static --enable from the guest files. Changes here are lost.\n"

typedef struct StaticFile {
        const char *path; /* below the root, no leading slash */
        mode_t mode;
        char *content; /* of a file; NULL: a symbolic link */
        char *target;  /* of a link */
} StaticFile;

typedef struct StaticFiles {
        StaticFile *items;
        size_t n;
} StaticFiles;

/* All paths that static_files_make() may ever give, ending with NULL: where to look for what an earlier run has made. */
extern const char *const static_paths[];

typedef struct StaticFacts {
        const PciFunctions *bound;    /* to be bound at boot; a GPU the machine boots on is among them only if it may be */
        const PciFunctions *all;      /* of the machine */
        const char *const *modules;   /* the modules of host drivers for these functions, sorted, each once */
        size_t n_modules;
        bool mkinitcpio;              /* that makes the machine's initramfs */
        const char *unit;             /* the unit's path on the machine, with a leading slash */
} StaticFacts;

/* Returns 0 or -ENOMEM. */
int static_files_make(const StaticFacts *facts, StaticFiles *ret);

void static_files_done(StaticFiles *l);
