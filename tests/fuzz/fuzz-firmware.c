/* SPDX-License-Identifier: BSD-3-Clause */
/* A firmware descriptor of any bytes, for each wish a guest can have. What is taken must be whole. */

#include "firmware.h"
#include "fuzz.h"
#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const FirmwareWish wishes[] = { { "q35", false, false }, { "q35", true, false }, { "pc-q35-10.0", true, true } };

        for (size_t i = 0; i < ELEMENTSOF(wishes); i++) {
                Firmware f = {};

                if (firmware_parse((const char *) data, size, &wishes[i], &f) > 0 &&
                        !(path_is_clean(f.code) && path_is_clean(f.vars) && f.format && f.secure_boot == wishes[i].secure_boot))
                        abort();
                firmware_done(&f);
        }
        return 0;
}
