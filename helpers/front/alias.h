/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Commands @NAME, which are links to vxm: where they are, and which of what is there are vxm's. */

#include "util.h"

#define ALIAS_SYSTEM "/usr/local/bin"

/* Where a user's own are. Returns 0; -ENOENT: there is no $HOME; -ENOMEM. */
int alias_home(char **ret);

/* Where those of who has called us are, be it by sudo, under which $HOME is root's. Links that are made there would be root's, too.
 * Returns as that. */
int alias_home_of_caller(char **ret);

/* What the link at path leads to, if that is a vxm; NULL: it is another link, or none. A relative path
 * begins at directory. To be freed. */
char *alias_target(int directory, const char *path);
