/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* One transfer by HTTP: the only place of vxm that speaks to the network. What comes is not trusted: its length has a limit, and the
 * caller holds it against a digest. */

#include "progress.h"

typedef struct Fetch {
        const char *url;
        uint64_t patience;  /* µs that the server may be silent */
        bool safe_only;     /* nobody on the way may change it: redirections to plain HTTP are not followed */
        uint64_t limit;     /* bytes, at most */
        Progress *progress; /* NULL: none is shown */
} Fetch;

/* All of it into memory, NUL-terminated. Returns 0 or -errno, logged. */
int fetch_text(const Fetch *f, char **ret);

/* Into a file, behind what is there already of it, if the server goes along with that; else anew. When it breaks off, what has come stays.
 * Returns 0; -E_BUSY: another try may help; -E_CONFIG: the URL leads nowhere; -ENOSPC: there is no room; -EINTR, not logged; -errno.
 * Logged. */
int fetch_file(const Fetch *f, int fd);
