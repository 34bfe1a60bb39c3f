/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Readers of the texts that the kernel has in /proc. All are pure: text in, facts out. A line that is not of its form makes
 * the whole text -EINVAL, as what it hides might be what would have been harmed. */

#include "util.h"

/* proc_pid_mountinfo(5). */
typedef struct Mount {
        unsigned major, minor; /* of the device; major is 0 when the file system has none of its own */
        char *point;           /* where it is mounted, unescaped */
        char *type;
        char *source;
} Mount;

typedef struct Mounts {
        Mount *items;
        size_t n;
} Mounts;

/* Appends to *l, which may hold mounts already. */
int mountinfo_parse(const char *text, Mounts *l);
void mounts_done(Mounts *l);

/* proc_swaps(5): the files and devices that are swapped to, unescaped, are appended. */
int swaps_parse(const char *text, char ***names, size_t *n);

/* /proc/net/route and /proc/net/ipv6_route: the interfaces of default routes that are up are appended, each once. */
int routes_parse(const char *text, char ***interfaces, size_t *n);
int ipv6_routes_parse(const char *text, char ***interfaces, size_t *n);

/* A line of /proc/iomem. Who may not see addresses sees 0 for both. */
typedef struct IoRange {
        unsigned depth; /* 0: within nothing else */
        uint64_t start, end;
        char *name;
} IoRange;

typedef struct IoRanges {
        IoRange *items; /* each is followed by those within it, which are one deeper */
        size_t n;
} IoRanges;

int iomem_parse(const char *text, IoRanges *ret);
void io_ranges_done(IoRanges *l);

/* /proc/PID/cgroup of the unified hierarchy, as systemd lays it out (systemd's CGROUP_DELEGATION). */
typedef struct CgroupUnits {
        char *unit;      /* of the system's manager; NULL: none */
        char *user_unit; /* of the user's manager; NULL: none */
        char *session;   /* logind's id; NULL: none */
} CgroupUnits;

int cgroup_parse(const char *text, CgroupUnits *ret);
void cgroup_units_done(CgroupUnits *u);
