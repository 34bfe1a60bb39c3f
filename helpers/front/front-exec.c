/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm exec: runs a command in a guest. */

#include <math.h>

#include "cli.h"
#include "exec-run.h"
#include "exit-status.h"
#include "guest-socket.h"
#include "interrupt.h"
#include "log.h"
#include "verb.h"

static const char *arg_timeout;
static bool arg_no_input;
static bool arg_raw;

static const CliOption options[] = {
        { "timeout", "SECONDS", "end the command after that time", NULL, &arg_timeout },
        { "no-input", NULL, "give the command no input", &arg_no_input, NULL },
        { "raw", NULL, "leave what Windows writes in its code page", &arg_raw, NULL },
        {},
};

static int parse_timeout(const char *text, uint64_t *ret) {
        char *end;
        double seconds;

        if (!text)
                return 0;
        seconds = strtod(text, &end);
        if (end == text || *end != '\0' || !isfinite(seconds) || seconds < 0.001 || seconds > 1e7) {
                fprintf(stderr, "vxm exec: --timeout %s is no number of seconds from 0.001 on.\n", text);
                return -EINVAL;
        }
        *ret = (uint64_t) (seconds * 1e6);
        return 0;
}

#define STATUSES \
        "the command's own; 128 and the signal's number if one has ended\n" \
        "it, 124 if --timeout has. Otherwise 1 system error, 64 wrong command line,\n" \
        "69 no agent, 75 busy, 78 no such guest."

/* Options may stand on both sides of the guest's name; “--” before the command makes it exact. */
static int parse(int argc, char *argv[], ExecJob *ret) {
        static const Cli cli = { .program = "vxm exec", .summary = "Runs a command in a guest, by its agent.",
                .operands = "GUEST [OPTION…] [--] COMMAND…", .n_operands = 2, .options = options, .n_more = CLI_ANY, .verbatim = true,
                .manual = "vxm(1)", .statuses = STATUSES };
        Cli behind = cli;
        char **operands, **command;
        int r;

        behind.n_operands = 1;
        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r;
        r = cli_parse(&behind, argc - (int) (operands - argv), operands, &command);
        if (r <= 0)
                return r;
        r = parse_timeout(arg_timeout, &ret->timeout);
        if (r < 0)
                return r;
        ret->guest = operands[0];
        ret->exact = command > operands + 1 && streq(command[-1], "--");
        ret->words = (const char *const *) command;
        return 1;
}

/* What is typed at a terminal stays for whoever asks for it next. */
static int choose_input(void) {
        return arg_no_input || isatty(STDIN_FILENO) ? -1 : STDIN_FILENO;
}

int verb_exec(int argc, char *argv[]) {
        _cleanup_(freep) char *sockets = NULL;
        ExecJob job = { .out = STDOUT_FILENO, .err = STDERR_FILENO };
        int r;

        arg_timeout = NULL;
        arg_no_input = arg_raw = false;
        r = parse(argc, argv, &job);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        r = exec_sockets(GUEST_SOCKETS, job.guest, &sockets);
        if (r < 0)
                return exit_status(r);
        r = interrupt_catch();
        if (r < 0)
                return exit_status(log_error_errno(r, "Cannot catch signals: %s.", strerror(-r)));
        job.sockets = sockets;
        job.in = choose_input();
        job.raw = arg_raw;
        r = exec_run(&job);
        return r < 0 ? exit_status(r) : r;
}
