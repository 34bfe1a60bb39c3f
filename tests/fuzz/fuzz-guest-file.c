/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest file of any bytes: conf_parse() with the table of keys behind it. */

#include "fuzz.h"
#include "guest-keys.h"
#include "log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(guest_freep) Guest *g = calloc(1, sizeof *g);
        _cleanup_(freep) char *text = malloc(size + 1);

        log_set_max_priority(-1);
        if (!g || !text || guest_apply_initial(g) < 0)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        (void) conf_parse(text, size, "/fuzz", guest_assign, g);
        return 0;
}
