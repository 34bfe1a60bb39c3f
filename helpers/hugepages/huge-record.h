/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The undo record of vxm-hugepages: how many huge pages one guest takes on each node, and how many of these were added to
 * the pool for it. A change of the pool is noted before it is made, as the count before and the count meant; whoever
 * holds the lock next finds out by the count there is how far it got (huge_record_settle()). So a kill at any instant
 * leaves what is needed to take away exactly what has been added. */

#include "memory-nodes.h"
#include "util.h"

typedef struct HugeClaim {
        unsigned node;
        uint64_t page_size; /* bytes; of a node there is one claim for each size */
        uint64_t need;      /* pages that the guest takes there */
        uint64_t added;     /* pages that were put into the pool for it */
        uint64_t from, to;  /* a change on its way: pages that stay in the pool by themselves, before and after; equal: none */
} HugeClaim;

typedef struct HugeRecord {
        HugeClaim *items;
        size_t n;
} HugeRecord;

/* The claim on a node's pages, or NULL. huge_record_get() makes it where there is none; NULL: out of memory. */
HugeClaim *huge_record_find(const HugeRecord *record, unsigned node, uint64_t page_size);
HugeClaim *huge_record_get(HugeRecord *record, unsigned node, uint64_t page_size);

void huge_record_done(HugeRecord *record);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int huge_record_parse(char *text, HugeRecord *ret);

/* Ends a change that was on its way, now that there are so many pages: what has really come or gone goes into added. */
void huge_claim_settle(HugeClaim *claim, uint64_t pages);

/* Does so for all of a guest's record, and keeps it if anything was on its way. To be called under the lock. Returns 0 or
 * -errno. */
int huge_record_settle(int root, const char *guest, HugeRecord *record);

/* Keeps the record as run/vxm/hugepages/GUEST below root: all of it, or -errno and nothing. */
int huge_record_save(int root, const char *guest, const HugeRecord *record);

/* Returns 0; -ENOENT: there is none; -EBADMSG: it is damaged; -errno. */
int huge_record_load(int root, const char *guest, HugeRecord *ret);

/* The guests that have a record. Returns 0 or -errno; there may be none. */
int huge_record_guests(int root, char ***ret, size_t *ret_n);

/* Removes the record. Returns 0, also when there is none, or -errno. */
int huge_record_forget(int root, const char *guest);
