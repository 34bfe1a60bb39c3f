/* SPDX-License-Identifier: BSD-3-Clause */
/* An option ROM of any bytes: taken, or refused with a reason, and never without one. */

#include "fuzz.h"
#include "rom-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (int want_efi = 0; want_efi < 2; want_efi++) {
                _cleanup_(freep) char *reason = NULL;

                if ((rom_check(data, size, 0x1002, 0x73bf, want_efi, &reason) < 0) != !isempty(reason))
                        abort();
        }
        return 0;
}
