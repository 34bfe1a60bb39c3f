/* SPDX-License-Identifier: BSD-3-Clause */
/* A record of vxm-cpus of any bytes: damaged, or one whose text, written and read again, says the same. */

#include "cpu-record.h"
#include "fuzz.h"

static char *print(const CpuRecord *record) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        (void) cpu_record_print(f, record);
        fclose(f);
        return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(cpu_record_done) CpuRecord record = {}, again = {};
        _cleanup_(freep) char *text = malloc(size + 1), *first = NULL, *copy = NULL, *second = NULL;

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (cpu_record_parse(text, &record) < 0)
                return 0;
        first = print(&record);
        copy = first ? strdup(first) : NULL;
        if (!copy)
                return 0;
        if (cpu_record_parse(copy, &again) < 0 || !(second = print(&again)) || !streq(first, second))
                abort();
        return 0;
}
