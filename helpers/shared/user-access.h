/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether another user may open a file, as far as owners and modes tell: for who has to know it before that user looks
 * itself, and may not become that user. */

#include <sys/types.h>

#include "util.h"

/* As the file system sees a user. */
typedef struct UserIds {
        uid_t uid;
        gid_t *groups; /* all of them */
        size_t n;
} UserIds;

/* Asks the machine's user database. Returns 0, -ENOENT or -errno. */
int user_ids_find(const char *name, UserIds *ret);
void user_ids_done(UserIds *u);

/* Whether the user may do what wanted (R_OK, W_OK, X_OK) says with the file at path, below root, and may enter the directories
 * that lead there. Where there are access control lists, or may be, the answer is yes: they are the kernel's to read.
 * Returns 1 or -errno; 0 and what the user may not enter, or not open, in *ret_where, without what leads to root. */
int user_may(int root, const char *path, const UserIds *u, int wanted, char **ret_where);
