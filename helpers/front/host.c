/* SPDX-License-Identifier: BSD-3-Clause */
/* Another machine, by ssh(1): systemd's own transport for its bus, and a command line for all the rest. */

#include <ctype.h>

#include "exit-status.h"
#include "host.h"
#include "log.h"
#include "systemd-bus.h"

static const char *arg_host;

/* A host that begins with a dash would be an option of ssh. */
int host_set(const char *host) {
        for (const char *p = host; p && *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("@.-_:[]%", *p))
                        return -EINVAL;
        if (host && (*host == '\0' || *host == '-'))
                return -EINVAL;
        arg_host = host;
        return 0;
}

const char *host_name(void) {
        return arg_host;
}

int host_bus_open(sd_bus **ret) {
        int r;

        if (!arg_host)
                return systemd_bus_open(ret);
        r = sd_bus_open_system_remote(ret, arg_host);
        return r < 0 ? log_error_errno(r, "Cannot reach the system bus of %s: %s; try ssh %s systemctl is-system-running.", arg_host,
                               strerror(-r), arg_host)
                     : 0;
}

/* In single quotes everything is what it is, but for the quote itself. */
int host_quote(char **line, const char *word) {
        _cleanup_(freep) char *quoted = NULL;
        int r = 0;

        if (*word && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-") == strlen(word))
                return list_append(line, " ", "%s", word);
        for (const char *part = word; r >= 0 && part;) {
                size_t n = strcspn(part, "'");

                r = list_append(&quoted, "'\\''", "%.*s", (int) n, part);
                part = part[n] ? part + n + 1 : NULL;
        }
        return r < 0 ? r : list_append(line, " ", "'%s'", quoted);
}

/* Only with a terminal on both sides do raw keys and Ctrl-C work as here; without, output has to stay as it is. What is typed is no input
 * of vxm exec, which there would see a pipe: it stays for whoever asks for it next. */
static const char *choose_terminal(const char *verb) {
        bool typed = isatty(STDIN_FILENO);

        return typed && isatty(STDOUT_FILENO) ? "-t" : typed && streq(verb, "exec") ? "-Tn" : "-T";
}

/* By sh, as one's shell there may be any; in the host's name is nothing that means something to it. */
static int make_line(int argc, char *argv[], char **ret) {
        _cleanup_(freep) char *script = NULL;
        int r = format(&script,
                "command -v vxm >/dev/null || { echo \"vxm is not installed on %s, or not in its PATH; install it there.\" >&2; exit %d; }; "
                "exec vxm \"$@\"",
                arg_host, STATUS_LACKS);

        r = r < 0 ? r : list_append(ret, "", "exec sh -c");
        r = r < 0 ? r : host_quote(ret, script);
        r = r < 0 ? r : list_append(ret, " ", "vxm");
        for (int i = 0; r >= 0 && i < argc; i++)
                r = host_quote(ret, argv[i]);
        return r;
}

int host_run(int argc, char *argv[]) {
        _cleanup_(freep) char *line = NULL;

        if (make_line(argc, argv, &line) < 0)
                return exit_status(log_oom());
        execlp("ssh", "ssh", choose_terminal(argv[0]), "--", arg_host, line, (char *) NULL);
        return exit_status(log_error_errno(errno == ENOENT ? E_LACKS : errno, "Cannot run ssh: %m; install openssh-client."));
}
