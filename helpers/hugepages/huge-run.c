/* SPDX-License-Identifier: BSD-3-Clause */
/* The writes of vxm-hugepages. nr_hugepages of a node is the number of pages that stay in its pool by themselves; the kernel
 * makes or frees pages until it is so, or until it cannot, and reports success in either case. What is in use beyond the
 * number becomes surplus, which is freed when nobody uses it any more (Documentation/admin-guide/mm/hugetlbpage.rst). */

#include <inttypes.h>

#include "huge-run.h"
#include "log.h"
#include "messages.h"
#include "root.h"

enum {
        ATTEMPTS = 3, /* as it is, after compacting memory, and once more */
};

static int refuse_write(int r, const HugeClaim *claim, uint64_t pages) {
        if (r == -EINVAL && pages > claim->from && claim->page_size >= UINT64_C(1) << 30)
                return log_event_errno(r, MESSAGE_MEMORY_SHORT, NULL,
                        "This kernel makes no huge pages of 1 GiB while it runs: have it make them at boot, by hugepagesz=1G "
                        "hugepages=%" PRIu64 " on its command line, or set HugePages=2M.",
                        pages);
        return log_error_errno(r, "Cannot set the huge pages of node %u to %" PRIu64 ": %s.", claim->node, pages, strerror(-r));
}

/* Brings the node's pool to so many pages, as far as the kernel can, and notes before what is to come and after it what has
 * come. node is read again. */
static int set_pages(int root, const char *guest, MemoryNode *node, HugeClaim *claim, uint64_t pages, HugeRecord *record) {
        _cleanup_(freep) char *path = NULL;
        char text[24];
        int r, q;

        claim->from = memory_node_lasting(node);
        claim->to = pages;
        (void) snprintf(text, sizeof text, "%" PRIu64, pages);
        r = memory_node_pool_file(node, claim->page_size, "nr_hugepages", &path);
        r = r < 0 ? r : huge_record_save(root, guest, record);
        if (r < 0)
                return log_error_errno(r, "Cannot write /run/vxm/hugepages/%s: %s.", guest, strerror(-r));
        r = root_write(root, path, text);
        if (r < 0)
                (void) refuse_write(r, claim, pages);

        q = memory_node_read_pool(root, claim->page_size, node);
        if (q < 0)
                return log_error_errno(q, "Cannot read how many huge pages node %u has: %s.", node->number, strerror(-q));
        huge_claim_settle(claim, memory_node_lasting(node));
        q = huge_record_save(root, guest, record);
        if (q < 0)
                return log_error_errno(q, "Cannot write /run/vxm/hugepages/%s: %s.", guest, strerror(-q));
        return r;
}

/* Without it there is only less memory in one piece: not worth a failure. */
static void compact(int root) {
        int r = root_write(root, "proc/sys/vm/compact_memory", "1");

        if (r < 0)
                log_debug("Cannot compact memory: %s.", strerror(-r));
}

int huge_run_add(int root, const char *guest, HugePool *pool, HugeNode *node, HugeRecord *record) {
        HugeClaim *claim = huge_record_get(record, node->memory.number, pool->page_size);
        uint64_t before = memory_node_lasting(&node->memory), added;
        int r = 0;

        if (!claim)
                return log_oom();
        claim->need = node->take;
        added = claim->added;
        for (int attempt = 0; r >= 0 && attempt < ATTEMPTS && huge_node_usable(node) < node->take; attempt++) {
                if (attempt > 0)
                        compact(root);
                /* Surplus pages, which others use, come to stay first: they are no help. */
                r = set_pages(root, guest, &node->memory, claim,
                        node->memory.pages + node->take - huge_node_usable(node), record);
        }
        if (r < 0)
                return r;
        node->exhausted = huge_node_usable(node) < node->take;
        added = claim->added > added ? claim->added - added : 0;
        node->memory.available -= added * pool->page_size < node->memory.available ? added * pool->page_size
                                                                                 : node->memory.available;
        if (added > 0)
                log_event(LOG_INFO, MESSAGE_PAGES_ADDED, NULL,
                        "Huge pages on node %u: %" PRIu64 " added, %" PRIu64 " → %" PRIu64 ".", claim->node, added, before,
                        before + added);
        return 0;
}

int huge_run_give_back(int root, const char *guest, HugeClaim *claim, uint64_t awaited, HugeRecord *record,
        uint64_t *ret_kept) {
        MemoryNode node = { .number = claim->node };
        uint64_t stay, give, noted = claim->added;
        int r;

        *ret_kept = 0;
        r = memory_node_read_pool(root, claim->page_size, &node);
        if (r == -ENOENT) { /* taken out of the machine since, and its pool with it */
                claim->added = 0;
                return 0;
        }
        if (r < 0)
                return log_error_errno(r, "Cannot read how many huge pages node %u has: %s.", claim->node, strerror(-r));
        stay = memory_node_lasting(&node);
        if (noted > stay) /* somebody else has taken pages away: ours were among them */
                claim->added = noted = stay;
        give = noted;
        if (awaited > 0 && give > (node.free > awaited ? node.free - awaited : 0))
                give = node.free > awaited ? node.free - awaited : 0;
        if (give > 0) {
                r = set_pages(root, guest, &node, claim, stay - give, record);
                if (r < 0)
                        return r;
                log_event(LOG_INFO, MESSAGE_PAGES_RETURNED, NULL,
                        "Huge pages on node %u: %" PRIu64 " given back, %" PRIu64 " → %" PRIu64 ".", claim->node,
                        noted - claim->added, stay, memory_node_lasting(&node));
                if (node.surplus > 0)
                        log_info("Huge pages on node %u: %" PRIu64 " are still in use; the kernel takes them away when they are "
                                 "not.",
                                claim->node, node.surplus);
        }
        *ret_kept = claim->added;
        return 0;
}
