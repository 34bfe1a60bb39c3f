/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The machine's memory, node by node, as the kernel tells it in /sys/devices/system/node: how much there is, how much of it
 * is available, and the pool of huge pages of one size. (Not /proc/meminfo, which the sandbox of a guest's unit has not.) */

#include "cpu-set.h"
#include "util.h"

typedef struct MemoryNode {
        unsigned number;
        uint64_t total, available; /* bytes. available: free, or freed without swapping anything out; an estimate */
        CpuSet cpus;               /* those near to it; none: memory alone, such as CXL */
        bool has_pool;             /* there are huge pages of the size asked for; else the rest is 0 */
        uint64_t pages;            /* in the pool: nr_hugepages */
        uint64_t free;             /* of these, not in use */
        uint64_t surplus;          /* of these, those that leave the pool when they are no longer in use */
} MemoryNode;

typedef struct MemoryNodes {
        MemoryNode *items; /* by their numbers; nodes without memory are left out */
        size_t n;
} MemoryNodes;

enum {
        MEMORY_NODES_MAX = 1024, /* the kernel's own limit on x86 (CONFIG_NODES_SHIFT) */
};

/* Reads a node's meminfo (changed in place). Returns 0, or -EINVAL when it is none. */
int memory_node_parse(char *text, MemoryNode *node);

/* Looks at all nodes, and at the pools of pages of page_size bytes (0: at none). A machine that tells nothing of its memory
 * has no nodes. Returns 0 or -errno. */
int memory_nodes_read(int root, uint64_t page_size, MemoryNodes *ret);

/* The same for the pool of one node, again. Returns 0; -ENOENT: there are no pages of that size; -errno. */
int memory_node_read_pool(int root, uint64_t page_size, MemoryNode *node);

/* The pages that stay in the pool by themselves: what writing nr_hugepages sets. */
uint64_t memory_node_lasting(const MemoryNode *node);

/* Where a file of a node's pool is, relative to the root. Returns 0 or -ENOMEM. */
int memory_node_pool_file(const MemoryNode *node, uint64_t page_size, const char *name, char **ret);

/* Sums over all nodes, in bytes. */
uint64_t memory_nodes_total(const MemoryNodes *nodes);
uint64_t memory_nodes_available(const MemoryNodes *nodes);

void memory_nodes_done(MemoryNodes *nodes);

/* A size for a message: “512 MiB”, “2.5 GiB”; rounded down, and down again is fine for what is available. */
enum {
        SIZE_TEXT_MAX = 32,
};
const char *size_text(uint64_t bytes, char buffer[static SIZE_TEXT_MAX]);
