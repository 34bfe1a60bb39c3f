/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm monitor: commands for QEMU of a running guest, in the words of its human monitor, or of QMP. Each has a
 * conversation of its own, so that an open prompt keeps nobody else from talking to QEMU. */

#include "cli.h"
#include "exit-status.h"
#include "known-guest.h"
#include "life-session.h"
#include "log.h"
#include "monitor.h"
#include "verb.h"

static bool arg_qmp;

enum {
        LINE_MAX_BYTES = 16 * 1024,
};

/* What comes back has lines, and is not trusted. */
static void print_text(const char *text) {
        _cleanup_(freep) char *copy = strdup(text);
        char *rest = copy, *line;

        while ((line = strsep(&rest, "\n"))) {
                line[strcspn(line, "\r")] = '\0';
                if (rest || *line)
                        puts(text_clean(line));
        }
}

static int run_human(LifeSession *s, const char *line) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        json_t *arguments = json_pack("{s:s}", "command-line", line);
        int r;

        if (!arguments)
                return log_error_errno(EINVAL, "“%s” is no UTF-8, and so no command.", line);
        r = life_call(s, "Cannot run the command", "human-monitor-command", arguments, &reply);
        if (r >= 0 && json_is_string(reply))
                print_text(json_string_value(reply));
        return r;
}

/* A command's name, or that and its arguments as JSON, or a whole message as QEMU documents it. */
static int parse_qmp(const char *line, char **ret_command, json_t **ret_arguments) {
        _cleanup_(json_decrefp) json_t *message = NULL;
        size_t n = strcspn(line, " ");
        const char *rest = line + n + strspn(line + n, " "), *command;

        *ret_arguments = NULL;
        if (*line != '{') {
                if (*rest && !(*ret_arguments = json_loads(rest, 0, NULL)))
                        return -EINVAL;
                if (*rest && !json_is_object(*ret_arguments))
                        return json_decref(*ret_arguments), -EINVAL;
                return format(ret_command, "%.*s", (int) n, line);
        }
        message = json_loads(line, 0, NULL);
        command = json_get_string(message, "execute");
        if (!command)
                return -EINVAL;
        *ret_arguments = json_incref(json_object_get(message, "arguments"));
        return format(ret_command, "%s", command);
}

static int run_qmp(LifeSession *s, const char *line) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        _cleanup_(freep) char *command = NULL;
        json_t *arguments;
        int r = parse_qmp(line, &command, &arguments);

        if (r < 0)
                return log_error_errno(r, "“%s” is no command; use COMMAND, COMMAND {ARGUMENTS}, or {\"execute\": COMMAND, …}.", line);
        r = life_call(s, "Cannot run the command", command, arguments, &reply);
        if (r < 0)
                return r;
        /* As ASCII, with all else escaped, it does nothing to a terminal. */
        return json_dumpf(reply, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_ENSURE_ASCII) < 0 || putchar('\n') < 0 ? -EIO : 0;
}

int monitor_line(const char *sockets, const char *guest, const char *line, bool qmp) {
        _cleanup_(life_closep) LifeSession *s = NULL;
        int r = life_open(sockets, guest, &s);

        return r < 0 ? r : qmp ? run_qmp(s, line) : run_human(s, line);
}

static int run_line(const char *guest, const char *line) {
        _cleanup_(freep) char *sockets = NULL;

        return format(&sockets, "/run/vxm/sockets/%s", guest) < 0 ? log_oom() : monitor_line(sockets, guest, line, arg_qmp);
}

/* A line each, from a terminal or a script. One that QEMU refuses does not end it; a guest that has ended does. */
static int run_lines(const char *guest) {
        bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        int r = 0, result = 0;

        for (;;) {
                ssize_t n;
                char *command;

                if (terminal)
                        printf("(%s) ", guest);
                fflush(stdout);
                n = getline(&line, &size, stdin);
                if (n < 0)
                        break;
                command = strstrip(line);
                if (*command == '\0')
                        continue;
                r = n > LINE_MAX_BYTES ? log_error_errno(E2BIG, "A command has at most %d characters.", LINE_MAX_BYTES)
                                       : run_line(guest, command);
                result = r < 0 ? r : result;
                if (r < 0 && r != -ECANCELED && r != -EINVAL && r != -E2BIG)
                        return r;
        }
        if (terminal)
                putchar('\n');
        return terminal ? 0 : result;
}

static int run_words(const char *guest, char *words[]) {
        _cleanup_(freep) char *line = NULL;

        for (; *words; words++)
                if (list_append(&line, " ", "%s", *words) < 0)
                        return log_oom();
        return run_line(guest, line);
}

int verb_monitor(int argc, char *argv[]) {
        static const CliOption options[] = { { "qmp", NULL, "QMP, which is JSON, instead of words for people", &arg_qmp, NULL }, {} };
        static const Cli cli = { "vxm monitor",
                "Has QEMU of a running guest do what its monitor can, as “info block”.\n"
                "Without COMMAND, reads one after the other from standard input.",
                "NAME [COMMAND…]", 1, options, .n_more = CLI_ANY, .verbatim = true, .manual = VERB_MANUAL };
        char **operands, **words;
        int r = cli_parse(&cli, argc, argv, &operands);

        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        words = operands + 1;
        if (*words && streq(*words, "--qmp")) { /* no command of QEMU's begins so */
                arg_qmp = true;
                words++;
        }
        r = known_guest(operands[0]);
        if (r >= 0)
                r = *words ? run_words(operands[0], words) : run_lines(operands[0]);
        return exit_status(r);
}
