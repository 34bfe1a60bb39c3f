/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What guests with a record already hold of the pool, and what they still wait for: a free page may be another guest's that
 * is just about to start. */

#include "huge-record.h"

typedef struct HugeGuest {
        char *name;
        HugeRecord record;
        uint64_t held; /* bytes in huge pages that its processes have right now */
        bool ending;   /* one of its processes is about to be gone: what it had is neither held nor free yet */
} HugeGuest;

typedef struct HugeGuests {
        HugeGuest *items;
        size_t n;
} HugeGuests;

/* /proc/PID/status: the bytes that the process has in huge pages. Returns 1; 0: it has no memory of its own, as when it is
 * about to be gone; -EINVAL. */
int huge_status_parse(const char *text, uint64_t *ret);

/* All guests with a record, whose changes on their way are settled (not if dry_run), and what their units' processes hold. To
 * be called under the lock. Returns 0; -EBADMSG: a record is damaged, and *ret_damaged names its guest; -errno. */
int huge_guests_read(int root, bool dry_run, HugeGuests *ret, char **ret_damaged);

/* The guest of that name, or NULL. */
HugeGuest *huge_guests_find(const HugeGuests *guests, const char *name);

/* Free pages of a node that guests other than this one wait for. A guest waits for all of its pages until it has all. One
 * that is ending waits for none (ending: it does, as its pages may be free any moment, and are to be given back then). */
uint64_t huge_guests_awaited(const HugeGuests *guests, const char *name, unsigned node, uint64_t page_size, bool ending);

void huge_guests_done(HugeGuests *guests);
