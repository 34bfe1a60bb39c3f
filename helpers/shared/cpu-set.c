/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of the host's CPUs. */

#include <ctype.h>

#include "cpu-set.h"

enum {
        WORDS = CPU_SET_MAX / 64,
        GROUPS = CPU_SET_MAX / 32, /* of a mask */
};

void cpu_set_add(CpuSet *set, unsigned cpu) {
        set->words[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

bool cpu_set_has(const CpuSet *set, unsigned cpu) {
        return cpu < CPU_SET_MAX && (set->words[cpu / 64] >> cpu % 64 & 1) != 0;
}

bool cpu_set_is_empty(const CpuSet *set) {
        return cpu_set_next(set, 0) == CPU_SET_MAX;
}

bool cpu_set_equal(const CpuSet *a, const CpuSet *b) {
        return memcmp(a, b, sizeof *a) == 0;
}

bool cpu_set_contains(const CpuSet *set, const CpuSet *part) {
        CpuSet rest = cpu_set_minus(part, set);

        return cpu_set_is_empty(&rest);
}

bool cpu_set_intersects(const CpuSet *a, const CpuSet *b) {
        CpuSet common = cpu_set_common(a, b);

        return !cpu_set_is_empty(&common);
}

size_t cpu_set_count(const CpuSet *set) {
        size_t n = 0;

        for (unsigned i = 0; i < WORDS; i++)
                n += (size_t) __builtin_popcountll(set->words[i]);
        return n;
}

unsigned cpu_set_next(const CpuSet *set, unsigned from) {
        while (from < CPU_SET_MAX && !cpu_set_has(set, from))
                from++;
        return from;
}

CpuSet cpu_set_union(const CpuSet *a, const CpuSet *b) {
        CpuSet set;

        for (unsigned i = 0; i < WORDS; i++)
                set.words[i] = a->words[i] | b->words[i];
        return set;
}

CpuSet cpu_set_minus(const CpuSet *a, const CpuSet *b) {
        CpuSet set;

        for (unsigned i = 0; i < WORDS; i++)
                set.words[i] = a->words[i] & ~b->words[i];
        return set;
}

CpuSet cpu_set_common(const CpuSet *a, const CpuSet *b) {
        CpuSet set;

        for (unsigned i = 0; i < WORDS; i++)
                set.words[i] = a->words[i] & b->words[i];
        return set;
}

/* A decimal number at *text, which is moved behind it. Digits only: strtoul(3) would take signs and spaces. */
static int take_number(const char **text, unsigned *ret) {
        unsigned value = 0;

        if (!isdigit((unsigned char) **text))
                return -EINVAL;
        for (; isdigit((unsigned char) **text); (*text)++) {
                value = value * 10 + (unsigned) (**text - '0');
                if (value >= CPU_SET_MAX)
                        return -ERANGE;
        }
        *ret = value;
        return 0;
}

int cpu_set_parse(const char *text, CpuSet *ret) {
        unsigned first, last;
        CpuSet set = {};
        int r;

        for (const char *p = text; *p;) {
                r = take_number(&p, &first);
                last = first;
                if (r >= 0 && *p == '-') {
                        p++;
                        r = take_number(&p, &last);
                }
                if (r < 0)
                        return r;
                if (last < first || (*p != '\0' && *p != ','))
                        return -EINVAL;
                if (*p == ',' && *++p == '\0')
                        return -EINVAL;
                for (unsigned cpu = first; cpu <= last; cpu++)
                        cpu_set_add(&set, cpu);
        }
        *ret = set;
        return 0;
}

const char *cpu_set_print(const CpuSet *set, char buffer[static CPU_SET_TEXT_MAX]) {
        size_t n = 0;

        buffer[0] = '\0';
        for (unsigned first = cpu_set_next(set, 0), last; first < CPU_SET_MAX; first = cpu_set_next(set, last + 1)) {
                for (last = first; cpu_set_has(set, last + 1);)
                        last++;
                n += (size_t) snprintf(buffer + n, CPU_SET_TEXT_MAX - n, n > 0 ? ",%u" : "%u", first);
                if (last > first)
                        n += (size_t) snprintf(buffer + n, CPU_SET_TEXT_MAX - n, "-%u", last);
        }
        return buffer;
}

/* One group of a mask, up to eight digits. */
static int take_group(const char **text, uint32_t *ret) {
        uint32_t value = 0;
        int digits = 0;

        for (; isxdigit((unsigned char) **text); (*text)++) {
                char c = (char) tolower((unsigned char) **text);

                if (++digits > 8)
                        return -EINVAL;
                value = value << 4 | (uint32_t) (c <= '9' ? c - '0' : c - 'a' + 10);
        }
        *ret = value;
        return digits > 0 ? 0 : -EINVAL;
}

int cpu_set_parse_mask(const char *text, CpuSet *ret) {
        uint32_t groups[GROUPS];
        CpuSet set = {};
        unsigned n = 0;
        int r;

        for (const char *p = text;;) {
                if (n >= GROUPS)
                        return -ERANGE;
                r = take_group(&p, &groups[n++]);
                if (r < 0)
                        return r;
                if (*p == '\0')
                        break;
                if (*p++ != ',')
                        return -EINVAL;
        }
        for (unsigned i = 0; i < n; i++) {
                unsigned at = n - 1 - i;

                set.words[at / 2] |= (uint64_t) groups[i] << 32 * (at % 2);
        }
        *ret = set;
        return 0;
}

const char *cpu_set_print_mask(const CpuSet *set, char buffer[static CPU_SET_TEXT_MAX]) {
        bool begun = false;
        size_t n = 0;

        for (unsigned at = GROUPS; at-- > 0;) {
                uint32_t group = (uint32_t) (set->words[at / 2] >> 32 * (at % 2));

                if (!begun && group == 0 && at > 0)
                        continue;
                n += (size_t) snprintf(buffer + n, CPU_SET_TEXT_MAX - n, begun ? ",%08x" : "%x", group);
                begun = true;
        }
        return buffer;
}

size_t cpu_set_to_bytes(const CpuSet *set, uint8_t bytes[static CPU_SET_MAX / 8]) {
        size_t n = 0;

        memset(bytes, 0, CPU_SET_MAX / 8);
        for (unsigned cpu = cpu_set_next(set, 0); cpu < CPU_SET_MAX; cpu = cpu_set_next(set, cpu + 1)) {
                bytes[cpu / 8] |= (uint8_t) (1 << cpu % 8);
                n = cpu / 8 + 1;
        }
        return n;
}

CpuSet cpu_set_from_bytes(const uint8_t *bytes, size_t n) {
        CpuSet set = {};

        for (unsigned cpu = 0; cpu < CPU_SET_MAX && cpu / 8 < n; cpu++)
                if (bytes[cpu / 8] >> cpu % 8 & 1)
                        cpu_set_add(&set, cpu);
        return set;
}
