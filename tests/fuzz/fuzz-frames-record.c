/* SPDX-License-Identifier: BSD-3-Clause */
/* An undo record of any bytes: damaged, or naming nothing but a file of ours or a node of kvmfr. */

#include "frames-record.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(frames_done) Frames frames = {};
        _cleanup_(freep) char *text = malloc(size + 1);
        const char *name;

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (frames_record_parse(text, &frames) < 0)
                return 0;
        name = startswith(frames.path, frames.is_node ? "/dev/kvmfr" : FRAMES_DIRECTORY "/");
        if (!name || name[strcspn(name, "/.")] || frames.size == 0 || frames.uid == (uid_t) -1 || frames.mode > 07777)
                abort();
        return 0;
}
