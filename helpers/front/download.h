/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Files that new guests need, kept for the next one in /var/lib/vxm/images/downloads. A file there has its digest in its name, comes to its
 * name only when it is what that says, and is checked again before it is used. */

#include "digest.h"
#include "guest.h"

#define DOWNLOADS "var/lib/vxm/images/downloads"

typedef struct Download {
        const GuestDownload *wish;
        char *url;                /* with “*” resolved */
        char digest[DIGEST_MAX];
        char *name;               /* of the file in DOWNLOADS */
} Download;

/* Finds out which file it is and what its digest is; fetches the list if that is to tell. Returns 0, -EINTR, or -errno, logged. */
int download_find(const GuestDownload *wish, uint64_t patience, Download *ret);

/* Makes the file be there, whole and right. Returns a descriptor, -EINTR, or -errno, logged. What has come of one that broke off stays
 * there, hidden, and the next try goes on with it. */
int download_get(int root, const Download *d, uint64_t patience);

void download_done(Download *d);
