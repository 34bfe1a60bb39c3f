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

/* What the guest has not read yet. */
typedef struct Keys {
        char data[CHUNK];
        size_t n;
} Keys;

/* Keeps what there is room for. A terminal is read on and on, or the escape key would not be seen. Returns 1; 0: no more comes;
 * CONSOLE_LEFT: the escape key was pressed; -errno. */
static int take_keys(Keys *k, bool terminal) {
        char data[CHUNK], *escape;
        size_t room = sizeof k->data - k->n, size;
        ssize_t n = read(STDIN_FILENO, data, terminal ? sizeof data : room);

        if (n <= 0)
                return n == 0 ? 0 : errno == EAGAIN || errno == EINTR ? 1 : -errno;
        escape = terminal ? memchr(data, ESCAPE, (size_t) n) : NULL;
        size = escape ? (size_t) (escape - data) : (size_t) n;
        size = size < room ? size : room;
        memcpy(k->data + k->n, data, size);
        k->n += size;
        return escape ? CONSOLE_LEFT : 1;
}

/* As much as the guest takes now. Returns 0 or -errno. */
static int send_keys(int console, Keys *k) {
        ssize_t n = k->n > 0 ? write(console, k->data, k->n) : 0;

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        k->n -= (size_t) n;
        memmove(k->data, k->data + n, k->n);
        return 0;
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
        Keys keys = {};
        bool more = true; /* a script may have said all; what the guest answers is still to come */

        for (;;) {
                struct pollfd fds[] = { { .fd = console, .events = (short) (POLLIN | (keys.n > 0 ? POLLOUT : 0)) },
                        { .fd = more && (terminal || keys.n < sizeof keys.data) ? STDIN_FILENO : -1, .events = POLLIN } };
                int r = 1, sent;

                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return -errno;
                if (fds[1].revents)
                        r = take_keys(&keys, terminal);
                sent = r < 0 ? r : send_keys(console, &keys);
                if (sent < 0 || r == CONSOLE_LEFT)
                        return sent == -EPIPE ? CONSOLE_ENDED : sent < 0 ? sent : r;
                more = more && r > 0;
                r = fds[0].revents & ~POLLOUT ? forward_output(console) : 1;
                if (r <= 0)
                        return r < 0 ? r : CONSOLE_ENDED;
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
