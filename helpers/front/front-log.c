/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm log: the whole story of a guest, by journalctl(1). */

#include "argv.h"
#include "cli.h"
#include "exit-status.h"
#include "guest-unit.h"
#include "known-guest.h"
#include "log.h"
#include "unit-log.h"
#include "verb.h"

/* Units by their names, not messages with VXM_GUEST=: any program may write that into its own. Of shares only a pattern
 * is known. */
static int append_units(Argv *argv, const char *guest) {
        int r = 0;

        for (const GuestUnitKind *kind = guest_unit_kinds; r >= 0 && kind->name; kind++) {
                r = argv_add(argv, "--unit", "%s@%s.service", kind->name, guest);
                if (r >= 0 && kind->socket)
                        r = argv_add(argv, "--unit", "%s@%s.socket", kind->name, guest);
        }
        return r < 0 ? r : argv_add(argv, "--unit", "vxm-share@%s:*", guest);
}

/* Whether journalctl is to read another journal than this machine's. */
static bool looks_elsewhere(char *const options[]) {
        static const char *const elsewhere[] = { "-D", "--directory", "-i", "--file", "--root", "--image", "-M", "--machine", "-m", "--merge",
                "--namespace" };

        for (; *options; options++)
                for (size_t i = 0; i < ELEMENTSOF(elsewhere); i++)
                        if (startswith(*options, elsewhere[i]))
                                return true;
        return false;
}

/* There are stories of guests that are gone, too. */
static int judge(const char *guest, char *const options[]) {
        int r = known_guest_name(guest);

        return r < 0 || looks_elsewhere(options) || unit_log_has_guest(guest) != 0 ? r : known_guest(guest);
}

static int run(const char *guest, char *options[]) {
        _cleanup_(argv_done) Argv argv = {};
        int r = judge(guest, options);

        if (r < 0)
                return r;
        r = argv_add_flag(&argv, "journalctl");
        r = r < 0 ? r : append_units(&argv, guest);
        for (; r >= 0 && *options; options++)
                r = argv_add_flag(&argv, *options);
        if (r < 0)
                return log_oom();
        execvp(argv.items[0], argv.items);
        return log_error_errno(errno, "Cannot run journalctl: %m; it comes with systemd.");
}

int verb_log(int argc, char *argv[]) {
        static const CliOption options[] = { {} };
        static const Cli cli = { "vxm log", "Shows the journal of a guest and of all that works for it.\n"
                "What follows NAME is journalctl's: --follow, --lines=20, --since=today, …", "NAME [OPTION…]", 1, options, .n_more = CLI_ANY,
                .verbatim = true, .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        return r <= 0 ? (r < 0 ? STATUS_USAGE : STATUS_DONE) : exit_status(run(operands[0], operands + 1));
}
