/* SPDX-License-Identifier: BSD-3-Clause */
/* An undo record of any bytes: damaged, or holding nothing that must not go into a sysfs write. */

#include "bind-record.h"
#include "fuzz.h"

static void check_word(const char *s) {
        if (s && (*s == '\0' || strpbrk(s, " \n/")))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(bind_record_done) BindRecord record = {};
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (bind_record_parse(text, &record) < 0)
                return 0;
        for (size_t i = 0; i < record.n; i++) {
                check_word(record.functions[i].driver);
                check_word(record.functions[i].override);
        }
        return 0;
}
