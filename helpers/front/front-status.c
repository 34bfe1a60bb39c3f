/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm status: what guests are doing. Of all of them systemd is asked in one call, as there may be many. */

#include <inttypes.h>
#include <time.h>

#include "cli.h"
#include "exit-status.h"
#include "guest-bus.h"
#include "guest-files.h"
#include "host.h"
#include "known-guest.h"
#include "log.h"
#include "root.h"
#include "text-table.h"
#include "unit-events.h"
#include "verb.h"

static bool arg_json, arg_watch;
static const char *arg_guest; /* NULL: all */

/* ---- who there is ---- */

/* Names, sorted, each once; borrowed from files and units. */
typedef struct Names {
        const char **items;
        size_t n;
        char **files;
        size_t n_files;
} Names;

static void names_done(Names *l) {
        strings_free(l->files, l->n_files);
        free(l->items);
        *l = (Names){};
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int add_name(Names *l, const char *name) {
        const char **item = ARRAY_GROW(l->items, l->n);

        if (!item)
                return -ENOMEM;
        l->n++;
        *item = name;
        return 0;
}

/* Those that have a file, of this machine only, and those that systemd has in memory. */
static int collect_names(const GuestUnits *units, Names *ret) {
        _cleanup_(closep) int root = host_name() ? -EBADF : root_open("/");
        size_t n = 0;
        int r = 0;

        if (root >= 0 && guest_files_list(root, &ret->files, &ret->n_files) < 0)
                ret->n_files = 0;
        for (size_t i = 0; r >= 0 && i < ret->n_files; i++)
                r = add_name(ret, ret->files[i]);
        for (size_t i = 0; r >= 0 && i < units->n; i++)
                if (i == 0 || !streq(units->items[i].guest, units->items[i - 1].guest))
                        r = add_name(ret, units->items[i].guest);
        if (r < 0 || ret->n == 0)
                return r;
        qsort(ret->items, ret->n, sizeof *ret->items, compare_names);
        for (size_t i = 0; i < ret->n; i++)
                if (n == 0 || !streq(ret->items[n - 1], ret->items[i]))
                        ret->items[n++] = ret->items[i];
        ret->n = n;
        return 0;
}

/* ---- all of them ---- */

/* What is worth a word: units that have failed, or what is on its way; that it stands still; else what the guest calls itself. */
static int describe(const GuestView *v, char **ret) {
        const GuestUnit *own = guest_view_unit(v);
        bool failed = false;
        int r = 0;

        for (size_t i = 0; i < v->n; i++)
                failed = failed || streq(v->units[i].active, "failed");
        for (size_t i = 0; r >= 0 && i < v->n; i++) {
                const GuestUnit *u = &v->units[i];
                char name[GUEST_UNIT_SIZE];

                guest_unit_short(u->name, name);
                if (failed && streq(u->active, "failed"))
                        r = list_append(ret, ", ", "%s has failed", name);
                else if (!failed && u != own && (streq(u->active, "activating") || streq(u->active, "deactivating")))
                        r = list_append(ret, ", ", "%s is %s", name, u->active);
        }
        if (r >= 0 && !*ret)
                r = free_and_strdup(ret, !own ? "" : own->says && !startswith(own->says, "Running") ? own->says : own->description);
        return r < 0 ? r : (text_clean(*ret), 0);
}

enum { STATUS_COLUMNS = 3 };

static int print_table(const GuestUnits *units, const Names *names) {
        static const TextColumn columns[STATUS_COLUMNS] = { { "GUEST" }, { "STATE" }, { "ABOUT" } };
        const char **cells = calloc(names->n, sizeof *cells * STATUS_COLUMNS);
        char **texts = calloc(names->n, sizeof *texts);
        int r = cells && texts ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < names->n; i++) {
                const GuestView v = guest_units_of(units, names->items[i]);

                r = describe(&v, &texts[i]);
                cells[i * STATUS_COLUMNS] = v.guest;
                cells[i * STATUS_COLUMNS + 1] = guest_view_state(&v);
                cells[i * STATUS_COLUMNS + 2] = texts[i];
        }
        r = r < 0 ? log_oom() : text_table_print(stdout, columns, STATUS_COLUMNS, cells, names->n);
        strings_free(texts, texts ? names->n : 0);
        free(cells);
        return r;
}

static int print_json(json_t *top) {
        _cleanup_(json_decrefp) json_t *owned = top;

        if (!top)
                return log_oom();
        /* Of many a line each, for who reads them as they come. */
        return json_dumpf(top, stdout, arg_watch ? JSON_COMPACT : JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static int print_all_json(const GuestUnits *units, const Names *names) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < names->n; i++) {
                const GuestView v = guest_units_of(units, names->items[i]);

                if (json_array_append_new(list, guest_view_json(&v)) < 0)
                        return json_decref(list), log_oom();
        }
        return print_json(list ? json_pack("{s:o}", "guests", list) : NULL);
}

static int show_all(sd_bus *bus) {
        _cleanup_(guest_units_done) GuestUnits units = {};
        _cleanup_(names_done) Names names = {};
        int r = guest_units_read(bus, NULL, &units);

        if (r < 0)
                return r;
        if (guest_units_ask(bus, &units) < 0 || collect_names(&units, &names) < 0)
                return log_oom();
        if (arg_json)
                return print_all_json(&units, &names);
        if (names.n == 0)
                return puts(host_name() ? "systemd there has no guest in memory."
                                        : "There is no guest yet; `vxm init NAME` makes one, see man vxm-presets.") < 0
                               ? -EIO
                               : 0;
        return print_table(&units, &names);
}

/* ---- one ---- */

static bool starts_at_boot(const GuestFacts *f) {
        return streq(f->file_state, "enabled") || streq(f->file_state, "enabled-runtime");
}

static int print_one_json(const GuestView *v, const GuestFacts *f) {
        _cleanup_(json_decrefp) json_t *top = guest_view_json(v), *more = NULL;

        more = json_pack("{s:s?, s:o, s:o, s:o, s:s, s:b, s:b}", "status", isempty(f->status) ? NULL : f->status, "since",
                f->since > 0 ? json_integer((json_int_t) (f->since / 1000000)) : json_null(), "pid",
                f->pid > 0 ? json_integer(f->pid) : json_null(), "memory",
                f->memory == UINT64_MAX ? json_null() : json_integer((json_int_t) f->memory), "result", f->result, "at_boot",
                starts_at_boot(f), "needs_reload", f->needs_reload);
        if (!top || !more || json_object_update(top, more) < 0)
                return log_oom();
        return print_json(json_incref(top));
}

static void print_since(uint64_t since) {
        time_t when = (time_t) (since / 1000000);
        char text[64];
        struct tm tm;

        if (since > 0 && localtime_r(&when, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) > 0)
                printf("  since     %s\n", text);
}

static void print_next(const char *guest, const char *state, const GuestFacts *f) {
        if (f->needs_reload)
                printf("  next      systemctl daemon-reload: the guest file has changed\n");
        else if (streq(state, "off"))
                printf("  next      vxm start %s\n", guest);
        else if (streq(state, "failed"))
                printf("  next      vxm log %s --catalog tells why, vxm start %s tries again\n", guest, guest);
}

static int print_units(const GuestView *v) {
        enum { COLUMNS = 3 };
        static const TextColumn columns[COLUMNS] = { { "UNIT" }, { "STATE" }, { "FOR" } };
        const char **cells = calloc(v->n, sizeof *cells * COLUMNS);
        char (*names)[GUEST_UNIT_SIZE] = calloc(v->n, sizeof *names);
        int r;

        for (size_t i = 0; cells && names && i < v->n; i++) {
                guest_unit_short(v->units[i].name, names[i]);
                cells[i * COLUMNS] = names[i];
                cells[i * COLUMNS + 1] = v->units[i].active;
                cells[i * COLUMNS + 2] = v->units[i].kind->about;
        }
        putchar('\n');
        r = cells && names ? text_table_print(stdout, columns, COLUMNS, cells, v->n) : log_oom();
        free(cells);
        free(names);
        return r;
}

static int print_one(const GuestView *v, const GuestFacts *f) {
        const char *state = guest_view_state(v);

        printf("Guest %s %s%s\n", v->guest, streq(state, "failed") ? "has " : "is ", state);
        print_since(f->since);
        if (!isempty(f->status))
                printf("  says      %s\n", text_clean(f->status));
        if (f->pid > 0)
                printf("  process   %" PRIu32 "\n", f->pid);
        if (f->memory != UINT64_MAX)
                printf("  memory    %" PRIu64 " MB\n", f->memory >> 20);
        if (starts_at_boot(f))
                printf("  starts    at boot, too\n");
        if (!isempty(f->result) && !streq(f->result, "success"))
                printf("  result    %s\n", text_clean(f->result));
        print_next(v->guest, state, f);
        return v->n > 0 ? print_units(v) : 0;
}

static int show_one(sd_bus *bus, const char *guest) {
        _cleanup_(guest_facts_done) GuestFacts facts = {};
        _cleanup_(guest_units_done) GuestUnits units = {};
        char unit[GUEST_UNIT_SIZE];
        GuestView v;
        int r;

        guest_unit_name("guest", guest, unit);
        r = guest_units_read(bus, guest, &units);
        if (r >= 0 && units.n == 0 && !host_name())
                r = known_guest(guest); /* one whose file is gone may still have something to be undone */
        r = r < 0 ? r : guest_facts_read(bus, unit, &facts);
        if (r < 0)
                return r;
        v = guest_units_of(&units, guest);
        return arg_json ? print_one_json(&v, &facts) : print_one(&v, &facts);
}

/* ---- and again, whenever something has happened ---- */

static void on_state(const char *unit, const char *active _unused_, void *userdata) {
        char guest[GUEST_NAME_MAX + 1];
        size_t rank;

        if (!arg_guest || (guest_unit_parse(unit, guest, &rank) && streq(guest, arg_guest)))
                *(bool *) userdata = true;
}

static void on_job(const char *unit, void *userdata) {
        on_state(unit, NULL, userdata);
}

static int show(sd_bus *bus) {
        return arg_guest ? show_one(bus, arg_guest) : show_all(bus);
}

static int watch(sd_bus *bus) {
        _cleanup_(unit_events_done) UnitEvents events = {};
        bool news = true, terminal = isatty(STDOUT_FILENO) && !arg_json;
        int r;

        events = (UnitEvents){ .bus = bus, .on_state = on_state, .on_job = on_job, .userdata = &news };
        r = unit_events_open(&events);
        while (r >= 0) {
                if (news) {
                        news = false;
                        if (terminal)
                                fputs("\033[H\033[J", stdout);
                        r = show(bus);
                        r = r >= 0 && fflush(stdout) != 0 ? -errno : r;
                }
                r = r < 0 ? r : unit_events_wait(&events);
        }
        return r;
}

static int run(void) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r = arg_guest ? known_guest_name(arg_guest) : 0;

        r = r < 0 ? r : host_bus_open(&bus);
        return r < 0 ? r : arg_watch ? watch(bus) : show(bus);
}

int verb_status(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "json", NULL, "print JSON", &arg_json, NULL },
                { "watch", NULL, "show it again whenever something changes", &arg_watch, NULL },
                {},
        };
        static const Cli cli = { "vxm status", "Shows what guests are doing; of one, also its units and what may be done next.", "[NAME]",
                0, options, .n_more = 1, .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        arg_guest = operands[0];
        return exit_status(run());
}
