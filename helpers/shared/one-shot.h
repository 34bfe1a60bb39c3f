/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the helpers have in common that do one thing for a guest, and undo it with --release. */

#include "cli.h"

typedef struct OneShot {
        const char **root;     /* --root; “/” unless given */
        const char **guest;    /* the operand */
        const bool *release;   /* --release */
        int (*act)(int root);  /* each returns 0 or a negative errno after a message */
        int (*undo)(int root);
} OneShot;

/* main() of a helper whose command line asks for nothing else. Returns an exit status. */
int one_shot_main(const Cli *cli, int argc, char *argv[], const OneShot *what);

/* Opens the machine's root at path and looks at the guest's name, as it comes from the command line and becomes part of paths;
 * then acts. Returns what act does, or -E_CONFIG or -errno after a message. */
int one_shot_run(const char *path, const char *guest, int (*act)(int root));

/* Takes the lock of a kind of records, see record_file_lock(), unless nothing is to be changed. Returns 0, or -errno after a
 * message. */
int one_shot_lock(int root, const char *kind, bool dry_run, int *ret_fd);
