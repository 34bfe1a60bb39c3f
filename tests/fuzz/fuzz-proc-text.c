/* SPDX-License-Identifier: BSD-3-Clause */
/* What /proc may say, of any bytes; the first one tells which of its files it is. */

#include "fuzz.h"
#include "proc-text.h"
#include "root.h"
#include "sysfs.h"

static void read_names(int (*parse)(const char *, char ***, size_t *), const char *text) {
        char **names = NULL;
        size_t n = 0;

        (void) parse(text, &names, &n);
        strings_free(names, n);
}

static void read_groups(const char *text) {
        CgroupUnits units;

        if (cgroup_parse(text, &units) < 0)
                return;
        /* What is shown must not leave its line, or be no JSON. */
        if (units.unit && (strchr(units.unit, '\n') || !utf8_is_valid(units.unit)))
                abort();
        cgroup_units_done(&units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(mounts_done) Mounts mounts = {};
        IoRanges ranges;

        if (size == 0)
                return 0;
        text = strndup((const char *) data + 1, size - 1);
        if (!text)
                return 0;
        switch (data[0]) {
        case 'm':
                (void) mountinfo_parse(text, &mounts);
                break;
        case 's':
                read_names(swaps_parse, text);
                break;
        case 'r':
                read_names(routes_parse, text);
                break;
        case '6':
                read_names(ipv6_routes_parse, text);
                break;
        case 'i':
                if (iomem_parse(text, &ranges) >= 0)
                        io_ranges_done(&ranges);
                break;
        case 'c':
                read_groups(text);
                break;
        }
        return 0;
}
