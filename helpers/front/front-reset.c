/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm reset: removes what vxm has made, for a guest or for all, after it has shown it: never a disk without --disks, nothing while a guest
 * runs. What others have made stays: presets of one's own, images, what comes with the package. */

#include "cli.h"
#include "exit-status.h"
#include "guest-write.h"
#include "log.h"
#include "reset.h"
#include "root.h"
#include "verb-root.h"
#include "verb.h"

static const char *arg_root = "/";
static bool arg_disks;
static bool arg_yes;
static bool arg_dry_run;

/* Only a clear yes is one. */
static bool is_sure(void) {
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;

        if (arg_yes)
                return true;
        printf("\nRemove all this? It does not come back. [y/N]: ");
        fflush(stdout);
        return getline(&line, &size, stdin) > 0 && (streq(line, "y\n") || streq(line, "Y\n") || streq(line, "yes\n"));
}

static int reset(const char *guest) {
        _cleanup_(closep) int root = verb_root_open(arg_root);
        _cleanup_(reset_done) Reset l = {};
        int r;

        r = root < 0 ? root : reset_find(root, guest, arg_disks, &l);
        if (r < 0)
                return r;
        reset_print(&l, stdout);
        if (l.n == 0 && !l.binding)
                return log_info("There is nothing to remove.");
        if (arg_dry_run)
                return 0;
        r = guest_write_judge(root);
        if (r < 0)
                return r;
        if (!is_sure())
                return log_info("Nothing has been removed.");
        r = reset_judge(root, guest, arg_disks, &l);
        if (r < 0)
                return r;
        r = reset_run(root, &l);
        (void) guest_written(root); /* also when something is left */
        return r;
}

int verb_reset(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "disks", NULL, "disks, too, with their UEFI variables and TPM", &arg_disks, NULL },
                { "yes", NULL, "do not ask", &arg_yes, NULL },
                { "dry-run", NULL, "show it, and remove nothing", &arg_dry_run, NULL },
                { "root", "DIR", "on the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm reset", "Removes what vxm has made, for a guest or for all.", "[NAME]", 1, options, true,
                .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        if (!arg_yes && !arg_dry_run && !isatty(STDIN_FILENO)) {
                fprintf(stderr, "vxm reset: nobody can be asked here; expected --yes or --dry-run.\n");
                return STATUS_USAGE;
        }
        return exit_status(reset(operands[0]));
}
