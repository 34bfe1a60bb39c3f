/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm cat: what preset, guest file and drop-ins of a guest say together, with the place where each value stands. What is printed is a
 * guest file itself. Only looks. */

#include "cli.h"
#include "exit-status.h"
#include "guest.h"
#include "json.h"
#include "log.h"
#include "merged.h"
#include "verb-root.h"
#include "verb.h"

static const char *arg_root = "/";
static bool arg_all;
static bool arg_json;

static void print_origin(const MergedKey *k) {
        if (k->file)
                printf("# %s:%u\n", k->file, k->line);
        else
                printf("# default\n");
}

static bool same_origin(const MergedKey *a, const MergedKey *b) {
        return !a->file && !b->file;
}

/* A comment says where what follows it stands; lines of defaults have one together. */
static int print_text(const MergedGuest *m) {
        for (size_t i = 0; i < m->n; i++) {
                const MergedKey *k = &m->items[i], *before = i > 0 ? k - 1 : NULL;
                bool first = !before || !streq(before->section, k->section);

                if (first)
                        printf("%s[%s]\n", i > 0 ? "\n" : "", k->section);
                if (first || !same_origin(before, k))
                        print_origin(k);
                if (k->key)
                        printf("%s=%s\n", k->key, k->value);
        }
        return fflush(stdout) != 0 ? -errno : 0;
}

static int print_json(const char *guest, const MergedGuest *m) {
        json_t *keys = json_array();
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:s, s:o}", "guest", guest, "keys", keys);

        if (!top)
                return log_oom();
        for (size_t i = 0; i < m->n; i++) {
                const MergedKey *k = &m->items[i];

                if (json_array_append_new(keys,
                            json_pack("{s:s, s:s?, s:s?, s:s, s:s?, s:o}", "section", k->section, "key", k->key, "value", k->value,
                                    "origin", merged_origin_name(k->origin), "file", k->file, "line",
                                    k->file ? json_integer(k->line) : json_null())) < 0)
                        return log_oom();
        }
        return json_dumpf(top, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

/* A file that is wrong is shown all the same, after what is wrong with it: it is what somebody looks for here. */
static int cat(const char *guest) {
        _cleanup_(merged_guest_done) MergedGuest m = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int previous = log_get_max_priority(), judged, r;

        if (root < 0)
                return root;
        judged = guest_load(root, guest, &g);
        log_set_max_priority(-1); /* all that is wrong has been told */
        r = merged_guest_read(root, guest, arg_all, &m);
        log_set_max_priority(previous);
        if (m.n == 0 || (r < 0 && r != -E_CONFIG))
                return judged < 0 ? judged : r;
        r = arg_json ? print_json(guest, &m) : print_text(&m);
        return judged < 0 ? judged : r;
}

int verb_cat(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "all", NULL, "with the defaults that hold", &arg_all, NULL },
                { "json", NULL, "for machines", &arg_json, NULL },
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm cat", "Shows what all files of a guest say together, and where each value stands.", "NAME", 1,
                options, .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return exit_status(cat(operands[0]));
}
