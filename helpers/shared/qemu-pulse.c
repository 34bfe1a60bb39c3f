/* SPDX-License-Identifier: BSD-3-Clause */
/* One question at a time. Silence is counted in ticks of a timer rather than by the clock, so that a host that itself stood
 * still for a while, and QEMU with it, does not take that for QEMU's fault. */

#include "log.h"
#include "qemu-pulse.h"


enum {
        TICKS = 4, /* without an answer, and QEMU hangs */
};

struct QemuPulse {
        sd_event *event;
        Qmp *qmp;
        const QemuPulseHandlers *handlers;
        void *userdata;
        uint64_t interval; /* µs; 0: no ticks */
        sd_event_source *timer;
        const GuestState *state;
        bool asking, again, stopped;
        bool busy; /* QEMU need not answer */
        unsigned n_silent;
};

static void on_status(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        QemuPulse *p = userdata;
        const GuestState *state;

        (void) qmp;
        (void) error;
        p->asking = false;
        p->n_silent = 0;
        if (p->stopped)
                return;
        state = reply ? guest_state_of(reply) : p->state;
        if (state != p->state) {
                p->state = state;
                p->handlers->state(state, p->userdata);
        }
        if (p->again && !p->stopped)
                qemu_pulse_ask(p);
}

void qemu_pulse_ask(QemuPulse *p) {
        if (!p || p->stopped)
                return;
        p->again = p->asking;
        if (!p->asking)
                p->asking = qmp_send(p->qmp, "query-status", NULL, on_status, p) >= 0;
}

static int arm(QemuPulse *p);

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        QemuPulse *p = userdata;

        (void) source;
        (void) usec;
        if (p->stopped)
                return 0;
        if (p->busy)
                p->n_silent = 0;
        else if (p->asking && ++p->n_silent >= TICKS) {
                p->stopped = true;
                p->handlers->hung(p->userdata);
                return 0;
        }
        if (!p->asking)
                qemu_pulse_ask(p);
        return arm(p);
}

static int arm(QemuPulse *p) {
        int r;

        if (p->interval == 0)
                return 0;
        p->timer = sd_event_source_disable_unref(p->timer);
        r = sd_event_add_time_relative(p->event, &p->timer, CLOCK_MONOTONIC, p->interval, p->interval / 8, on_tick, p);
        return r < 0 ? log_error_errno(r, "Cannot set a timer: %s.", strerror(-r)) : 0;
}

int qemu_pulse_new(sd_event *event, Qmp *qmp, uint64_t hang_timeout, const QemuPulseHandlers *handlers, void *userdata,
        QemuPulse **ret) {
        QemuPulse *p = calloc(1, sizeof *p);
        int r;

        if (!p)
                return -ENOMEM;
        *p = (QemuPulse){
                .event = sd_event_ref(event),
                .qmp = qmp,
                .handlers = handlers,
                .userdata = userdata,
                .interval = hang_timeout / TICKS,
                .state = guest_state_find("running"),
        };
        r = arm(p);
        if (r < 0) {
                qemu_pulse_free(p);
                return r;
        }
        *ret = p;
        return 0;
}

QemuPulse *qemu_pulse_free(QemuPulse *p) {
        if (!p)
                return NULL;
        sd_event_source_disable_unref(p->timer);
        sd_event_unref(p->event);
        free(p);
        return NULL;
}

void qemu_pulse_set_busy(QemuPulse *p, bool busy) {
        if (p)
                p->busy = busy;
}

const GuestState *qemu_pulse_state(const QemuPulse *p) {
        return p->state;
}

void qemu_pulse_stop(QemuPulse *p) {
        if (!p)
                return;
        p->stopped = true;
        p->timer = sd_event_source_disable_unref(p->timer);
}
