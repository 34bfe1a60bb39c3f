/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm shell: a prompt for commands that begin with @TARGET, and for what flows between machines. */

#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include "cli.h"
#include "exit-status.h"
#include "guest-files.h"
#include "guest-socket.h"
#include "log.h"
#include "root.h"
#include "shell-prompt.h"
#include "shell-run.h"
#include "verb.h"

static const char *arg_command;

static const char help[] =
        "@NAME COMMAND            run COMMAND in guest NAME; @docker: in a container; without @: here\n"
        "@a COMMAND > @b FILE     … its output goes to a file of another machine\n"
        "@a COMMAND < @b FILE     … its input comes from there\n"
        "@a COMMAND | @b COMMAND  … its output is the other one's input\n"
        "@NAME --pause            also --resume, --status, --snapshot list|save|load|delete [TAG]\n"
        "exit                     leave\n";

/* Runs a line. Returns a status; *ret_leave: it was the last one. */
static int run_line(const char *text, int input, int before, bool *ret_leave) {
        ShellLine line;
        const char *error;
        int r, status;

        r = shell_line_parse(text, &line, &error);
        if (r < 0)
                return r == -EINVAL ? (fprintf(stderr, "vxm shell: %s.\n", error), STATUS_USAGE) : exit_status(log_oom());
        if (line.n == 1 && !line.stages[0].target && (streq(line.stages[0].text, "exit") || streq(line.stages[0].text, "quit"))) {
                *ret_leave = true;
                status = before;
        } else if (line.n == 1 && !line.stages[0].target && streq(line.stages[0].text, "help"))
                status = fputs(help, stdout) < 0 ? STATUS_FAILED : STATUS_DONE;
        else
                status = line.n == 0 ? before : shell_run(GUEST_SOCKETS, &line, input);
        shell_line_done(&line);
        return status;
}

/* What may follow an @: all guests, and the two that are none. */
static int list_targets(char ***ret) {
        _cleanup_(closep) int root = root_open("/");
        char **names = NULL, **grown;
        size_t n = 0;
        int previous = log_get_max_priority();

        log_set_max_priority(-1); /* what is wrong with a guest's name is said elsewhere */
        if (root >= 0)
                (void) guest_files_list(root, &names, &n);
        log_set_max_priority(previous);
        grown = reallocarray(names, n + 3, sizeof *names);
        if (!grown)
                return strings_free(names, n), -ENOMEM;
        grown[n] = strdup("docker");
        grown[n + 1] = strdup("spirit");
        grown[n + 2] = NULL;
        *ret = grown;
        return 0;
}

/* Below $XDG_STATE_HOME, which is made if need be; NULL: no history is kept. */
static char *history_file(void) {
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        char *path = NULL;
        int r;

        if (!isempty(state) && state[0] == '/')
                r = format(&path, "%s/vxm/history", state);
        else if (!isempty(home) && home[0] == '/')
                r = format(&path, "%s/.local/state/vxm/history", home);
        else
                return NULL;
        if (r < 0)
                return NULL;
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void) mkdir(path, 0700);
                *slash = '/';
        }
        return path;
}

/* Lines from a file are not the input of the commands in them. */
static int run_lines(ShellPrompt *prompt) {
        _cleanup_(closep) int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        bool leave = false;
        int status = 0;

        while (!leave) {
                _cleanup_(freep) char *text = NULL;
                int r = shell_prompt_read(prompt, &text);

                if (r == -EMSGSIZE) {
                        fprintf(stderr, "vxm shell: the line is too long.\n");
                        status = STATUS_USAGE;
                        continue;
                }
                if (r < 0)
                        return exit_status(log_error_errno(r, "Cannot read a line: %s.", strerror(-r)));
                if (r == 0)
                        break;
                status = run_line(text, shell_prompt_is_terminal(prompt) ? -EBADF : nothing, status, &leave);
        }
        return status;
}

static int run_prompt(void) {
        _cleanup_(shell_prompt_freep) ShellPrompt *prompt = NULL;
        _cleanup_(freep) char *history = history_file();
        char **words;
        int status;

        (void) setlocale(LC_CTYPE, "");
        if (list_targets(&words) < 0)
                return exit_status(log_oom());
        prompt = shell_prompt_new((const char *const *) words, history);
        status = prompt ? run_lines(prompt) : exit_status(log_oom());
        prompt = shell_prompt_free(prompt);
        for (char **word = words; *word; word++)
                free(*word);
        free(words);
        return status;
}

int verb_shell(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "command", "LINE", "run this line, and end", NULL, &arg_command },
                {},
        };
        static const Cli cli = { .program = "vxm shell", .summary = "A prompt for commands that begin with @NAME.", .operands = "",
                .options = options, .manual = "vxm(1)" };
        char **operands;
        bool leave;
        int r;

        arg_command = NULL;
        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return arg_command ? run_line(arg_command, -EBADF, 0, &leave) : run_prompt();
}
