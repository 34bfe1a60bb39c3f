/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest's pin of any bytes: it lies where the guest's user can write. What is taken must be whole, and print as it
 * reads. */

#include "firmware-pin.h"
#include "fuzz.h"
#include "parse.h"

static void check_round_trip(const Firmware *f) {
        _cleanup_(firmware_done) Firmware again = {};
        _cleanup_(freep) char *text = NULL;

        if (firmware_pin_print(f, &text) < 0)
                return;
        if (firmware_pin_parse(text, strlen(text), &again) < 0 || !streq(f->code, again.code) || !streq(f->vars, again.vars) ||
                !streq(f->format, again.format) || f->secure_boot != again.secure_boot ||
                f->enrolled_keys != again.enrolled_keys || f->s3 != again.s3)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);
        _cleanup_(firmware_done) Firmware f = {};

        if (!text)
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';
        if (firmware_pin_parse(text, size, &f) < 0)
                return 0;
        if (!path_is_clean(f.code) || !path_is_clean(f.vars))
                abort();
        check_round_trip(&f);
        return 0;
}
