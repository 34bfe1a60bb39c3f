/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* On which nodes a guest gets its huge pages, and how many have to be added there first. Data in, data out. */

#include "memory-nodes.h"

typedef struct HugeNode {
        MemoryNode memory;
        uint64_t awaited; /* free pages that are other guests' */
        unsigned near;    /* how near to the guest's CPUs: 2 those of Pin= are there, 1 others are, 0 none are */
        bool exhausted;   /* it has been seen that no more can be made there */
        uint64_t take;    /* the plan: pages that the guest takes here … */
        uint64_t add;     /* … and how many of them have to be added to the pool before */
} HugeNode;

typedef struct HugePool {
        uint64_t page_size; /* bytes */
        HugeNode *items;
        size_t n;
} HugePool;

/* Free pages that nobody waits for, and pages that could be added. */
uint64_t huge_node_usable(const HugeNode *node);
uint64_t huge_node_makeable(const HugePool *pool, const HugeNode *node);
uint64_t huge_pool_usable(const HugePool *pool);
uint64_t huge_pool_makeable(const HugePool *pool);

/* Whether any node has pages of this size at all. */
bool huge_pool_exists(const HugePool *pool);

/* Places need pages: all on one node if one has room for them, the nearest to the guest's CPUs, and then the one with the most
 * pages that need not be made; else on as few nodes as it takes. Returns 0; -ENOSPC: there is not so much, and no plan. */
int huge_pool_place(HugePool *pool, uint64_t need);

void huge_pool_done(HugePool *pool);
