/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts of any bytes for what vxm-hugepages reads: an undo record, a node's meminfo, a process's status. What a record says goes
 * within limits, and settling it never gives a guest more than it asked for. */

#include "fuzz.h"
#include "huge-claims.h"

static char *copy(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1);

        if (!text)
                return NULL;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        return text;
}

static void try_record(char *text, uint64_t pages) {
        _cleanup_(huge_record_done) HugeRecord record = {};

        if (huge_record_parse(text, &record) < 0)
                return;
        for (size_t i = 0; i < record.n; i++) {
                HugeClaim *claim = &record.items[i];
                uint64_t change = claim->from < claim->to ? claim->to - claim->from : 0, added = claim->added;

                if (claim->node >= MEMORY_NODES_MAX || claim->page_size == 0)
                        abort();
                huge_claim_settle(claim, pages);
                if (claim->added > added + change || claim->from != claim->to)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *record = copy(data, size), *meminfo = copy(data, size), *status = copy(data, size);
        MemoryNode node = {};
        uint64_t bytes;

        if (!record || !meminfo || !status)
                return 0;
        try_record(record, size);
        (void) memory_node_parse(meminfo, &node);
        (void) huge_status_parse(status, &bytes);
        return 0;
}
