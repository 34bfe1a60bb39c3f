/* SPDX-License-Identifier: BSD-3-Clause */
/* The undo record of vxm-hugepages: a line a node and size, such as “node 0 size 2048 need 512 added 512 from 0 to 0”. */

#include <inttypes.h>

#include "huge-record.h"
#include "parse.h"
#include "record-file.h"

#define RECORD_KIND "hugepages"

enum {
        CLAIMS_MAX = 2 * MEMORY_NODES_MAX, /* two sizes there are on x86 */
};

/* The words of a line: each name is followed by a number. Sizes are in KiB, as the kernel has them in its names. */
static const struct {
        const char *name;
        uint64_t max;
} words[] = {
        { "node", MEMORY_NODES_MAX - 1 },
        { "size", UINT64_C(1) << 20 },
        { "need", UINT64_C(1) << 32 },
        { "added", UINT64_C(1) << 32 },
        { "from", UINT64_C(1) << 32 },
        { "to", UINT64_C(1) << 32 },
};

HugeClaim *huge_record_find(const HugeRecord *record, unsigned node, uint64_t page_size) {
        for (size_t i = 0; i < record->n; i++)
                if (record->items[i].node == node && record->items[i].page_size == page_size)
                        return &record->items[i];
        return NULL;
}

HugeClaim *huge_record_get(HugeRecord *record, unsigned node, uint64_t page_size) {
        HugeClaim *claim = huge_record_find(record, node, page_size);

        if (claim)
                return claim;
        claim = ARRAY_GROW(record->items, record->n);
        if (!claim)
                return NULL;
        record->n++;
        claim->node = node;
        claim->page_size = page_size;
        return claim;
}

void huge_record_done(HugeRecord *record) {
        free(record->items);
        *record = (HugeRecord){};
}

static int parse_line(char *line, uint64_t ret[static ELEMENTSOF(words)]) {
        char *state, *word = strtok_r(line, " ", &state);

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                if (!word || !streq(word, words[i].name))
                        return -EBADMSG;
                word = strtok_r(NULL, " ", &state);
                if (!word || parse_number(word, 0, words[i].max, &ret[i]) < 0)
                        return -EBADMSG;
                word = strtok_r(NULL, " ", &state);
        }
        return word || ret[1] == 0 ? -EBADMSG : 0;
}

int huge_record_parse(char *text, HugeRecord *ret) {
        _cleanup_(huge_record_done) HugeRecord record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                uint64_t v[ELEMENTSOF(words)];
                HugeClaim *claim;

                if (parse_line(line, v) < 0 || record.n >= CLAIMS_MAX ||
                        huge_record_find(&record, (unsigned) v[0], v[1] << 10))
                        return -EBADMSG;
                claim = huge_record_get(&record, (unsigned) v[0], v[1] << 10);
                if (!claim)
                        return -ENOMEM;
                claim->need = v[2];
                claim->added = v[3];
                claim->from = v[4];
                claim->to = v[5];
        }
        *ret = record;
        record = (HugeRecord){};
        return 0;
}

void huge_claim_settle(HugeClaim *claim, uint64_t pages) {
        uint64_t low = claim->from < claim->to ? claim->from : claim->to;
        uint64_t high = claim->from < claim->to ? claim->to : claim->from;
        uint64_t now = pages < low ? low : pages > high ? high : pages;

        if (now >= claim->from)
                claim->added += now - claim->from;
        else
                claim->added -= claim->from - now < claim->added ? claim->from - now : claim->added;
        claim->from = claim->to = 0;
}

int huge_record_settle(int root, const char *guest, HugeRecord *record) {
        bool changed = false;

        for (size_t i = 0; i < record->n; i++) {
                HugeClaim *claim = &record->items[i];
                MemoryNode node = { .number = claim->node };
                int r;

                if (claim->from == claim->to)
                        continue;
                r = memory_node_read_pool(root, claim->page_size, &node);
                if (r < 0 && r != -ENOENT)
                        return r;
                /* A node that has been taken out of the machine since has taken its pool along. */
                huge_claim_settle(claim, r < 0 ? claim->from : memory_node_lasting(&node));
                changed = true;
        }
        return changed ? huge_record_save(root, guest, record) : 0;
}

static int record_print(FILE *f, const void *userdata) {
        const HugeRecord *record = userdata;

        for (size_t i = 0; i < record->n; i++) {
                const HugeClaim *c = &record->items[i];

                fprintf(f,
                        "node %u size %" PRIu64 " need %" PRIu64 " added %" PRIu64 " from %" PRIu64 " to %" PRIu64 "\n",
                        c->node, c->page_size >> 10, c->need, c->added, c->from, c->to);
        }
        return 0;
}

int huge_record_save(int root, const char *guest, const HugeRecord *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int huge_record_load(int root, const char *guest, HugeRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : huge_record_parse(text, ret);
}

int huge_record_guests(int root, char ***ret, size_t *ret_n) {
        return record_file_guests(root, RECORD_KIND, ret, ret_n);
}

int huge_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}
