/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of vxm-cpus, one thing a line:
 *
 *     vcpus 2,10,3,11              the host's CPU of each vCPU, in the guest's order
 *     spare -                      more CPUs of the guest's
 *     others 0-1,8-9               where QEMU's other threads run
 *     isolate yes
 *     unit system.slice -          AllowedCPUs= as it was; "-": not set
 *     irq 24 0-15                  the mask as it was */

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
        IRQS_MAX = 8192, /* big machines have some thousands */
};

void cpu_record_done(CpuRecord *record) {
        for (size_t i = 0; i < record->n_units; i++)
                free(record->units[i].name);
        for (size_t i = 0; i < record->n_irqs; i++)
                free(record->irqs[i].name);
        free(record->units);
        free(record->irqs);
        *record = (CpuRecord){};
}

bool cpu_irq_name_is_valid(const char *name) {
        uint64_t number;

        return streq(name, "default") ||
               (parse_number(name, 0, UINT32_MAX, &number) >= 0 && (name[0] != '0' || name[1] == '\0'));
}

const CpuRecordUnit *cpu_record_find_unit(const CpuRecord *record, const char *name) {
        for (size_t i = 0; i < record->n_units; i++)
                if (streq(record->units[i].name, name))
                        return &record->units[i];
        return NULL;
}

const CpuRecordIrq *cpu_record_find_irq(const CpuRecord *record, const char *name) {
        for (size_t i = 0; i < record->n_irqs; i++)
                if (streq(record->irqs[i].name, name))
                        return &record->irqs[i];
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

int cpu_record_add_irq(CpuRecord *record, const char *name, const CpuSet *mask) {
        CpuRecordIrq *irq;

        if (cpu_record_find_irq(record, name))
                return 0;
        if (record->n_irqs >= IRQS_MAX)
                return -E2BIG;
        irq = ARRAY_GROW(record->irqs, record->n_irqs);
        if (!irq || !(irq->name = strdup(name)))
                return -ENOMEM;
        irq->mask = *mask;
        record->n_irqs++;
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

static int parse_irq(char *name, const char *value, CpuRecord *record) {
        CpuSet set;

        if (!name || !cpu_irq_name_is_valid(name) || parse_set(value, &set) < 0 || cpu_set_is_empty(&set))
                return -EINVAL;
        return cpu_record_add_irq(record, name, &set);
}

static int parse_line(char *line, CpuRecord *record) {
        char *word = strsep(&line, " "), *first = strsep(&line, " "), *second = strsep(&line, " ");

        if (line)
                return -EINVAL;
        if (streq(word, "unit"))
                return parse_unit(first, second, record);
        if (streq(word, "irq"))
                return parse_irq(first, second, record);
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
        for (size_t i = 0; i < record->n_irqs; i++)
                fprintf(f, "irq %s %s\n", record->irqs[i].name, cpu_set_print(&record->irqs[i].mask, text));
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
