/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, by a handler and an event descriptor: connect(2), which waits too, is interrupted by a handler only. */

#include <signal.h>
#include <sys/eventfd.h>

#include "interrupt.h"

static int event_fd = -EBADF;
static volatile sig_atomic_t last_signal;

static void on_signal(int number) {
        const uint64_t one = 1;
        int saved = errno;

        last_signal = number;
        (void) !write(event_fd, &one, sizeof one);
        errno = saved;
}

int interrupt_catch(void) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        struct sigaction action = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

        if (event_fd < 0)
                event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event_fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                struct sigaction before;

                if (sigaction(signals[i], NULL, &before) < 0 ||
                        (before.sa_handler != SIG_IGN && sigaction(signals[i], &action, NULL) < 0))
                        return -errno;
        }
        return sigaction(SIGPIPE, &ignore, NULL) < 0 ? -errno : 0;
}

int interrupt_fd(void) {
        return event_fd;
}

bool interrupt_pending(void) {
        return last_signal != 0;
}

int interrupt_take(void) {
        sigset_t all, before;
        uint64_t n;
        int number;

        sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, &before); /* one that comes in between would be forgotten, or never be */
        number = last_signal;
        (void) !read(event_fd, &n, sizeof n);
        last_signal = 0;
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        return number;
}
