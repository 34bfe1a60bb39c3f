/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm argv: QEMU's command line for a guest, as vxm-qemu --dry-run has it. Only looks. */

#include "cli.h"
#include "exit-status.h"
#include "log.h"
#include "qemu-argv.h"
#include "qemu-facts.h"
#include "verb-root.h"
#include "verb.h"

static const char *arg_root = "/";

static int print_argv(const char *guest) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(argv_done) Argv line = {};
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int r;

        r = root < 0 ? root : guest_load(root, guest, &g);
        r = r < 0 ? r : qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_JUDGED_DEVICES, &facts);
        if (r < 0)
                return r;
        r = qemu_argv_build(g, &facts, QEMU_PATH, &line);
        if (r < 0)
                return log_oom();
        argv_print(&line, stdout);
        return 0;
}

int verb_argv(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm argv", "Prints QEMU's command line; starts nothing.", "NAME", 1, options,
                .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return exit_status(print_argv(operands[0]));
}
