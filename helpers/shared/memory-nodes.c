/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory by nodes. Only reads. */

#include <inttypes.h>

#include "memory-nodes.h"
#include "parse.h"
#include "root.h"

#define NODES "sys/devices/system/node"

enum {
        KEPT_SHARE = 64, /* one part in so many of a node's memory is no program's: the kernel's watermarks and reserves */
};

/* What counts as available, as in the kernel's si_mem_available(): free pages, the page cache but what lies in memory only
 * (shmem is no part of these lists), and the slabs that can be shrunk. */
static const struct {
        const char *name;
        bool total;
} fields[] = {
        { "MemTotal:", true },
        { "MemFree:", false },
        { "Active(file):", false },
        { "Inactive(file):", false },
        { "SReclaimable:", false },
};

static void add_field(MemoryNode *node, const char *name, uint64_t bytes) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(name, fields[i].name))
                        *(fields[i].total ? &node->total : &node->available) += bytes;
}

/* “Node 0 MemTotal:       16384 kB”. Lines of other forms are of no interest. */
static int parse_line(char *line, MemoryNode *node) {
        char *words[5] = {}, *state;
        size_t n = 0;
        uint64_t kib;
        int r;

        for (char *word = strtok_r(line, " \t", &state); word && n < ELEMENTSOF(words); word = strtok_r(NULL, " \t", &state))
                words[n++] = word;
        if (n != 5 || !streq(words[0], "Node") || !streq(words[4], "kB"))
                return 0;
        r = parse_number(words[3], 0, UINT64_MAX >> 20, &kib);
        if (r >= 0)
                add_field(node, words[2], kib << 10);
        return r < 0 ? -EINVAL : 0;
}

int memory_node_parse(char *text, MemoryNode *node) {
        uint64_t kept;
        char *state;
        int r = 0;

        node->total = node->available = 0;
        for (char *line = strtok_r(text, "\n", &state); line && r >= 0; line = strtok_r(NULL, "\n", &state))
                r = parse_line(line, node);
        if (r < 0)
                return r;
        kept = node->total / KEPT_SHARE;
        node->available = node->available > kept ? node->available - kept : 0;
        return 0;
}

int memory_node_pool_file(const MemoryNode *node, uint64_t page_size, const char *name, char **ret) {
        return format(ret, NODES "/node%u/hugepages/hugepages-%" PRIu64 "kB/%s", node->number, page_size >> 10, name);
}

static int read_pool_file(int root, const MemoryNode *node, uint64_t page_size, const char *name, uint64_t *ret) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = memory_node_pool_file(node, page_size, name, &path);
        return r < 0 ? r : root_read_number(root, path, ret);
}

/* There is no one file for all of it: surplus pages that go between two looks would count as pages that stay. */
int memory_node_read_pool(int root, uint64_t page_size, MemoryNode *node) {
        uint64_t before;
        int r;

        do {
                r = read_pool_file(root, node, page_size, "surplus_hugepages", &before);
                r = r < 0 ? r : read_pool_file(root, node, page_size, "nr_hugepages", &node->pages);
                r = r < 0 ? r : read_pool_file(root, node, page_size, "free_hugepages", &node->free);
                r = r < 0 ? r : read_pool_file(root, node, page_size, "surplus_hugepages", &node->surplus);
        } while (r >= 0 && node->surplus != before);
        node->has_pool = r >= 0;
        return r;
}

uint64_t memory_node_lasting(const MemoryNode *node) {
        return node->pages > node->surplus ? node->pages - node->surplus : 0;
}

static int read_cpus(int root, MemoryNode *node) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        r = format(&path, NODES "/node%u/cpulist", node->number);
        r = r < 0 ? r : root_read(root, path, &text);
        if (r == -ENOENT)
                return 0; /* a machine recorded before this was of interest */
        return r < 0 ? r : cpu_set_parse(text, &node->cpus);
}

static int read_node(int root, uint64_t page_size, MemoryNode *node) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        r = format(&path, NODES "/node%u/meminfo", node->number);
        r = r < 0 ? r : root_read(root, path, &text);
        r = r < 0 ? r : memory_node_parse(text, node);
        r = r < 0 ? r : read_cpus(root, node);
        if (r < 0 || page_size == 0)
                return r;
        r = memory_node_read_pool(root, page_size, node);
        return r == -ENOENT ? 0 : r;
}

static int add_node(int root, uint64_t page_size, const char *name, MemoryNodes *nodes) {
        const char *digits = startswith(name, "node");
        MemoryNode node = {}, *slot;
        uint64_t number;
        int r;

        if (!digits || parse_number(digits, 0, MEMORY_NODES_MAX - 1, &number) < 0)
                return 0; /* another kind of file */
        node.number = (unsigned) number;
        r = read_node(root, page_size, &node);
        if (r == -ENOENT || (r >= 0 && node.total == 0))
                return 0; /* gone, or it has processors only */
        if (r < 0)
                return r;
        slot = ARRAY_GROW(nodes->items, nodes->n);
        if (!slot)
                return -ENOMEM;
        nodes->n++;
        *slot = node;
        return 0;
}

static int compare_nodes(const void *a, const void *b) {
        unsigned x = ((const MemoryNode *) a)->number, y = ((const MemoryNode *) b)->number;

        return x < y ? -1 : x > y;
}

int memory_nodes_read(int root, uint64_t page_size, MemoryNodes *ret) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, NODES, &names, &n);
        if (r == -ENOENT)
                r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_node(root, page_size, names[i], &nodes);
        strings_free(names, n);
        if (r < 0)
                return r;
        if (nodes.n > 0)
                qsort(nodes.items, nodes.n, sizeof *nodes.items, compare_nodes);
        *ret = nodes;
        nodes = (MemoryNodes){};
        return 0;
}

uint64_t memory_nodes_total(const MemoryNodes *nodes) {
        uint64_t sum = 0;

        for (size_t i = 0; i < nodes->n; i++)
                sum += nodes->items[i].total;
        return sum;
}

uint64_t memory_nodes_available(const MemoryNodes *nodes) {
        uint64_t sum = 0;

        for (size_t i = 0; i < nodes->n; i++)
                sum += nodes->items[i].available;
        return sum;
}

void memory_nodes_done(MemoryNodes *nodes) {
        free(nodes->items);
        *nodes = (MemoryNodes){};
}

const char *size_text(uint64_t bytes, char buffer[static SIZE_TEXT_MAX]) {
        uint64_t mib = bytes >> 20, tenths = (bytes >> 20) * 10 / 1024;

        if (mib < 1024)
                (void) snprintf(buffer, SIZE_TEXT_MAX, "%" PRIu64 " MiB", mib);
        else if (tenths % 10 == 0)
                (void) snprintf(buffer, SIZE_TEXT_MAX, "%" PRIu64 " GiB", tenths / 10);
        else
                (void) snprintf(buffer, SIZE_TEXT_MAX, "%" PRIu64 ".%" PRIu64 " GiB", tenths / 10, tenths % 10);
        return buffer;
}
