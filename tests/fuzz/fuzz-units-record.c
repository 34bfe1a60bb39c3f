/* SPDX-License-Identifier: BSD-3-Clause */
/* An undo record of any bytes: damaged, or holding nothing but names of units. */

#include "fuzz.h"
#include "parse.h"
#include "units-record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(unit_names_done) UnitNames record = {};
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (units_record_parse(text, &record) < 0)
                return 0;
        for (size_t i = 0; i < record.n; i++)
                if (!unit_name_is_valid(record.names[i]) || strpbrk(record.names[i], "/ \n"))
                        abort();
        return 0;
}
