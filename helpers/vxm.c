/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm: one command for people. Called as @NAME, it runs a command there.
 *
 * Run by hand. Speaks to systemd over the system bus and to running guests over their sockets; how anything is done is
 * known to the units and the other helpers. Has no privilege of its own: who may do what is up to polkit and to who may
 * open the sockets. */

#include <fcntl.h>

#include "cli.h"
#include "exit-status.h"
#include "host.h"
#include "log.h"
#include "suggest.h"
#include "verb.h"

static const char *arg_host;

static const Verb life_verbs[] = {
        { "start", "NAME", "start a guest, and show how it comes up", verb_start, VERB_BY_BUS },
        { "stop", "NAME", "have it power off, and its devices go back", verb_stop, VERB_BY_BUS },
        { "restart", "NAME", "stop it, then start it again", verb_restart, VERB_BY_BUS },
        { "pause", "NAME", "stop its CPUs", verb_pause },
        { "resume", "NAME", "let it go on, or wake it", verb_resume },
        { "reset-hard", "NAME", "press its reset button", verb_reset_hard },
        { "snapshot", "NAME save|load|list|delete [TAG]", "keep what it is, and go back to that", verb_snapshot },
        {},
};

static const Verb look_verbs[] = {
        { "list", "", "the guests that have a file", verb_list },
        { "status", "[NAME]", "what guests are doing", verb_status, VERB_BY_BUS },
        { "log", "NAME [OPTION…]", "the journal of a guest and its helpers", verb_log },
        { "console", "NAME", "its serial console; Ctrl-] leaves", verb_console },
        { "monitor", "NAME [COMMAND…]", "QEMU's own monitor", verb_monitor },
        { "screenshot", "NAME FILE", "a picture of its emulated display, as PNG", verb_screenshot },
        {},
};

static const Verb inside_verbs[] = {
        { "exec", "GUEST COMMAND…", "run a command in a guest", verb_exec },
        { "cp", "[GUEST:]PATH [GUEST:]PATH", "copy a file to, from or between guests", verb_cp },
        { "shell", "", "a prompt for commands of several machines", verb_shell },
        { "alias", "[NAME…]", "manage the commands @NAME", verb_alias },
        {},
};

static const Verb special_verbs[] = {
        { "dsp", "status|console|netjack-restart [NAME]", "a guest that works on sound", verb_dsp },
        {},
};

static const Verb file_verbs[] = {
        { "init", "NAME", "make a guest: its file, its disk, what it needs", verb_init },
        { "edit", "NAME", "change its file, judged before it counts", verb_edit },
        { "cat", "NAME", "what its files say together, and where", verb_cat },
        { "argv", "NAME", "QEMU's command line", verb_argv },
        { "config", "[NAME]", "which GPU it gets, and whether from boot on", verb_config },
        { "reset", "[NAME]", "remove what vxm has made", verb_reset },
        {},
};

static const Verb machine_verbs[] = {
        { "doctor", "[NAME]", "will it work, and what to do about it", verb_doctor },
        { "list-gpus", "", "the GPUs, and what a guest would get of each", verb_list_gpus },
        { "gpu", "status|passthrough|reclaim [DEV]", "who has a GPU; give it to no guest, and back", verb_gpu },
        { "fingerprint", "", "the machine's own number", verb_fingerprint },
        {},
};

static const VerbGroup groups[] = {
        { "A guest's life", life_verbs },
        { "Looking at it, and talking to it", look_verbs },
        { "Inside guests", inside_verbs },
        { "Its files", file_verbs },
        { "The machine", machine_verbs },
        { "For special guests", special_verbs },
};

/* What other tools call it, or people would. */
static const struct {
        const char *name, *verb;
} other_names[] = {
        { "create", "init" },     { "new", "init" },     { "define", "init" },   { "ls", "list" },         { "info", "status" },
        { "show", "status" },     { "ps", "status" },    { "logs", "log" },      { "shutdown", "stop" },   { "poweroff", "stop" },
        { "reboot", "restart" },  { "suspend", "pause" }, { "unpause", "resume" }, { "reset-guest", "reset-hard" }, { "run", "exec" },
        { "ssh", "exec" },        { "copy", "cp" },      { "dumpxml", "cat" },   { "delete", "reset" },    { "remove", "reset" },
        { "rm", "reset" },        { "undefine", "reset" }, { "check", "doctor" },
};

static const Verb *find_verb(const char *name, Suggestion *nearest) {
        for (size_t g = 0; g < ELEMENTSOF(groups); g++)
                for (const Verb *v = groups[g].verbs; v->name; v++) {
                        if (streq(v->name, name))
                                return v;
                        suggest(name, v->name, nearest);
                }
        for (size_t i = 0; i < ELEMENTSOF(other_names); i++)
                if (streq(other_names[i].name, name))
                        *nearest = (Suggestion){ other_names[i].verb, 0 };
        return NULL;
}

/* What does not fit beside its operands stands below them. */
static void print_verb(const Verb *v) {
        enum { COLUMN = 30 };
        int width = printf("  %s%s%s", v->name, *v->operands ? " " : "", v->operands);

        for (const char *p = v->operands; *p; p++)
                width -= ((unsigned char) *p & 0xc0) == 0x80; /* counted in bytes */
        if (width >= COLUMN) {
                putchar('\n');
                width = 0;
        }
        printf("%*s%s\n", COLUMN - width, "", v->summary);
}

static void print_verbs(void) {
        for (size_t g = 0; g < ELEMENTSOF(groups); g++) {
                printf("\n%s:\n", groups[g].title);
                for (const Verb *v = groups[g].verbs; v->name; v++)
                        print_verb(v);
        }
        printf("\nvxm VERB --help tells more of each.\n");
}

static int unknown_verb(const char *name, const Suggestion *nearest) {
        if (nearest->word)
                fprintf(stderr, "vxm: there is no verb “%s”; did you mean “%s”? See vxm --help.\n", name, nearest->word);
        else
                fprintf(stderr, "vxm: there is no verb “%s”; see vxm --help.\n", name);
        return STATUS_USAGE;
}

/* “vxm help VERB” is “vxm VERB --help”. */
static int help(const Cli *cli, char *verb) {
        static char option[] = "--help";
        char *words[] = { verb ? verb : (char *) cli->program, option, NULL }, **operands;
        Suggestion nearest = {};
        const Verb *v = verb ? find_verb(verb, &nearest) : NULL;

        if (verb && !v)
                return unknown_verb(verb, &nearest);
        return v ? v->run(2, words) : cli_parse(cli, 2, words, &operands) < 0 ? STATUS_USAGE : STATUS_DONE;
}

static int run_verb(const Cli *cli, int argc, char *argv[]) {
        Suggestion nearest = {};
        const Verb *verb = find_verb(argv[0], &nearest);

        if (!verb && streq(argv[0], "help") && argc <= 2)
                return help(cli, argv[1]);
        if (!verb)
                return unknown_verb(argv[0], &nearest);
        if (host_set(arg_host) < 0) {
                fprintf(stderr, "vxm: “%s” is no host; use HOST or USER@HOST, as ssh knows it.\n", arg_host);
                return STATUS_USAGE;
        }
        return arg_host && verb->reach == VERB_BY_SSH ? host_run(argc, argv) : verb->run(argc, argv);
}

static int run(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "host", "HOST", "on another machine, by ssh: HOST or USER@HOST", NULL, &arg_host, 'H' },
                {},
        };
        static const Cli cli = { "vxm", "Gives guests a real GPU, and takes it back.", "VERB", 1, options, .n_more = CLI_ANY,
                .verbatim = true, .manual = VERB_MANUAL, .print_more = print_verbs };
        const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
        char **operands;
        int r;

        name = name ? name + 1 : argc > 0 ? argv[0] : "vxm";
        if (name[0] == '@')
                return verb_target(name + 1, argc - 1, argv + 1);
        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return run_verb(&cli, (int) (argv + argc - operands), operands);
}

/* What is printed is all that many verbs do, and they say nothing of it. That nobody reads it any more is no failure. */
static int check_output(int status) {
        int error = fflush(stdout) == EOF ? errno : ferror(stdout) ? EIO : 0;

        if (error == 0 || error == EPIPE || (status != STATUS_DONE && log_has_told_error()))
                return status;
        (void) log_error_errno(error, "Cannot write the output: %s.", strerror(error));
        return status != STATUS_DONE ? status : STATUS_FAILED;
}

/* What a caller has closed would be the number of the next descriptor, such as an agent's socket, which would get what is printed. */
static bool fill_standard_streams(void) {
        int fd;

        do
                fd = open("/dev/null", O_RDWR);
        while (fd >= 0 && fd <= STDERR_FILENO);
        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

int main(int argc, char *argv[]) {
        if (!fill_standard_streams())
                return STATUS_FAILED;
        log_setup("vxm", NULL);
        return check_output(run(argc, argv));
}
