/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm doctor: will this machine do, and this guest, and what is to be done about what will not. Asks the judges that refuse a start, so
 * that it never disagrees with them. Only looks. */

#include "cli.h"
#include "doctor.h"
#include "exit-status.h"
#include "guest-files.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "root.h"
#include "verb-root.h"
#include "verb.h"

typedef struct Patient {
        char *guest; /* NULL: the machine */
        Findings findings;
} Patient;

typedef struct Patients {
        Patient *items; /* the machine first */
        size_t n;
} Patients;

static const char *arg_root = "/";
static bool arg_json;


static void patients_done(Patients *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].guest);
                findings_done(&l->items[i].findings);
        }
        free(l->items);
        *l = (Patients){};
}

static int examine(int root, const char *guest, Patients *l) {
        Patient *p = ARRAY_GROW(l->items, l->n);

        if (!p)
                return log_oom();
        l->n++;
        if (free_and_strdup(&p->guest, guest) < 0)
                return log_oom();
        return guest ? doctor_guest(root, root_is_this_machine(root), guest, &p->findings)
                     : doctor_host(root, root_is_this_machine(root), &p->findings);
}

/* A guest, or the machine and all of its guests. */
static int examine_all(int root, const char *guest, Patients *l) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = examine(root, NULL, l);
        if (r < 0 || guest)
                return r < 0 ? r : examine(root, guest, l);
        r = guest_files_list(root, &names, &n);
        if (r < 0)
                return log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = examine(root, names[i], l);
        strings_free(names, n);
        return r;
}

static int first_error(const Patients *l) {
        int error = 0;

        for (size_t i = 0; i < l->n; i++)
                error = error < 0 ? error : l->items[i].findings.first_error;
        return error;
}

/* ---- for machines ---- */

static json_t *json_patient(const Patient *p) {
        json_t *findings = findings_json(&p->findings);

        return p->guest ? json_pack("{s:s, s:s, s:o}", "guest", p->guest, "verdict", finding_words[findings_worst(&p->findings)], "findings",
                                  findings)
                        : json_pack("{s:s, s:o}", "verdict", finding_words[findings_worst(&p->findings)], "findings", findings);
}

static int print_json(const Patients *l) {
        json_t *guests = json_array();
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:o, s:o}", "host", json_patient(&l->items[0]), "guests", guests);

        if (!top)
                return log_oom();
        for (size_t i = 1; i < l->n; i++)
                if (json_array_append_new(guests, json_patient(&l->items[i])) < 0)
                        return log_oom();
        return json_dumpf(top, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

/* ---- for people ---- */

/* Of guests that nobody has asked for by name one line will do. */
static void print_summary(const Patients *l) {
        for (size_t i = 1; i < l->n; i++) {
                const Patient *p = &l->items[i];
                FindingVerdict worst = findings_worst(&p->findings);

                if (worst == FINDING_NO)
                        printf("%-5sguest %s cannot start; see vxm doctor %s\n", finding_words[worst], p->guest, p->guest);
                else
                        printf("%-5sguest %s can start%s%s\n", finding_words[worst], p->guest, worst == FINDING_OK ? "" : "; see vxm doctor ",
                                worst == FINDING_OK ? "" : p->guest);
        }
}

static int print_text(const Patients *l, bool in_full) {
        findings_print(&l->items[0].findings, stdout);
        if (l->n > 1)
                putchar('\n');
        if (!in_full) {
                print_summary(l);
        } else {
                printf("Guest %s:\n", l->items[1].guest);
                findings_print(&l->items[1].findings, stdout);
        }
        return 0;
}

static int doctor(const char *guest) {
        _cleanup_(patients_done) Patients l = {};
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int r;

        if (root < 0)
                return root;
        if (guest && !guest_name_is_valid(guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", guest);
        r = examine_all(root, guest, &l);
        r = r < 0 ? r : arg_json ? print_json(&l) : print_text(&l, guest);
        return r < 0 ? r : first_error(&l);
}

int verb_doctor(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "json", NULL, "for machines", &arg_json, NULL },
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm doctor", "Says whether machine and guests will do, and what to do about the rest.",
                "[NAME]", 1, options, true, .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return exit_status(doctor(operands[0]));
}
