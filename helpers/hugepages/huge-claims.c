/* SPDX-License-Identifier: BSD-3-Clause */
/* Guests and their huge pages: by their records, and by /proc. Which process is a guest's is told by its control group. */

#include "huge-claims.h"
#include "parse.h"
#include "proc-text.h"
#include "root.h"

enum {
        PIDS_MAX = 4 * 1024 * 1024, /* PID_MAX_LIMIT of the kernel */
};

int huge_status_parse(const char *text, uint64_t *ret) {
        const char *line = startswith(text, "HugetlbPages:");
        _cleanup_(freep) char *number = NULL;
        uint64_t kib;

        *ret = 0;
        if (!line) {
                line = strstr(text, "\nHugetlbPages:");
                if (!line)
                        return 0;
                line += STRLEN("\nHugetlbPages:");
        }
        line += strspn(line, " \t");
        number = strndup(line, strspn(line, "0123456789"));
        if (!number)
                return -ENOMEM;
        line += strlen(number);
        if (parse_number(number, 0, UINT64_MAX >> 10, &kib) < 0 || !startswith(line, " kB") ||
                (line[3] != '\n' && line[3] != '\0'))
                return -EINVAL;
        *ret = kib << 10;
        return 1;
}

static void huge_guest_done(HugeGuest *g) {
        free(g->name);
        huge_record_done(&g->record);
}

void huge_guests_done(HugeGuests *guests) {
        for (size_t i = 0; i < guests->n; i++)
                huge_guest_done(&guests->items[i]);
        free(guests->items);
        *guests = (HugeGuests){};
}

HugeGuest *huge_guests_find(const HugeGuests *guests, const char *name) {
        for (size_t i = 0; i < guests->n; i++)
                if (streq(guests->items[i].name, name))
                        return &guests->items[i];
        return NULL;
}

static uint64_t wanted(const HugeRecord *record) {
        uint64_t bytes = 0;

        for (size_t i = 0; i < record->n; i++)
                bytes += record->items[i].need * record->items[i].page_size;
        return bytes;
}

uint64_t huge_guests_awaited(const HugeGuests *guests, const char *name, unsigned node, uint64_t page_size, bool ending) {
        uint64_t pages = 0;

        for (size_t i = 0; i < guests->n; i++) {
                const HugeGuest *g = &guests->items[i];
                const HugeClaim *claim = huge_record_find(&g->record, node, page_size);
                uint64_t bytes = wanted(&g->record), left;

                if (!claim || streq(g->name, name) || g->held >= bytes || (!ending && g->ending))
                        continue;
                /* Those that it has already are no longer free. Which node they came from is not known. */
                left = (bytes - g->held + page_size - 1) / page_size;
                pages += claim->need < left ? claim->need : left;
        }
        return pages;
}

/* ---- what their processes hold ---- */

static int read_unit(int root, uint64_t pid, CgroupUnits *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        r = format(&path, "proc/%llu/cgroup", (unsigned long long) pid);
        r = r < 0 ? r : root_read(root, path, &text);
        return r < 0 ? r : cgroup_parse(text, ret);
}

/* “vxm-guest@NAME.service” */
static HugeGuest *guest_of_unit(const HugeGuests *guests, const char *unit) {
        const char *rest = unit ? startswith(unit, "vxm-guest@") : NULL;

        for (size_t i = 0; rest && i < guests->n; i++) {
                const char *end = startswith(rest, guests->items[i].name);

                if (end && streq(end, ".service"))
                        return &guests->items[i];
        }
        return NULL;
}

static int add_process(int root, uint64_t pid, HugeGuests *guests) {
        _cleanup_(cgroup_units_done) CgroupUnits units = {};
        _cleanup_(freep) char *path = NULL, *text = NULL;
        HugeGuest *g;
        uint64_t bytes;
        int r;

        r = read_unit(root, pid, &units);
        if (r < 0)
                return r == -ENOMEM ? r : 0; /* gone by now, or none of ours */
        g = guest_of_unit(guests, units.unit);
        if (!g)
                return 0;
        r = format(&path, "proc/%llu/status", (unsigned long long) pid);
        r = r < 0 ? r : root_read(root, path, &text);
        if (r >= 0 && strstr(text, "\nKthread:\t1"))
                return 0; /* KVM's and vhost's threads are in the guest's control group, and never have pages */
        r = r < 0 ? r : huge_status_parse(text, &bytes);
        if (r > 0)
                g->held += bytes;
        g->ending |= r == 0;
        return r == -ENOMEM ? r : 0;
}

static int read_processes(int root, HugeGuests *guests) {
        char **names = NULL;
        uint64_t pid;
        size_t n = 0;
        int r;

        if (guests->n == 0)
                return 0;
        r = root_list(root, "proc", &names, &n);
        if (r == -ENOENT)
                r = 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (parse_number(names[i], 1, PIDS_MAX, &pid) >= 0)
                        r = add_process(root, pid, guests);
        strings_free(names, n);
        return r;
}

/* ---- their records ---- */

static int add_guest(int root, bool dry_run, const char *name, HugeGuests *guests) {
        _cleanup_(huge_guest_done) HugeGuest g = {};
        HugeGuest *slot;
        int r;

        r = huge_record_load(root, name, &g.record);
        if (r == -ENOENT)
                return 0;
        r = r < 0 || dry_run ? r : huge_record_settle(root, name, &g.record);
        r = r < 0 ? r : free_and_strdup(&g.name, name);
        if (r < 0)
                return r;
        slot = ARRAY_GROW(guests->items, guests->n);
        if (!slot)
                return -ENOMEM;
        guests->n++;
        *slot = g;
        g = (HugeGuest){};
        return 0;
}

int huge_guests_read(int root, bool dry_run, HugeGuests *ret, char **ret_damaged) {
        _cleanup_(huge_guests_done) HugeGuests guests = {};
        char **names = NULL;
        size_t n = 0;
        int r;

        r = huge_record_guests(root, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = add_guest(root, dry_run, names[i], &guests);
                if (r == -EBADMSG)
                        (void) free_and_strdup(ret_damaged, names[i]);
        }
        strings_free(names, n);
        r = r < 0 ? r : read_processes(root, &guests);
        if (r < 0)
                return r;
        *ret = guests;
        guests = (HugeGuests){};
        return 0;
}
