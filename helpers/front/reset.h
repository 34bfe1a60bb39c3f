/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What vxm has made on a machine, and its removal. */

#include "util.h"

typedef struct ResetItem {
        char *path; /* below the root, no leading slash; of a directory all that is in it goes, too */
        bool disks; /* a disk, or a directory with disks in it */
} ResetItem;

typedef struct Reset {
        ResetItem *items; /* in the order in which they go */
        size_t n;
        char **users; /* of guests that leave nothing behind */
        size_t n_users;
        char **kept; /* disks, and directories with disks, which stay */
        size_t n_kept;
        bool binding; /* static binding is on, and is to be switched off */
        bool rebinding; /* it is on for the guest, and is to be made anew for others, or switched off */
} Reset;

/* Finds what has been made for a guest; NULL: for all, and for the machine. disks: with disks. Returns 0; -E_BUSY: a guest runs, or something
 * is taken for it; -E_CONFIG: there is no such guest, or another one has a disk of its; -errno; logged. Looks only. */
int reset_find(int root, const char *guest, bool disks, Reset *ret);

/* Judges again what reset_find() has found: much may have happened since it was shown. Returns as that. */
int reset_judge(int root, const char *guest, bool disks, const Reset *l);

/* One a line. */
void reset_print(const Reset *l, FILE *f);

/* Removes all of it; what cannot be removed is told, and the rest goes all the same. Returns 0 or the first -errno. */
int reset_run(int root, const Reset *l);

void reset_done(Reset *l);
