/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What all files of a guest say together, key by key, and where each value comes from. */

#include "util.h"

typedef enum MergedOrigin {
        MERGED_PRESET, /* or one of its drop-ins */
        MERGED_GUEST,
        MERGED_DROP_IN,
        MERGED_DEFAULT, /* no file says it */
} MergedOrigin;

typedef struct MergedKey {
        char *section; /* “Disk system” */
        char *key;     /* NULL: only the section's own line, of one that has a name and says nothing */
        char *value;
        MergedOrigin origin;
        char *file; /* with a leading slash; NULL: a default */
        unsigned line;
} MergedKey;

typedef struct MergedGuest {
        MergedKey *items; /* the keys of a section together; sections in the order in which they first come */
        size_t n;
} MergedGuest;

const char *merged_origin_name(MergedOrigin origin);

/* Reads them. defaults: with what holds because no file says otherwise. Values are as the files have them, whether they are right or
 * not. Returns 0; -E_CONFIG: there is no such guest, or a file cannot be read as one, logged, and *ret has what could be; -errno. */
int merged_guest_read(int root, const char *name, bool defaults, MergedGuest *ret);

void merged_guest_done(MergedGuest *m);
