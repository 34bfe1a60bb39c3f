/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm dsp: a guest that works on sound. Thin names over its units and its console. */

#include "cli.h"
#include "console.h"
#include "exit-status.h"
#include "guest-bus.h"
#include "guest-files.h"
#include "guest.h"
#include "json.h"
#include "known-guest.h"
#include "log.h"
#include "root.h"
#include "unit-events.h"
#include "verb.h"

static bool arg_json;

/* ---- which guest ---- */

static bool has_netjack(int root, const char *name) {
        _cleanup_(guest_freep) Guest *g = NULL;

        return guest_load_quietly(root, name, NULL, &g) >= 0 && g->netjack.enable;
}

/* The only one with NETJACK. */
static int find_guest(char **ret) {
        _cleanup_(closep) int root = root_open("/");
        _cleanup_(freep) char *found = NULL;
        char **names = NULL;
        size_t n = 0, n_found = 0;
        int r = root < 0 ? root : guest_files_list(root, &names, &n);

        for (size_t i = 0; r >= 0 && i < n; i++)
                if (has_netjack(root, names[i])) {
                        n_found++;
                        r = list_append(&found, ", ", "%s", names[i]);
                }
        strings_free(names, n);
        if (r < 0)
                return log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r));
        if (n_found == 0)
                return log_error_errno(E_CONFIG, "No guest has [NetJack] Enable=yes; a guest file with Preset=dsp has.");
        if (n_found > 1)
                return log_error_errno(E_CONFIG, "Several guests have [NetJack] Enable=yes: %s; name the one that is meant.", found);
        *ret = TAKE_PTR(found);
        return 0;
}

/* ---- what is done ---- */

static int read_unit(sd_bus *bus, const char *kind, const char *guest, GuestFacts *ret) {
        char unit[GUEST_UNIT_SIZE];

        guest_unit_name(kind, guest, unit);
        return guest_facts_read(bus, unit, ret);
}

static void print_unit(const char *about, const GuestFacts *f) {
        printf("  %-8s  %s%s%s\n", about, f->active, isempty(f->status) ? "" : ": ", text_clean(f->status));
}

static int print_json(const char *guest, const GuestFacts *own, const GuestFacts *netjack) {
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:s, s:s, s:s?, s:{s:s, s:s?}}", "guest", guest, "active", own->active, "status",
                isempty(own->status) ? NULL : own->status, "netjack", "active", netjack->active, "status",
                isempty(netjack->status) ? NULL : netjack->status);

        return !top ? log_oom() : json_dumpf(top, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

static int show_status(const char *guest) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(guest_facts_done) GuestFacts own = {}, netjack = {};
        int r = systemd_bus_open(&bus);

        r = r < 0 ? r : read_unit(bus, "guest", guest, &own);
        r = r < 0 ? r : read_unit(bus, "netjack", guest, &netjack);
        if (r < 0)
                return r;
        if (arg_json)
                return print_json(guest, &own, &netjack);
        printf("Guest %s\n", guest);
        print_unit("guest", &own);
        print_unit("NETJACK", &netjack);
        return 0;
}

static int restart_netjack(const char *guest) {
        _cleanup_(unit_events_done) UnitEvents events = {};
        _cleanup_(guest_facts_done) GuestFacts facts = {};
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        char unit[GUEST_UNIT_SIZE], own[GUEST_UNIT_SIZE];
        int r = systemd_bus_open(&bus);

        if (r < 0)
                return r;
        events = (UnitEvents){ .bus = bus };
        guest_unit_name("netjack", guest, unit);
        guest_unit_name("guest", guest, own);
        r = guest_facts_read(bus, own, &facts);
        if (r >= 0 && !streq(facts.active, "active"))
                return log_error_errno(ENOTCONN, "Guest %s does not run, and so has no NETJACK; vxm start %s starts it.", guest, guest);
        r = r < 0 ? r : unit_events_open(&events);
        r = r < 0 ? r : guest_job_queue(bus, "RestartUnit", "restart NETJACK of", unit, &events.job);
        while (r >= 0 && !events.result)
                r = unit_events_wait(&events);
        if (r >= 0 && !streq(events.result, "done"))
                return log_error_errno(EIO, "NETJACK of guest %s has not started; journalctl -u %s tells why.", guest, unit);
        if (r >= 0)
                printf("NETJACK of guest %s has been restarted.\n", guest);
        return r;
}

static const struct {
        const char *word;
        int (*act)(const char *guest);
} words[] = {
        { "status", show_status },
        { "console", console_run },
        { "netjack-restart", restart_netjack },
};

int verb_dsp(int argc, char *argv[]) {
        static const CliOption options[] = { { "json", NULL, "with status: print JSON", &arg_json, NULL }, {} };
        static const Cli cli = { "vxm dsp", "For a guest that works on sound: how it is, its console, NETJACK anew.\n"
                "Without NAME it is the only one with [NetJack].", "status|console|netjack-restart [NAME]", 1, options, .n_more = 1,
                .manual = VERB_MANUAL };
        _cleanup_(freep) char *guest = NULL;
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                if (!streq(words[i].word, operands[0]) || (arg_json && words[i].act != show_status))
                        continue;
                r = operands[1] ? known_guest(operands[1]) : find_guest(&guest);
                return exit_status(r < 0 ? r : words[i].act(operands[1] ? operands[1] : guest));
        }
        fprintf(stderr, "vxm dsp: expected status, console or netjack-restart, NAME if there are several; --json with status only.\n");
        return STATUS_USAGE;
}
