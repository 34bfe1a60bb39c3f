/* SPDX-License-Identifier: BSD-3-Clause */
/* An undo record of any bytes: damaged, or holding nothing but nodes in /dev and what they were. */

#include "disks-record.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(disk_nodes_done) DiskNodes record = {};
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (disks_record_parse(text, &record) < 0)
                return 0;
        for (size_t i = 0; i < record.n; i++)
                if (!startswith(record.items[i].node, "/dev/") || strstr(record.items[i].node, "/../") ||
                        record.items[i].uid == (uid_t) -1)
                        abort();
        return 0;
}
