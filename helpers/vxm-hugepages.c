/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-hugepages: sees to it that a guest finds the huge pages its memory is to be made of.
 *
 * Started by vxm-hugepages@.service, one instance a guest whose file has HugePages=: once to add what the pool lacks
 * (ExecStart=), and to take that away again (ExecStopPost=, with --release, idempotent). Writes nr_hugepages of nodes below
 * /sys/devices/system/node, compact_memory in /proc/sys/vm, and its record in /run/vxm/hugepages, nothing else. Refuses before
 * the first write what the machine has no memory for. Allocates nothing itself: that is QEMU's part. */

#include <inttypes.h>

#include "cli.h"
#include "exit-status.h"
#include "guest.h"
#include "huge-claims.h"
#include "huge-run.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "root.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

static const char *page_text(uint64_t page_size) {
        return page_size >= UINT64_C(1) << 30 ? "1 GiB" : "2 MiB";
}

/* The records of all guests. Without them what is free may be anybody's, so a damaged one stands in the way. */
static int read_guests(int root, HugeGuests *ret) {
        _cleanup_(freep) char *damaged = NULL;
        int r = huge_guests_read(root, arg_dry_run, ret, &damaged);

        if (arg_dry_run && r == -EACCES)
                return 0; /* only root may see them */
        if (damaged)
                return log_error_errno(r, "Cannot read the undo record /run/vxm/hugepages/%s: %s; correct or remove it.", damaged,
                        strerror(-r));
        return r < 0 ? log_error_errno(r, "Cannot look who has huge pages: %s.", strerror(-r)) : 0;
}

static unsigned nearness(const Guest *g, const MemoryNode *node) {
        if (g->cpu_pin.kind == CPU_PIN_LIST && cpu_set_intersects(&node->cpus, &g->cpu_pin.list))
                return 2;
        return cpu_set_is_empty(&node->cpus) ? 0 : 1;
}

static int read_pool(int root, const Guest *g, const HugeGuests *guests, HugePool *ret) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        int r = memory_nodes_read(root, g->huge_page_size, &nodes);

        if (r < 0)
                return log_error_errno(r, "Cannot look at the machine's memory: %s.", strerror(-r));
        ret->page_size = g->huge_page_size;
        for (size_t i = 0; i < nodes.n; i++) {
                HugeNode *node = ARRAY_GROW(ret->items, ret->n);

                if (!node)
                        return log_oom();
                ret->n++;
                node->memory = nodes.items[i];
                node->near = nearness(g, &node->memory);
                node->awaited = huge_guests_awaited(guests, arg_guest, node->memory.number, g->huge_page_size, true);
        }
        return 0;
}

/* tried: pages could not be made though there seemed to be memory for them. */
static int refuse(const Guest *g, const HugePool *pool, uint64_t need, bool tried) {
        char size[SIZE_TEXT_MAX], memory[SIZE_TEXT_MAX];
        uint64_t total = 0, usable = huge_pool_usable(pool), makeable = huge_pool_makeable(pool);

        for (size_t i = 0; i < pool->n; i++)
                total += pool->items[i].memory.total;
        (void) size_text(need * pool->page_size, size);
        (void) size_text(total, memory);
        if (need * pool->page_size > total)
                return log_event_errno(E_LACKS, MESSAGE_MEMORY_SHORT, NULL,
                        "%s: [Memory] Size= needs %" PRIu64 " huge pages of %s (%s); the machine has %s of memory in all. "
                        "Choose a smaller Size=.",
                        g->file, need, page_text(pool->page_size), size, memory);
        if (tried)
                return log_event_errno(E_BUSY, MESSAGE_MEMORY_SHORT, NULL,
                        "%s: [Memory] Size= needs %" PRIu64 " huge pages of %s (%s); there are %" PRIu64
                        ", more could not be made, as memory is in too small pieces. "
                        "Try again after a boot, or choose a smaller Size=, or HugePages=no.",
                        g->file, need, page_text(pool->page_size), size, usable);
        return log_event_errno(E_BUSY, MESSAGE_MEMORY_SHORT, NULL,
                "%s: [Memory] Size= needs %" PRIu64 " huge pages of %s (%s); there are %" PRIu64
                " free ones, and memory for %" PRIu64 " more. End programs that take memory, or choose a smaller Size=.",
                g->file, need, page_text(pool->page_size), size, usable, makeable);
}

static int place(const Guest *g, HugePool *pool, uint64_t need, bool tried) {
        if (!huge_pool_exists(pool))
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "%s: [Memory] HugePages=: this machine has no huge pages of %s (no "
                        "/sys/devices/system/node/node*/hugepages/hugepages-%" PRIu64 "kB); choose another size, or no.",
                        g->file, page_text(pool->page_size), pool->page_size >> 10);
        return huge_pool_place(pool, need) < 0 ? refuse(g, pool, need, tried) : 0;
}

static void print_plan(const HugePool *pool) {
        for (size_t i = 0; i < pool->n; i++) {
                const HugeNode *node = &pool->items[i];
                uint64_t stay = memory_node_lasting(&node->memory);

                if (node->take > 0)
                        printf("use     %" PRIu64 " pages of %s on node %u, %" PRIu64 " of them free already\n", node->take,
                                page_text(pool->page_size), node->memory.number, node->take - node->add);
                if (node->add > 0)
                        printf("write   %" PRIu64 " > /sys/devices/system/node/node%u/hugepages/hugepages-%" PRIu64
                               "kB/nr_hugepages (it is %" PRIu64 ")\n",
                                node->memory.pages + node->add, node->memory.number, pool->page_size >> 10, stay);
        }
}

/* What has been added stays noted, by earlier runs, too; what the guest takes is what the plan says now. */
static int note_plan(int root, const HugePool *pool, HugeRecord *record) {
        int r;

        for (size_t i = 0; i < record->n; i++)
                record->items[i].need = 0;
        for (size_t i = 0; i < pool->n; i++) {
                const HugeNode *node = &pool->items[i];
                HugeClaim *claim;

                if (node->take == 0)
                        continue;
                claim = huge_record_get(record, node->memory.number, pool->page_size);
                if (!claim)
                        return log_oom();
                claim->need = node->take;
        }
        r = huge_record_save(root, arg_guest, record);
        return r < 0 ? log_error_errno(r, "Cannot write /run/vxm/hugepages/%s: %s.", arg_guest, strerror(-r)) : 0;
}

static HugeNode *node_to_fill(HugePool *pool) {
        for (size_t i = 0; i < pool->n; i++)
                if (pool->items[i].add > 0)
                        return &pool->items[i];
        return NULL;
}

/* Node by node; where one turns out to have less than it seemed to, all is placed anew. Each round fills a node or finds
 * that it is exhausted, so there are not many. */
static int fill(int root, const Guest *g, HugePool *pool, uint64_t need, HugeRecord *record) {
        bool tried = false;
        int r = 0;

        for (size_t round = 0; r >= 0 && round <= 2 * pool->n; round++) {
                HugeNode *node = node_to_fill(pool);

                if (!node)
                        return note_plan(root, pool, record);
                r = huge_run_add(root, arg_guest, pool, node, record);
                tried |= node->exhausted;
                r = r < 0 ? r : place(g, pool, need, tried);
        }
        return r < 0 ? r : refuse(g, pool, need, true);
}

static int take(int root) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        _cleanup_(huge_record_done) HugeRecord fresh = {};
        _cleanup_(huge_pool_done) HugePool pool = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int lock = -EBADF;
        HugeGuest *own;
        uint64_t need;
        int r;

        r = guest_load(root, arg_guest, &g);
        if (r < 0 || g->huge_page_size == 0)
                return r;
        need = g->memory_size / g->huge_page_size;
        r = one_shot_lock(root, "hugepages", arg_dry_run, &lock);
        r = r < 0 ? r : read_guests(root, &guests);
        if (r < 0)
                return r;
        own = huge_guests_find(&guests, arg_guest);
        if (own && own->held >= g->memory_size)
                return 0; /* it runs */
        r = read_pool(root, g, &guests, &pool);
        r = r < 0 ? r : place(g, &pool, need, false);
        if (r < 0)
                return r;
        if (arg_dry_run)
                return print_plan(&pool), 0;

        return fill(root, g, &pool, need, own ? &own->record : &fresh);
}

/* ---- the way back ---- */

static int print_release(const HugeRecord *record) {
        for (size_t i = 0; i < record->n; i++)
                if (record->items[i].added > 0 || record->items[i].from != record->items[i].to)
                        printf("remove  %" PRIu64 " pages of %s on node %u%s\n", record->items[i].added,
                                page_text(record->items[i].page_size), record->items[i].node,
                                record->items[i].from != record->items[i].to ? ", and what an interrupted change has left" : "");
        return 0;
}

/* The guest has ended: whatever becomes of the pages now, others need not leave it any. */
static int need_nothing(int root, HugeRecord *record) {
        bool changed = false;
        int r;

        for (size_t i = 0; i < record->n; i++) {
                changed |= record->items[i].need > 0;
                record->items[i].need = 0;
        }
        r = changed ? huge_record_save(root, arg_guest, record) : 0;
        return r < 0 ? log_error_errno(r, "Cannot write /run/vxm/hugepages/%s: %s.", arg_guest, strerror(-r)) : 0;
}

/* All nodes are tried, also when one fails. */
static int give_back_all(int root, const HugeGuests *guests, HugeRecord *record, uint64_t *ret_kept) {
        int r, first_error = 0;

        *ret_kept = 0;
        for (size_t i = 0; i < record->n; i++) {
                HugeClaim *claim = &record->items[i];
                uint64_t kept;

                if (claim->added == 0)
                        continue;
                r = huge_run_give_back(root, arg_guest, claim,
                        huge_guests_awaited(guests, arg_guest, claim->node, claim->page_size, false), record, &kept);
                first_error = first_error < 0 ? first_error : r;
                *ret_kept += kept;
        }
        return first_error;
}

static int give_back(int root) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        _cleanup_(closep) int lock = -EBADF;
        HugeGuest *own;
        uint64_t kept;
        int r;

        r = one_shot_lock(root, "hugepages", arg_dry_run, &lock);
        r = r < 0 ? r : read_guests(root, &guests);
        if (r < 0)
                return r;
        own = huge_guests_find(&guests, arg_guest);
        if (arg_dry_run)
                return own ? print_release(&own->record) : 0;
        if (own) {
                r = need_nothing(root, &own->record);
                r = r < 0 ? r : give_back_all(root, &guests, &own->record, &kept);
                if (r < 0)
                        return log_error_errno(r,
                                "Not all huge pages have been given back; what was added stays noted in /run/vxm/hugepages/%s. "
                                "Try again: %s --release %s",
                                arg_guest, program_invocation_name, arg_guest);
                if (kept > 0)
                        return log_event_errno(E_BUSY, MESSAGE_PAGES_KEPT, NULL,
                                "Huge pages that were added stay in the pool (%" PRIu64 "), as a guest that is starting waits for "
                                "them. "
                                "Give them back later: %s --release %s",
                                kept, program_invocation_name, arg_guest);
        }
        r = huge_record_forget(root, arg_guest);
        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/hugepages/%s: %s.", arg_guest, strerror(-r)) : 0;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "take away what an earlier run added, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print what would be done, and do none of it", &arg_dry_run, NULL },
                { "root", "DIR", "work on the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-hugepages", "Adds the huge pages that a guest lacks, and takes them away again.", "GUEST",
                1, options };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, take, give_back });
}
