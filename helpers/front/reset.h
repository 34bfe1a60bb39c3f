/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What vxm has made on a machine, and its removal. */

#include <sys/types.h>

#include "util.h"

typedef enum ResetKind {
        RESET_TREE, /* whatever it is; of a directory all that is in it goes, too */
        RESET_LINK, /* a command @NAME */
        RESET_DISK, /* a file outside of the guests' directories */
        RESET_USER,
} ResetKind;

typedef struct ResetItem {
        ResetKind kind;
        char *path;  /* below the root, no leading slash; of a user the name */
        char *guest; /* whose it is; NULL: nobody's */
        bool disks;  /* a disk, or a directory with disks in it */
        bool last;   /* stays as long as anything else of the guest does */
        dev_t device; /* of RESET_DISK: which file it is */
        ino_t inode;
} ResetItem;

/* What is not removed. */
typedef struct ResetKept {
        char *path;
        const char *why;
} ResetKept;

typedef struct Reset {
        ResetItem *items; /* in the order in which they go, but users after all else */
        size_t n;
        ResetKept *kept;
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

/* Removes all of it; what cannot be removed is told, and the rest goes all the same, but the files of its guest, which name it. Returns 0 or
 * the first -errno. */
int reset_run(int root, const Reset *l);

void reset_done(Reset *l);
