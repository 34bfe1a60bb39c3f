/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, by their mask: no handler, and no variable that one would set. */

#include <time.h>

#include "late-signal.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* With SIGPIPE: that nobody reads what is said, or that a server has hung up, is no reason to leave half of it. */
static void fill(sigset_t *set) {
        sigemptyset(set);
        sigaddset(set, SIGPIPE);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                sigaddset(set, signals[i]);
}

int late_signal_hold(sigset_t *ret_before) {
        sigset_t set;

        fill(&set);
        return sigprocmask(SIG_BLOCK, &set, ret_before) < 0 ? -errno : 0;
}

bool late_signal_pending(void) {
        sigset_t pending;

        if (sigpending(&pending) < 0)
                return false;
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                if (sigismember(&pending, signals[i]))
                        return true;
        return false;
}

void late_signal_drop(int number) {
        const struct timespec now = {};
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, number);
        while (sigtimedwait(&set, NULL, &now) > 0)
                ;
}

void late_signal_release(const sigset_t *before) {
        late_signal_drop(SIGPIPE);
        (void) sigprocmask(SIG_SETMASK, before, NULL);
}
