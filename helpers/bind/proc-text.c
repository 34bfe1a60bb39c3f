/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses what /proc says. Foreign text may be in it: mount points, names of swap files. */

#include "proc-text.h"
#include "sysfs.h"

typedef int (*LineParser)(char *line, void *data);

/* Calls parse for each line of text but empty ones, until one fails. */
static int each_line(const char *text, LineParser parse, void *data) {
        _cleanup_(freep) char *copy = strdup(text);
        char *rest = copy, *line;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        while (r >= 0 && (line = strsep(&rest, "\n")))
                if (*line)
                        r = parse(line, data);
        return r < 0 ? r : 0;
}

/* Cuts the next word out of *rest, where any white space parts words; NULL: there is none. */
static char *next_word(char **rest) {
        char *word;

        if (!*rest)
                return NULL;
        *rest += strspn(*rest, " \t");
        word = **rest ? strsep(rest, " \t") : NULL;
        return word;
}

/* Reads a number that ends where s ends, or at one of the characters of ends; *s is moved there. */
static int read_number(const char **s, int base, const char *ends, uint64_t max, uint64_t *ret) {
        unsigned long long value;
        char *end;

        if (!**s || strchr(" +-", **s))
                return -EINVAL;
        errno = 0;
        value = strtoull(*s, &end, base);
        if (errno > 0 || end == *s || value > max || (*end && !strchr(ends, *end)))
                return -EINVAL;
        *s = end;
        *ret = value;
        return 0;
}

/* The kernel writes blanks and backslashes as three octal digits (seq_escape()). In place. */
static void unescape(char *s) {
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
                        *to++ = (char) ((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        }
        *to = '\0';
}

/* ---- mounts ---- */

void mounts_done(Mounts *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].point);
                free(l->items[i].type);
                free(l->items[i].source);
        }
        free(l->items);
        *l = (Mounts){};
}

static int read_device(const char *word, Mount *ret) {
        uint64_t major, minor;
        int r;

        r = read_number(&word, 10, ":", UINT32_MAX, &major);
        if (r < 0 || *word++ != ':')
                return -EINVAL;
        r = read_number(&word, 10, "", UINT32_MAX, &minor);
        if (r < 0)
                return r;
        ret->major = (unsigned) major;
        ret->minor = (unsigned) minor;
        return 0;
}

static int add_mount(Mounts *l, Mount m, char *point, char *type, char *source) {
        Mount *slot = ARRAY_GROW(l->items, l->n);

        if (!slot)
                return -ENOMEM;
        l->n++;
        unescape(point);
        unescape(source);
        *slot = (Mount){ m.major, m.minor, strdup(point), strdup(type), strdup(source) };
        return slot->point && slot->type && slot->source ? 0 : -ENOMEM;
}

/* “36 35 98:0 /within /mnt rw,noatime master:1 - ext3 /dev/sda1 rw”; any number of fields stands before the dash. */
static int parse_mount(char *line, void *data) {
        char *word[5] = {}, *type, *source;
        Mount m = {};

        for (size_t i = 0; i < ELEMENTSOF(word); i++) {
                word[i] = next_word(&line);
                if (!word[i])
                        return -EINVAL;
        }
        if (read_device(word[2], &m) < 0)
                return -EINVAL;
        for (char *option = next_word(&line); !option || !streq(option, "-"); option = next_word(&line))
                if (!option)
                        return -EINVAL;
        type = next_word(&line);
        source = strsep(&line, " "); /* may be empty */
        if (!type || !source)
                return -EINVAL;
        return add_mount(data, m, word[4], type, source);
}

int mountinfo_parse(const char *text, Mounts *l) {
        return each_line(text, parse_mount, l);
}

/* ---- lists of names ---- */

typedef struct Names {
        char ***names;
        size_t *n;
        bool seen_header;
} Names;

static int parse_swap(char *line, void *data) {
        Names *l = data;
        char *name;

        if (!l->seen_header) {
                l->seen_header = true;
                return startswith(line, "Filename") ? 0 : -EINVAL;
        }
        name = next_word(&line);
        if (!name)
                return -EINVAL;
        unescape(name);
        return strings_add(l->names, l->n, name);
}

int swaps_parse(const char *text, char ***names, size_t *n) {
        Names l = { names, n, false };

        return each_line(text, parse_swap, &l);
}

static int add_once(Names *l, const char *name) {
        return strings_contain(*l->names, *l->n, name) ? 0 : strings_add(l->names, l->n, name);
}

enum {
        ROUTE_UP = 0x1,       /* RTF_UP */
        ROUTE_REJECT = 0x200, /* RTF_REJECT: leads nowhere */
};

static bool route_leads_somewhere(uint64_t flags) {
        return (flags & ROUTE_UP) && !(flags & ROUTE_REJECT);
}

/* “Iface Destination Gateway Flags RefCnt Use Metric Mask …” */
static int parse_route(char *line, void *data) {
        uint64_t destination, flags, mask;
        Names *l = data;
        char *word[8];

        if (!l->seen_header) {
                l->seen_header = true;
                return startswith(line, "Iface") ? 0 : -EINVAL;
        }
        for (size_t i = 0; i < ELEMENTSOF(word); i++) {
                word[i] = next_word(&line);
                if (!word[i])
                        return -EINVAL;
        }
        if (read_number(&(const char *){ word[1] }, 16, "", UINT32_MAX, &destination) < 0 ||
            read_number(&(const char *){ word[3] }, 16, "", UINT32_MAX, &flags) < 0 ||
            read_number(&(const char *){ word[7] }, 16, "", UINT32_MAX, &mask) < 0)
                return -EINVAL;
        if (destination != 0 || mask != 0 || !route_leads_somewhere(flags) || streq(word[0], "*"))
                return 0;
        return add_once(l, word[0]);
}

int routes_parse(const char *text, char ***interfaces, size_t *n) {
        Names l = { interfaces, n, false };

        return each_line(text, parse_route, &l);
}

/* “destination length source length gateway metric refs use flags interface” */
static int parse_ipv6_route(char *line, void *data) {
        uint64_t length, flags;
        Names *l = data;
        char *word[10];

        for (size_t i = 0; i < ELEMENTSOF(word); i++) {
                word[i] = next_word(&line);
                if (!word[i])
                        return -EINVAL;
        }
        if (read_number(&(const char *){ word[1] }, 16, "", 128, &length) < 0 ||
            read_number(&(const char *){ word[8] }, 16, "", UINT32_MAX, &flags) < 0)
                return -EINVAL;
        if (length != 0 || strspn(word[0], "0") != strlen(word[0]) || !route_leads_somewhere(flags) || streq(word[9], "lo"))
                return 0;
        return add_once(l, word[9]);
}

int ipv6_routes_parse(const char *text, char ***interfaces, size_t *n) {
        Names l = { interfaces, n, false };

        return each_line(text, parse_ipv6_route, &l);
}

/* ---- /proc/iomem ---- */

void io_ranges_done(IoRanges *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].name);
        free(l->items);
        *l = (IoRanges){};
}

/* “    80000000-8fffffff : 0000:c3:00.0”, two blanks a level. */
static int parse_range(char *line, void *data) {
        size_t blanks = strspn(line, " ");
        const char *s = line + blanks;
        IoRanges *l = data;
        uint64_t start, end;
        IoRange *slot;

        if (read_number(&s, 16, "-", UINT64_MAX, &start) < 0 || *s++ != '-' ||
            read_number(&s, 16, " ", UINT64_MAX, &end) < 0)
                return -EINVAL;
        s = startswith(s, " : ");
        if (!s || end < start)
                return -EINVAL;
        slot = ARRAY_GROW(l->items, l->n);
        if (!slot)
                return -ENOMEM;
        l->n++;
        *slot = (IoRange){ (unsigned) (blanks / 2), start, end, strdup(s) };
        return slot->name ? 0 : -ENOMEM;
}

int iomem_parse(const char *text, IoRanges *ret) {
        _cleanup_(io_ranges_done) IoRanges l = {};
        int r;

        r = each_line(text, parse_range, &l);
        if (r < 0)
                return r;
        *ret = l;
        l = (IoRanges){};
        return 0;
}

/* ---- control groups ---- */

void cgroup_units_done(CgroupUnits *u) {
        free(u->unit);
        free(u->user_unit);
        free(u->session);
        *u = (CgroupUnits){};
}

static bool ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n > m && streq(s + n - m, suffix);
}

static bool is_unit_name(const char *s) {
        static const char *const types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (ends_with(s, types[i]))
                        return true;
        return false;
}

static int read_session(const char *unit, char **ret) {
        const char *id = startswith(unit, "session-");

        if (!id || !ends_with(id, ".scope"))
                return 0;
        *ret = strndup(id, strlen(id) - STRLEN(".scope"));
        return *ret ? 0 : -ENOMEM;
}

/* The first unit on the way is the system manager's. When that is a user's manager, the next one is the user's unit; all
 * further down belongs to the unit itself. A name that could be one of the kernel's own files has a “_” before it. */
static int parse_group(char *path, CgroupUnits *u) {
        int r = 0;

        for (char *part; r >= 0 && (part = strsep(&path, "/"));) {
                part += *part == '_';
                if (!is_unit_name(part))
                        continue;
                if (!u->unit) {
                        r = free_and_strdup(&u->unit, text_clean(part));
                        r = r < 0 ? r : read_session(part, &u->session);
                } else if (!u->user_unit && startswith(u->unit, "user@")) {
                        r = free_and_strdup(&u->user_unit, text_clean(part));
                }
        }
        return r;
}

static int parse_hierarchy(char *line, void *data) {
        /* Other hierarchies than the unified one have a number and names. */
        if (!startswith(line, "0::/"))
                return 0;
        return parse_group(line + STRLEN("0::/"), data);
}

int cgroup_parse(const char *text, CgroupUnits *ret) {
        _cleanup_(cgroup_units_done) CgroupUnits u = {};
        int r;

        r = each_line(text, parse_hierarchy, &u);
        if (r < 0)
                return r;
        *ret = u;
        u = (CgroupUnits){};
        return 0;
}
