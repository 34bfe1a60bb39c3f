/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm list: the guests that have a file, and what they ask for. Reads guest files, and nothing of the machine. */

#include <inttypes.h>

#include "cli.h"
#include "exit-status.h"
#include "guest-files.h"
#include "guest.h"
#include "json.h"
#include "log.h"
#include "root.h"
#include "text-table.h"
#include "verb.h"

static bool arg_json, arg_names;

/* A guest, or what is wrong with its file. */
typedef struct Row {
        const char *name; /* borrowed */
        Guest *guest;     /* NULL: its file cannot be used */
        char *error;      /* why: with file and line, in one line */
        char *cpus, *memory, *about;
} Row;

typedef struct Rows {
        Row *items;
        size_t n;
        char **names;
        size_t n_names;
} Rows;

static void rows_done(Rows *l) {
        for (size_t i = 0; i < l->n; i++) {
                guest_free(l->items[i].guest);
                free(l->items[i].error);
                free(l->items[i].cpus);
                free(l->items[i].memory);
                free(l->items[i].about);
        }
        free(l->items);
        strings_free(l->names, l->n_names);
        *l = (Rows){};
}

/* Warnings about a file that can be used are for who starts the guest. */
static int load(int root, Row *row) {
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        int r;

        if (!f)
                return -ENOMEM;
        log_to_stream(f);
        r = guest_load(root, row->name, &row->guest);
        log_to_stream(NULL);
        if (fclose(f) != 0 || r == -ENOMEM)
                return -ENOMEM;
        if (r >= 0)
                return 0;
        text[strcspn(text, "\n")] = '\0';
        return free_and_strdup(&row->error, text_clean(text));
}

static int read_rows(Rows *ret) {
        _cleanup_(closep) int root = root_open("/");
        int r;

        if (root < 0)
                return log_error_errno(root, "Cannot open /: %s.", strerror(-root));
        r = arg_names ? guest_files_list(root, &ret->names, &ret->n_names) : guest_files_list_masked(root, &ret->names, &ret->n_names);
        if (r < 0)
                return log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < ret->n_names; i++) {
                Row *row = ARRAY_GROW(ret->items, ret->n);

                if (!row)
                        return log_oom();
                ret->n++;
                row->name = ret->names[i];
                r = arg_names ? 0 : load(root, row);
        }
        return r < 0 ? log_oom() : 0;
}

/* ---- text ---- */

/* The devices as the guest file has them. */
static int describe_devices(const Guest *g, char **ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_devices; i++)
                for (size_t j = 0; r >= 0 && j < g->devices[i].n_specs; j++)
                        r = list_append(ret, ", ", "%s", g->devices[i].specs[j].text);
        return r;
}

/* The row has the guest's name, and little room: without the directories that the message begins with. */
static const char *shorten(const char *error) {
        const char *slash = NULL;

        for (const char *p = error; *error == '/' && *p && *p != ':' && *p != ' '; p++)
                slash = *p == '/' ? p : slash;
        return slash ? slash + 1 : error;
}

static int describe(Row *row) {
        const Guest *g = row->guest;
        int r;

        if (!g) {
                r = format(&row->cpus, "-");
                r = r < 0 ? r : format(&row->memory, "-");
                return r < 0 ? r : format(&row->about, "%s", shorten(row->error));
        }
        r = format(&row->cpus, "%" PRIu64, g->cpu_count);
        r = r < 0 ? r : format(&row->memory, "%" PRIu64 "M", g->memory_size >> 20);
        r = r < 0 ? r : describe_devices(g, &row->about);
        if (r >= 0 && g->description)
                r = list_append(&row->about, ": ", "%s", g->description);
        if (r >= 0 && !row->about)
                r = format(&row->about, "no devices");
        return r < 0 ? r : (text_clean(row->about), 0);
}

static int print_table(Rows *l) {
        enum { COLUMNS = 5 };
        static const TextColumn columns[COLUMNS] = { { "GUEST" }, { "PRESET" }, { "CPUS", true }, { "MEMORY", true }, { "ABOUT" } };
        const Row *bad = NULL;
        const char **cells;
        int r = 0;

        if (l->n == 0)
                return puts("There is no guest yet; `vxm init NAME` makes one, see man vxm-presets.") < 0 ? -EIO : 0;
        cells = calloc(l->n, sizeof *cells * COLUMNS);
        if (!cells)
                return log_oom();
        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                Row *row = &l->items[i];
                const char *preset = row->guest && row->guest->preset ? row->guest->preset : "-";

                r = describe(row);
                bad = row->error ? row : bad;
                memcpy(cells + i * COLUMNS, (const char *[COLUMNS]){ row->name, preset, row->cpus, row->memory, row->about },
                        sizeof *cells * COLUMNS);
        }
        r = r < 0 ? log_oom() : text_table_print(stdout, columns, COLUMNS, cells, l->n);
        free(cells);
        if (r >= 0 && bad)
                printf("\n`vxm doctor %s` tells all that is wrong with a guest's file.\n", bad->name);
        return r;
}

/* ---- JSON ---- */

static json_t *json_devices(const Guest *g) {
        json_t *list = json_array();

        for (size_t i = 0; g && i < g->n_devices; i++)
                for (size_t j = 0; list && j < g->devices[i].n_specs; j++)
                        if (json_array_append_new(list, json_string(g->devices[i].specs[j].text)) < 0)
                                return json_decref(list), NULL;
        return list;
}

/* All keys are there in any case. */
static json_t *json_row(const Row *row) {
        const Guest *g = row->guest;

        return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:s?}", "guest", row->name, "file", g ? g->file : NULL,
                "preset", g ? g->preset : NULL, "description", g ? g->description : NULL, "user", g ? g->user : NULL, "cpus",
                g ? json_integer((json_int_t) g->cpu_count) : json_null(), "memory",
                g ? json_integer((json_int_t) g->memory_size) : json_null(), "devices", json_devices(g), "error", row->error);
}

static int print_json(const Rows *l) {
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:[]}", "guests");
        json_t *list = json_object_get(top, "guests");

        for (size_t i = 0; i < l->n; i++)
                if (json_array_append_new(list, json_row(&l->items[i])) < 0)
                        return log_oom();
        return !top ? log_oom() : json_dumpf(top, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static int run(void) {
        _cleanup_(rows_done) Rows rows = {};
        int r = read_rows(&rows);

        if (r < 0)
                return r;
        for (size_t i = 0; arg_names && i < rows.n; i++)
                puts(rows.items[i].name);
        return arg_names ? 0 : arg_json ? print_json(&rows) : print_table(&rows);
}

int verb_list(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "json", NULL, "print JSON", &arg_json, NULL },
                { "names", NULL, "print their names alone, a line each", &arg_names, NULL },
                {},
        };
        static const Cli cli = { "vxm list", "Lists the guests that have a file, and what they ask for.", "", 0, options,
                .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        return r <= 0 ? (r < 0 ? STATUS_USAGE : STATUS_DONE) : exit_status(run());
}
