/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What a disk is, whatever it is called: paths may have symbolic links in them, and links be changed by whoever owns a directory. */

#include <sys/stat.h>

#include "guest.h"
#include "reset.h"

#define RESET_STATE "var/lib/vxm/guests"

/* Opens the directory of a disk to remove that from it, and says in *ret_name what it is called there. Returns a descriptor; -ELOOP: a
 * symbolic link is on the way, or in its place; -EPERM: the directory is not root's alone; -ENOENT: there is no such file; -errno. */
int reset_disk_open_directory(int root, const char *path, const char **ret_name);

/* Whether an open directory is one of those above, or is itself, that one. */
bool reset_directory_is_below(int directory, const struct stat *top);

/* The path of a disk of another guest's that would go with what is listed; NULL: none. */
const char *reset_find_missed(int root, const Reset *l, const Guest *other);
