/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of vxm-cpus, one thing a line:
 *
 *     vcpus 2,10,3,11              the host's CPU of each vCPU, in the guest's order
 *     spare -                      more CPUs of the guest's
 *     others 0-1,8-9               where QEMU's other threads run
 *     isolate yes
 *     unit system.slice -          AllowedCPUs= as it was; "-": not set
 *     irq 24 0-15                  the mask as it was
 *     thread 45:1062 0-15          the same of the kernel's thread 45, which began at 1062
 *     workqueues unbound 0-15 */

#include "conf.h"
#include "cpu-record.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "record-file.h"
#include "root.h"

#define RECORD_KIND "cpus"

enum {
        UNITS_MAX = 64,
        PID_LIMIT = 4 * 1024 * 1024, /* the kernel's own (PID_MAX_LIMIT) */
};

void cpu_record_done(CpuRecord *record) {
        for (size_t i = 0; i < record->n_units; i++)
                free(record->units[i].name);
        for (size_t i = 0; i < record->n_masks; i++)
                free(record->masks[i].name);
        free(record->units);
        free(record->masks);
        *record = (CpuRecord){};
}

/* As the kernel writes it, so that nothing has two names. */
static bool parse_plain(const char *s, uint64_t min, uint64_t max, uint64_t *ret) {
        return parse_number(s, min, max, ret) >= 0 && (s[0] != '0' || s[1] == '\0');
}

static bool irq_name_is_valid(const char *name) {
        uint64_t number;

        return streq(name, "default") || parse_plain(name, 0, UINT32_MAX, &number);
}

int cpu_thread_name_parse(const char *name, pid_t *ret_pid, uint64_t *ret_start) {
        const char *colon = strchr(name, ':');
        uint64_t pid, start;
        char digits[16];

        if (!colon || (size_t) (colon - name) >= sizeof digits)
                return -EINVAL;
        memcpy(digits, name, (size_t) (colon - name));
        digits[colon - name] = '\0';
        if (!parse_plain(digits, 1, PID_LIMIT, &pid) || !parse_plain(colon + 1, 0, UINT64_MAX, &start))
                return -EINVAL;
        *ret_pid = (pid_t) pid;
        *ret_start = start;
        return 0;
}

static bool thread_name_is_valid(const char *name) {
        uint64_t start;
        pid_t pid;

        return cpu_thread_name_parse(name, &pid, &start) >= 0;
}

static bool workqueues_name_is_valid(const char *name) {
        return streq(name, "unbound");
}

static const struct MaskKind {
        const char *word;
        size_t max;
        bool (*name_is_valid)(const char *name);
} mask_kinds[_CPU_MASK_KINDS] = {
        [CPU_MASK_IRQ] = { "irq", 8192, irq_name_is_valid },          /* big machines have some thousands */
        [CPU_MASK_THREAD] = { "thread", 8192, thread_name_is_valid }, /* of these, too, without those that are bound */
        [CPU_MASK_WORKQUEUES] = { "workqueues", 1, workqueues_name_is_valid },
};

bool cpu_mask_name_is_valid(CpuMaskKind kind, const char *name) {
        return mask_kinds[kind].name_is_valid(name);
}

const CpuRecordUnit *cpu_record_find_unit(const CpuRecord *record, const char *name) {
        for (size_t i = 0; i < record->n_units; i++)
                if (streq(record->units[i].name, name))
                        return &record->units[i];
        return NULL;
}

const CpuRecordMask *cpu_record_find_mask(const CpuRecord *record, CpuMaskKind kind, const char *name) {
        for (size_t i = 0; i < record->n_masks; i++)
                if (record->masks[i].kind == kind && streq(record->masks[i].name, name))
                        return &record->masks[i];
        return NULL;
}

int cpu_record_add_unit(CpuRecord *record, const char *name, const CpuSet *allowed) {
        CpuRecordUnit *unit;

        if (cpu_record_find_unit(record, name))
                return 0;
        if (record->n_units >= UNITS_MAX)
                return -E2BIG;
        unit = ARRAY_GROW(record->units, record->n_units);
        if (!unit || !(unit->name = strdup(name)))
                return -ENOMEM;
        unit->allowed = *allowed;
        record->n_units++;
        return 0;
}

static size_t count_masks(const CpuRecord *record, CpuMaskKind kind) {
        size_t n = 0;

        for (size_t i = 0; i < record->n_masks; i++)
                n += record->masks[i].kind == kind;
        return n;
}

int cpu_record_add_mask(CpuRecord *record, CpuMaskKind kind, const char *name, const CpuSet *mask) {
        CpuRecordMask *added;

        if (cpu_record_find_mask(record, kind, name))
                return 0;
        if (count_masks(record, kind) >= mask_kinds[kind].max)
                return -E2BIG;
        added = ARRAY_GROW(record->masks, record->n_masks);
        if (!added || !(added->name = strdup(name)))
                return -ENOMEM;
        added->kind = kind;
        added->mask = *mask;
        record->n_masks++;
        return 0;
}

/* ---- text ---- */

static int parse_set(const char *text, CpuSet *ret) {
        return !text              ? -EINVAL
               : streq(text, "-") ? (*ret = (CpuSet){}, 0)
               : isempty(text)    ? -EINVAL
                                  : cpu_set_parse(text, ret);
}

/* In the guest's order, so it is no set. */
static int parse_vcpus(char *text, CpuPlacement *p) {
        CpuSet seen = {};

        p->n = 0;
        for (char *word = text ? strsep(&text, ",") : NULL; word; word = strsep(&text, ",")) {
                uint64_t cpu;

                if (p->n >= GUEST_CPUS_MAX || parse_number(word, 0, CPU_SET_MAX - 1, &cpu) < 0 ||
                        cpu_set_has(&seen, (unsigned) cpu))
                        return -EINVAL;
                cpu_set_add(&seen, (unsigned) cpu);
                p->vcpus[p->n++] = (unsigned) cpu;
        }
        return p->n > 0 ? 0 : -EINVAL;
}

static int parse_unit(char *name, const char *value, CpuRecord *record) {
        CpuSet set;

        if (!name || !unit_name_is_valid(name) || parse_set(value, &set) < 0)
                return -EINVAL;
        return cpu_record_add_unit(record, name, &set);
}

static int parse_mask(CpuMaskKind kind, const char *name, const char *value, CpuRecord *record) {
        CpuSet set;

        if (!name || !cpu_mask_name_is_valid(kind, name) || parse_set(value, &set) < 0 || cpu_set_is_empty(&set))
                return -EINVAL;
        return cpu_record_add_mask(record, kind, name, &set);
}

static int parse_line(char *line, CpuRecord *record) {
        char *word = strsep(&line, " "), *first = strsep(&line, " "), *second = strsep(&line, " ");

        if (line)
                return -EINVAL;
        if (streq(word, "unit"))
                return parse_unit(first, second, record);
        for (CpuMaskKind kind = 0; kind < _CPU_MASK_KINDS; kind++)
                if (streq(word, mask_kinds[kind].word))
                        return parse_mask(kind, first, second, record);
        if (!first || second)
                return -EINVAL;
        if (streq(word, "vcpus"))
                return parse_vcpus(first, &record->placement);
        if (streq(word, "spare"))
                return parse_set(first, &record->placement.spare);
        if (streq(word, "others"))
                return parse_set(first, &record->placement.others);
        return streq(word, "isolate") ? parse_boolean(first, &record->isolate) : -EINVAL;
}

int cpu_record_parse(char *text, CpuRecord *ret) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &record);

                if (r < 0)
                        return r == -ENOMEM ? r : -EBADMSG;
        }
        if (record.placement.n == 0 || cpu_set_is_empty(&record.placement.others))
                return -EBADMSG;
        *ret = record;
        record = (CpuRecord){};
        return 0;
}

static void print_set(FILE *f, const char *what, const CpuSet *set) {
        char text[CPU_SET_TEXT_MAX];

        fprintf(f, "%s %s\n", what, cpu_set_is_empty(set) ? "-" : cpu_set_print(set, text));
}

int cpu_record_print(FILE *f, const void *userdata) {
        const CpuRecord *record = userdata;
        char text[CPU_SET_TEXT_MAX];

        for (size_t i = 0; i < record->placement.n; i++)
                fprintf(f, "%s%u", i == 0 ? "vcpus " : ",", record->placement.vcpus[i]);
        fputc('\n', f);
        print_set(f, "spare", &record->placement.spare);
        print_set(f, "others", &record->placement.others);
        fprintf(f, "isolate %s\n", record->isolate ? "yes" : "no");
        for (size_t i = 0; i < record->n_units; i++) {
                const CpuRecordUnit *u = &record->units[i];

                fprintf(f, "unit %s %s\n", u->name,
                        cpu_set_is_empty(&u->allowed) ? "-" : cpu_set_print(&u->allowed, text));
        }
        for (size_t i = 0; i < record->n_masks; i++) {
                const CpuRecordMask *m = &record->masks[i];

                fprintf(f, "%s %s %s\n", mask_kinds[m->kind].word, m->name, cpu_set_print(&m->mask, text));
        }
        return 0;
}

/* ---- files ---- */

int cpu_record_save(int root, const char *guest, const CpuRecord *record) {
        return record_file_save(root, RECORD_KIND, guest, cpu_record_print, record);
}

int cpu_record_load(int root, const char *guest, CpuRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : cpu_record_parse(text, ret);
}

int cpu_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}

/* ---- all guests' ---- */

void cpu_claims_done(CpuClaims *claims) {
        for (size_t i = 0; i < claims->n; i++) {
                free(claims->items[i].guest);
                cpu_record_done(&claims->items[i].record);
        }
        free(claims->items);
        *claims = (CpuClaims){};
}

static int load_claim(int root, const char *guest, CpuClaims *claims) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        CpuClaim *claim;
        int r = cpu_record_load(root, guest, &record);

        if (r == -ENOENT || r == -EACCES)
                return 0; /* taken away just now, or not to be read by us */
        if (r < 0)
                return log_error_errno(
                        r, "Cannot read the record /run/vxm/cpus/%s: %s; correct or remove it.", guest, strerror(-r));
        claim = ARRAY_GROW(claims->items, claims->n);
        if (!claim || !(claim->guest = strdup(guest)))
                return log_oom();
        claim->record = record;
        record = (CpuRecord){};
        claims->n++;
        return 0;
}

int cpu_claims_load(int root, const char *guest, CpuClaims *ret) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        char **names = NULL;
        size_t n = 0;
        int r;

        r = record_file_guests(root, RECORD_KIND, &names, &n);
        if (r == -EACCES)
                return 0;
        if (r < 0)
                return log_error_errno(r, "Cannot list /run/vxm/cpus: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (!streq(names[i], guest))
                        r = load_claim(root, names[i], &claims);
        strings_free(names, n);
        if (r < 0)
                return r;
        *ret = claims;
        claims = (CpuClaims){};
        return 0;
}

/* A CPU may be shared by guests that are only pinned; one that is fenced off is one guest's alone. */
static int judge_conflicts(const Guest *g, const CpuClaims *claims, const CpuPlacement *p) {
        CpuSet own = cpu_placement_own(p);

        for (size_t i = 0; i < claims->n; i++) {
                CpuSet theirs = cpu_placement_own(&claims->items[i].record.placement),
                       both = cpu_set_common(&own, &theirs);
                char text[CPU_SET_TEXT_MAX];

                if (cpu_set_is_empty(&both) || (!g->cpu_isolate && !claims->items[i].record.isolate))
                        continue;
                return log_event_errno(E_BUSY, MESSAGE_CPUS_BUSY, FIELDS("CONFIG_FILE", g->file),
                        "%s: [CPU] Pin=: CPU %s is held by guest %s; stop that guest, or name others.", g->file,
                        cpu_set_print(&both, text), claims->items[i].guest);
        }
        return 0;
}

int cpu_claims_place(const HostCpus *host, const Guest *g, const CpuClaims *claims, CpuPlacement *ret) {
        _cleanup_(freep) char *why = NULL;
        CpuSet taken = {}, fenced = {};
        char text[CPU_SET_TEXT_MAX];
        CpuPlacement p;
        int r;

        for (size_t i = 0; i < claims->n; i++) {
                CpuSet theirs = cpu_placement_own(&claims->items[i].record.placement);

                taken = cpu_set_union(&taken, &theirs);
                if (claims->items[i].record.isolate)
                        fenced = cpu_set_union(&fenced, &theirs);
        }
        r = cpu_place(host, g, &taken, &fenced, &p, &why);
        if (r < 0 && why)
                return log_event_errno(-r, r == -E_BUSY ? MESSAGE_CPUS_BUSY : MESSAGE_GUEST_FILE_INVALID,
                        FIELDS("CONFIG_FILE", g->file), "%s: [CPU] Pin=%s: %s.", g->file,
                        g->cpu_pin.kind == CPU_PIN_AUTO ? "auto" : cpu_set_print(&g->cpu_pin.list, text), why);
        if (r < 0)
                return log_error_errno(r, "Cannot place the guest's CPUs: %s.", strerror(-r));
        r = judge_conflicts(g, claims, &p);
        if (r >= 0)
                *ret = p;
        return r;
}
