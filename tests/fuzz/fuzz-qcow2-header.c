/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning of an image of any bytes: what does not begin as a qcow2 image does is none. */

#include "fuzz.h"
#include "qcow2-header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Qcow2Kind kind = qcow2_header_kind(data, size);

        if (kind != QCOW2_NONE && (size < 72 || memcmp(data, "QFI", 3) != 0))
                abort();
        return 0;
}
