/* SPDX-License-Identifier: BSD-3-Clause */
/* A firmware descriptor of any bytes. What is taken must be whole. */

#include "firmware.h"
#include "fuzz.h"
#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Firmware f = {};

        if (firmware_parse((const char *) data, size, "q35", &f) > 0 && !(path_is_clean(f.code) && path_is_clean(f.vars)))
                abort();
        firmware_done(&f);
        return 0;
}
