/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm cp: copies a file between this machine and guests. */

#include "cli.h"
#include "copy.h"
#include "exit-status.h"
#include "guest-socket.h"
#include "interrupt.h"
#include "log.h"
#include "verb.h"

static int parse_end(const char *text, CopyEnd *ret) {
        int r = copy_end_parse(text, ret);

        if (r == -EINVAL)
                fprintf(stderr, "vxm cp: “%s” names no file; write GUEST:PATH, or a path.\n", text);
        return r;
}

int verb_cp(int argc, char *argv[]) {
        static const CliOption options[] = { {} };
        static const Cli cli = { .program = "vxm cp", .summary = "Copies a file to, from or between guests, by their agents.",
                .operands = "[GUEST:]PATH [GUEST:]PATH", .n_operands = 2, .options = options, .manual = "vxm(1)" };
        _cleanup_(copy_end_done) CopyEnd from = {}, to = {};
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        r = parse_end(operands[0], &from);
        r = r < 0 ? r : parse_end(operands[1], &to);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : exit_status(log_oom());
        r = interrupt_catch();
        if (r < 0)
                return exit_status(log_error_errno(r, "Cannot catch signals: %s.", strerror(-r)));
        r = copy_file(GUEST_SOCKETS, &from, &to, true);
        return r < 0 ? exit_status(r) : r;
}
