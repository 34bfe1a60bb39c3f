/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that says anything where its agent should speak. */

#include "agent.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(agent_done) Agent agent = { .fd = -EBADF, .sync_id = 42, .lines.max = 512 };
        size_t first = size > 0 ? data[0] % size : 0;

        if (agent_feed(&agent, data, first) == 0)
                (void) agent_feed(&agent, data + first, size - first);
        return 0;
}
