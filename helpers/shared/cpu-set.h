/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Sets of the host's CPUs, as plain values; and the three ways in which they are written down: the lists of sysfs, the
 * hexadecimal masks of /proc/irq, and the byte arrays of systemd's D-Bus properties. All pure. */

#include "util.h"

enum {
        CPU_SET_MAX = 1024,      /* CPUs are numbered below this */
        CPU_SET_TEXT_MAX = 4096, /* no list is longer: every second CPU */
};

typedef struct CpuSet {
        uint64_t words[CPU_SET_MAX / 64];
} CpuSet;

void cpu_set_add(CpuSet *set, unsigned cpu);
bool cpu_set_has(const CpuSet *set, unsigned cpu);
bool cpu_set_is_empty(const CpuSet *set);
bool cpu_set_equal(const CpuSet *a, const CpuSet *b);
bool cpu_set_contains(const CpuSet *set, const CpuSet *part);
bool cpu_set_intersects(const CpuSet *a, const CpuSet *b);
size_t cpu_set_count(const CpuSet *set);

/* The lowest CPU of the set from this number on; CPU_SET_MAX when there is none. For loops over all. */
unsigned cpu_set_next(const CpuSet *set, unsigned from);

CpuSet cpu_set_union(const CpuSet *a, const CpuSet *b);
CpuSet cpu_set_minus(const CpuSet *a, const CpuSet *b);
CpuSet cpu_set_common(const CpuSet *a, const CpuSet *b);

/* “2-5,8”, in any order, overlaps allowed; empty text is the empty set. Returns 0, -EINVAL or -ERANGE; *ret is
 * untouched then. */
int cpu_set_parse(const char *text, CpuSet *ret);

/* The shortest list, in order; "" for the empty set. Returns buffer. */
const char *cpu_set_print(const CpuSet *set, char buffer[static CPU_SET_TEXT_MAX]);

/* “ff,00000003”: hexadecimal, groups of 32 bits, the highest first (the kernel's bitmap_parse()). Returns 0, -EINVAL or
 * -ERANGE. */
int cpu_set_parse_mask(const char *text, CpuSet *ret);
const char *cpu_set_print_mask(const CpuSet *set, char buffer[static CPU_SET_TEXT_MAX]);

/* As in systemd's AllowedCPUs: CPU n is bit n % 8 of byte n / 8; no bytes at all mean “all of them”, the empty set
 * here. Bits above CPU_SET_MAX are dropped. Returns how many bytes that takes. */
size_t cpu_set_to_bytes(const CpuSet *set, uint8_t bytes[static CPU_SET_MAX / 8]);
CpuSet cpu_set_from_bytes(const uint8_t *bytes, size_t n);
