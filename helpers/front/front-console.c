/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm console: the guest's serial console on this terminal. What the guest writes goes to the terminal as it is, as it
 * does on any serial line: a guest can set colours, titles, and whatever else the terminal lets a program do. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>

#include "cli.h"
#include "console.h"
#include "exit-status.h"
#include "guest-socket.h"
#include "known-guest.h"
#include "log.h"
#include "verb.h"

enum {
        ESCAPE = 0x1d, /* Ctrl-], as telnet(1) and virsh have it */
        CHUNK = 4096,
};

/* The terminal as it was, for a signal as well. */
static struct termios saved;
static volatile sig_atomic_t is_raw;

static void restore(void) {
        if (is_raw)
                (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
        is_raw = false;
}

static void on_signal(int number) {
        restore();
        (void) signal(number, SIG_DFL);
        (void) raise(number);
}

/* Each key goes to the guest, Ctrl-C as well. */
static int make_raw(void) {
        static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
        struct termios raw;

        if (!isatty(STDIN_FILENO))
                return 0;
        if (tcgetattr(STDIN_FILENO, &saved) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) signal(signals[i], on_signal);
        raw = saved;
        cfmakeraw(&raw);
        if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
                return -errno;
        is_raw = true;
        return 0;
}

/* The guest may be slow to read: it is waited for. */
static int send_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno == EAGAIN) {
                        struct pollfd p = { .fd = fd, .events = POLLOUT };

                        if (poll(&p, 1, -1) < 0 && errno != EINTR)
                                return -errno;
                        continue;
                }
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        data += n;
                        size -= (size_t) n;
                }
        }
        return 0;
}

/* From here to the guest. Returns 1; 0: no more comes; CONSOLE_LEFT: the escape key was pressed; -errno. */
static int forward_keys(int console, bool terminal) {
        char data[CHUNK], *escape;
        ssize_t n = read(STDIN_FILENO, data, sizeof data);
        int r;

        if (n <= 0)
                return n == 0 ? 0 : errno == EAGAIN || errno == EINTR ? 1 : -errno;
        escape = terminal ? memchr(data, ESCAPE, (size_t) n) : NULL;
        r = send_all(console, data, escape ? (size_t) (escape - data) : (size_t) n);
        return r < 0 ? r : escape ? CONSOLE_LEFT : 1;
}

/* From the guest to here. Returns 1; 0: the guest has ended; -errno. */
static int forward_output(int console) {
        char data[CHUNK];
        ssize_t n = read(console, data, sizeof data);
        int r;

        if (n <= 0)
                return n == 0 || errno == ECONNRESET ? 0 : errno == EAGAIN || errno == EINTR ? 1 : -errno;
        r = write_full(STDOUT_FILENO, data, (size_t) n);
        return r < 0 ? r : 1;
}

int console_forward(int console, bool terminal) {
        struct pollfd fds[] = { { .fd = console, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };

        for (;;) {
                int r = 1;

                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return -errno;
                if (fds[1].revents)
                        r = forward_keys(console, terminal);
                if (r < 0 || r == CONSOLE_LEFT)
                        return r == -EPIPE ? CONSOLE_ENDED : r;
                if (r == 0)
                        fds[1].fd = -1; /* a script has said all; what the guest answers is still to come */
                r = fds[0].revents ? forward_output(console) : 1;
                if (r <= 0)
                        return r < 0 ? r : CONSOLE_ENDED;
                fds[0].revents = fds[1].revents = 0;
        }
}

int console_run(const char *guest) {
        _cleanup_(closep) int console = -EBADF;
        _cleanup_(freep) char *sockets = NULL;
        bool terminal = isatty(STDIN_FILENO);
        int r;

        if (format(&sockets, "/run/vxm/sockets/%s", guest) < 0)
                return log_oom();
        console = guest_socket_connect(sockets, "console", 0, NULL);
        if (console < 0)
                return guest_socket_explain(guest, sockets, "console", console);
        if (terminal)
                fprintf(stderr, "This is the console of guest %s. Ctrl-] leaves it; Enter wakes it. It is for one at a time.\n", guest);
        (void) signal(SIGPIPE, SIG_IGN);
        r = make_raw();
        r = r < 0 ? r : console_forward(console, terminal);
        restore();
        if (r < 0)
                return log_error_errno(r, "Lost the console of guest %s: %s.", guest, strerror(-r));
        if (terminal)
                fprintf(stderr, r == CONSOLE_ENDED ? "\nGuest %s has ended.\n" : "\nYou have left the console of guest %s.\n", guest);
        return 0;
}

int verb_console(int argc, char *argv[]) {
        static const CliOption options[] = { {} };
        static const Cli cli = { "vxm console", "Connects this terminal to a guest's serial console. Ctrl-] leaves it.", "NAME", 1, options,
                .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        r = known_guest(operands[0]);
        return exit_status(r < 0 ? r : console_run(operands[0]));
}
