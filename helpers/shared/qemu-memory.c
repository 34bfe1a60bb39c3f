/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest memory, on the host and on QEMU's command line. */

#include <inttypes.h>

#include "cpu-pin.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "qemu-facts.h"
#include "qemu-memory.h"
#include "root.h"

/* Memory is made of what is free when the guest starts, or bit by bit later; either way it has to be there, or the host comes to
 * a standstill. What a guest with a balloon does not use is not taken, so only the whole machine is its limit; the same holds
 * as long as a desktop is still to be stopped, as nobody knows how much that leaves. Huge pages are looked after by
 * vxm-hugepages. */
int qemu_check_memory(int root, const Guest *g, bool last) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        char size[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX], available[SIZE_TEXT_MAX];
        int r = memory_nodes_read(root, 0, &nodes);

        if (r < 0)
                return log_error_errno(r, "Cannot look at the machine's memory: %s.", strerror(-r));
        if (nodes.n == 0)
                return 0; /* it does not tell */
        (void) size_text(g->memory_size, size);
        (void) size_text(memory_nodes_total(&nodes), total);
        (void) size_text(memory_nodes_available(&nodes), available);
        if (g->memory_size > memory_nodes_total(&nodes))
                return log_event_errno(E_LACKS, MESSAGE_MEMORY_SHORT, NULL,
                        "%s: [Memory] Size= is %s; the machine has %s of memory in all. Choose a smaller Size=.", g->file, size,
                        total);
        if (!last && guest_stops_units(g))
                return 0;
        if (g->huge_page_size == 0 && !g->balloon && g->memory_size > memory_nodes_available(&nodes))
                return log_event_errno(E_BUSY, MESSAGE_MEMORY_SHORT, NULL,
                        "%s: [Memory] Size= is %s; of the machine's %s only %s are available now. "
                        "End programs that take memory, or choose a smaller Size=.",
                        g->file, size, total, available);
        return 0;
}

/* The guest's unit may be kept off a node's CPUs, by its own fence or another guest's; and there are nodes without any. */
static int may_run_near(int root, const MemoryNode *node, bool *ret) {
        CpuSet allowed = node->cpus;
        int r = root_is_this_machine(root) ? cpu_pin_allowed(&allowed) : 0;

        *ret = cpu_set_intersects(&node->cpus, &allowed);
        return r < 0 ? log_error_errno(r, "Cannot look which CPUs there are to run on: %s.", strerror(-r)) : 0;
}

int qemu_place_memory(int root, const Guest *g, MemoryPlacement *ret) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        const MemoryNode *best = NULL;
        int r;

        if (g->huge_page_size == 0)
                return 0;
        r = memory_nodes_read(root, g->huge_page_size, &nodes);
        if (r < 0)
                return log_error_errno(r, "Cannot look at the machine's memory: %s.", strerror(-r));
        for (size_t i = 0; i < nodes.n; i++)
                if (nodes.items[i].free >= g->memory_size / g->huge_page_size && (!best || nodes.items[i].free > best->free))
                        best = &nodes.items[i];
        if (nodes.n <= 1 || !best)
                return 0;
        *ret = (MemoryPlacement){ .on_node = true, .node = best->number };
        return may_run_near(root, best, &ret->near);
}

/* Huge pages are filled at the start, by several threads: QEMU takes as many as it can use, at most 16. Where a node has them
 * all, the pages are preferably taken there, and the threads run there if they may (thread-context, QEMU 7.2); should another
 * guest have been faster, others will do. */
static int add_huge_backend(Argv *a, const Guest *g, const MemoryPlacement *placement) {
        _cleanup_(freep) char *node = NULL;
        int r = 0;

        if (placement->on_node) {
                if (placement->near)
                        r = argv_add(a, "-object", "thread-context,id=prealloc,node-affinity=%u", placement->node);
                r = r < 0 ? r : format(&node, "%s,host-nodes=%u,policy=preferred",
                                        placement->near ? ",prealloc-context=prealloc" : "", placement->node);
        }
        return r < 0 ? r
                     : argv_add(a, "-object",
                               "memory-backend-memfd,id=mem0,size=%" PRIu64 "M,share=on,hugetlb=on,hugetlbsize=%" PRIu64
                               "M,prealloc=on,prealloc-threads=%" PRIu64 "%s",
                               g->memory_size >> 20, g->huge_page_size >> 20, g->cpu_count, node ? node : "");
}

static int add_backend(Argv *a, const Guest *g, const MemoryPlacement *placement) {
        if (g->huge_page_size > 0)
                return add_huge_backend(a, g, placement);
        return argv_add(a, "-object", "memory-backend-memfd,id=mem0,size=%" PRIu64 "M,share=on", g->memory_size >> 20);
}

int qemu_add_memory(Argv *a, const Guest *g, const QemuFacts *facts) {
        int r;

        r = argv_add(a, "-m", "size=%" PRIu64 "M", g->memory_size >> 20);
        r = r < 0 ? r : add_backend(a, g, &facts->memory);
        if (r >= 0 && g->memory_lock)
                r = argv_add(a, "-overcommit", "mem-lock=on");
        if (r >= 0 && g->balloon)
                r = argv_add(a, "-device", "virtio-balloon-pci,free-page-reporting=on");
        return r;
}
