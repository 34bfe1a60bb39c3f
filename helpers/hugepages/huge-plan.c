/* SPDX-License-Identifier: BSD-3-Clause */
/* Placing a guest's huge pages on nodes. */

#include "huge-plan.h"

uint64_t huge_node_usable(const HugeNode *node) {
        return node->memory.free > node->awaited ? node->memory.free - node->awaited : 0;
}

uint64_t huge_node_makeable(const HugePool *pool, const HugeNode *node) {
        return node->exhausted || !node->memory.has_pool ? 0 : node->memory.available / pool->page_size;
}

static uint64_t room(const HugePool *pool, const HugeNode *node) {
        return huge_node_usable(node) + huge_node_makeable(pool, node);
}

uint64_t huge_pool_usable(const HugePool *pool) {
        uint64_t sum = 0;

        for (size_t i = 0; i < pool->n; i++)
                sum += huge_node_usable(&pool->items[i]);
        return sum;
}

uint64_t huge_pool_makeable(const HugePool *pool) {
        uint64_t sum = 0;

        for (size_t i = 0; i < pool->n; i++)
                sum += huge_node_makeable(pool, &pool->items[i]);
        return sum;
}

bool huge_pool_exists(const HugePool *pool) {
        for (size_t i = 0; i < pool->n; i++)
                if (pool->items[i].memory.has_pool)
                        return true;
        return false;
}

static void place_on(HugeNode *node, uint64_t pages) {
        uint64_t usable = huge_node_usable(node);

        node->take = pages;
        node->add = pages > usable ? pages - usable : 0;
}

/* The node to place on next: one that has room for all; of those, or else of all, the nearest to the guest's CPUs; then the
 * one with the most free pages, and where that is not the question the one with the most room. */
static HugeNode *best_node(const HugePool *pool, uint64_t need) {
        HugeNode *best = NULL;

        for (size_t i = 0; i < pool->n; i++) {
                HugeNode *node = &pool->items[i];
                bool fits = room(pool, node) >= need;

                if (node->take > 0 || room(pool, node) == 0)
                        continue;
                if (!best) {
                        best = node;
                } else if (fits != (room(pool, best) >= need)) {
                        best = fits ? node : best;
                } else if (node->near != best->near) {
                        best = node->near > best->near ? node : best;
                } else if (fits && huge_node_usable(node) != huge_node_usable(best)) {
                        best = huge_node_usable(node) > huge_node_usable(best) ? node : best;
                } else if (room(pool, node) > room(pool, best)) {
                        best = node;
                }
        }
        return best;
}

int huge_pool_place(HugePool *pool, uint64_t need) {
        for (size_t i = 0; i < pool->n; i++)
                pool->items[i].take = pool->items[i].add = 0;
        if (huge_pool_usable(pool) + huge_pool_makeable(pool) < need)
                return -ENOSPC;

        while (need > 0) {
                HugeNode *node = best_node(pool, need);
                uint64_t pages = node ? room(pool, node) : 0;

                if (!node)
                        return -ENOSPC;
                pages = pages < need ? pages : need;
                place_on(node, pages);
                need -= pages;
        }
        return 0;
}

void huge_pool_done(HugePool *pool) {
        free(pool->items);
        *pool = (HugePool){};
}
