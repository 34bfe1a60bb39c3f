/* SPDX-License-Identifier: BSD-3-Clause */
/* CPU lists and masks of any bytes: refused, or the same set again when printed and read. */

#include "cpu-set.h"
#include "fuzz.h"

typedef int (*Parse)(const char *text, CpuSet *ret);
typedef const char *(*Print)(const CpuSet *set, char buffer[static CPU_SET_TEXT_MAX]);

static void round_trip(const char *text, Parse parse, Print print) {
        char buffer[CPU_SET_TEXT_MAX];
        CpuSet set, again;

        if (parse(text, &set) < 0)
                return;
        if (parse(print(&set, buffer), &again) < 0 || !cpu_set_equal(&set, &again))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        round_trip(text, cpu_set_parse, cpu_set_print);
        round_trip(text, cpu_set_parse_mask, cpu_set_print_mask);
        return 0;
}
