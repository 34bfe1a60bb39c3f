/* SPDX-License-Identifier: BSD-3-Clause */
/* Switches monitors, and waits for them. */

#include "ddc-packet.h"
#include "ddc-run.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"

#define ROUND_USEC UINT64_C(250000) /* between two looks at a monitor that did not answer */

enum {
        SENT_MAX = 2, /* how often a monitor is told that shows another input after it has settled */
};

typedef enum State {
        STATE_ASK,    /* which input is the host's */
        STATE_SEND,
        STATE_VERIFY,
        STATE_DONE,
} State;

/* One monitor on its way. */
typedef struct Drive {
        const DdcStep *step; /* NULL: it goes back */
        const Monitor *monitor;
        DdcSwitch s;
        char *what; /* for messages */
        State state;
        unsigned sent;
        uint64_t sent_at;
        int error; /* the last one */
        bool said; /* it has been logged already */
} Drive;

typedef struct Run {
        const DdcLink *link;
        Drive *drives;
        size_t n;
        DdcNote note;
        void *userdata;
} Run;

static void run_done(Run *run) {
        for (size_t i = 0; i < run->n; i++) {
                ddc_switch_done(&run->drives[i].s);
                free(run->drives[i].what);
        }
        free(run->drives);
}

static uint8_t target_of(const Drive *d) {
        return d->step ? d->s.guest : d->s.host;
}

/* ---- what is said ---- */

/* Completes “… could not be switched: ”. */
static const char *explain(int error) {
        switch (-error) {
        case EAGAIN:
                return "it does not answer; it is off or asleep, or DDC/CI is off in its menu";
        case ENODEV:
                return "another monitor is where it was";
        case ENXIO:
                return "the driver of its GPU offers no I²C bus to speak over";
        case ENODATA:
                return "it goes on to show another input; some listen only to the input that they show";
        case EPROTO:
                return "it listens, but its answers are garbled or missing; see that DDC/CI is on in its menu, or try another cable";
        case EOPNOTSUPP:
                return "it says that it cannot switch its input this way";
        default:
                return strerror(-error);
        }
}

static void say_failed(const Drive *d) {
        log_event(LOG_WARNING, MESSAGE_MONITOR_FAILED, NULL,
                "%s could not be switched %s 0x%02x: %s. Press the monitor's own button, and see vxm-ddc --probe.", d->what,
                d->step ? "to the guest's input" : "back to the host's input", target_of(d), explain(d->error));
}

static void say_switched(const Drive *d, bool seen) {
        log_event(LOG_INFO, MESSAGE_MONITOR_SWITCHED, NULL, "%s shows the %s now, input 0x%02x%s.", d->what,
                d->step ? "guest" : "host", target_of(d), seen ? "" : ", as far as can be told");
}

static int refuse(Drive *d, const char *key, const char *why) {
        const char *name = d->step->wanted->name;

        d->said = true;
        return log_event_errno(E_CONFIG, MESSAGE_MONITOR_REFUSED, NULL, "[Monitor%s%s] %s=: %s %s.", name ? " " : "", name ? name : "", key,
                d->what, why);
}

static int say_lacks(const Drive *d, int error) {
        if (error == -ENOENT)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "%s cannot be spoken to: there is no node /dev/i2c-* for its bus; run modprobe i2c-dev, then try again.", d->what);
        if (error == -ENOPKG)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "Monitors are switched by libddcutil, which is not there; install it (Debian 13: libddcutil5, 12: libddcutil4).");
        return log_error_errno(error, "%s cannot be spoken to: cannot open /dev/i2c-*: %s.", d->what, strerror(-error));
}

/* ---- one look at a monitor ---- */

/* These come out the same at each try. */
static bool is_final(int error) {
        return error == -ENOENT || error == -ENOPKG || error == -EACCES || error == -EPERM || error == -ENOMEM || error == -ENODEV ||
               error == -ENXIO;
}

/* The way to it, which may open up later. */
static int reach(const Run *run, Drive *d) {
        int r = 0;

        if (d->s.bus == BUS_UNKNOWN) {
                r = d->monitor ? run->link->find(run->link, d->monitor) : -ENODEV;
                if (r < 0)
                        return r;
                d->s.bus = r;
        }
        return run->link->answers(run->link, d->s.bus, d->s.source);
}

static int ask_input(const Run *run, Drive *d, uint8_t *ret) {
        int r = run->link->get(run->link, d->s.bus, d->s.source, d->s.feature, ret);

        return r < 0 ? r : *ret == 0 ? -EOPNOTSUPP : 0; /* no input has that value */
}

static int list_values(const bool values[static 256], char **ret) {
        for (unsigned i = 0; i < 256; i++)
                if (values[i] && list_append(ret, " ", "0x%02x", i) < 0)
                        return -ENOMEM;
        return 0;
}

/* Whether the monitor lists the input. One that lists none, or whose list cannot be read, may have it. */
static int look_up(const Run *run, Drive *d) {
        _cleanup_(freep) char *text = NULL, *list = NULL, *why = NULL;
        bool values[256];

        if (run->link->capabilities(run->link, d->s.bus, &text) < 0 ||
                ddc_capabilities_values(text, d->s.feature, values) <= 0 || values[d->s.guest])
                return 0;
        if (list_values(values, &list) < 0 ||
                format(&why, "lists no input 0x%02x, but %s; correct it, or set Force=yes to try it all the same", d->s.guest, list) < 0)
                return -ENOMEM;
        if (!d->step->wanted->force)
                return refuse(d, "GuestInput", why);
        log_warning("%s lists no input 0x%02x, but %s; Force=yes has it tried all the same.", d->what, d->s.guest, list);
        return 0;
}

/* Returns 0: it is known which input to come back to, and noted; 1: there is nothing to be done; -errno. */
static int prepare(const Run *run, Drive *d) {
        uint8_t shown;
        int r;

        if (d->s.host == 0) {
                r = ask_input(run, d, &shown);
                if (r == -EOPNOTSUPP)
                        return refuse(d, "HostInput", "does not tell which input it shows; set the one to come back to");
                if (r < 0)
                        return r;
                if (shown == d->s.guest) {
                        log_info("%s shows the guest's input already, 0x%02x; there is none to come back to.", d->what, shown);
                        return 1;
                }
                d->s.host = shown;
        }
        r = d->step->look_up ? look_up(run, d) : 0;
        if (r < 0)
                return r;
        r = run->note(run->userdata, &d->s);
        d->said = r < 0;
        return r;
}

static int send_input(const Run *run, Drive *d) {
        int r = run->link->set(run->link, d->s.bus, d->s.source, d->s.feature, target_of(d));

        if (r < 0)
                return r;
        d->sent++;
        d->sent_at = run->link->now(run->link);
        d->state = d->s.unreadable ? STATE_DONE : STATE_VERIFY;
        if (d->s.unreadable)
                say_switched(d, false);
        return 0;
}

/* Right after a switch many do not answer, or tell the input before; over this cable some never answer again. */
static int verify(const Run *run, Drive *d, int reached, bool late) {
        bool settled = late || run->link->now(run->link) - d->sent_at >= d->s.settle;
        uint8_t shown = 0;
        int r = reached < 0 ? reached : ask_input(run, d, &shown);

        if (r >= 0 && shown == target_of(d)) {
                say_switched(d, true);
                d->state = STATE_DONE;
        } else if (settled && r < 0) {
                say_switched(d, false);
                d->state = STATE_DONE;
        } else if (settled) {
                d->state = STATE_SEND;
                return -ENODATA;
        }
        return 0;
}

/* Returns 0: go on; -errno: not now, or, by conclude(), not ever. late: there is no other look. */
static int advance(const Run *run, Drive *d, bool late) {
        int r = reach(run, d);

        if (d->state == STATE_VERIFY)
                return verify(run, d, r, late);
        if (r < 0)
                return r;
        if (d->state == STATE_ASK) {
                r = prepare(run, d);
                if (r != 0) {
                        d->state = r > 0 ? STATE_DONE : d->state;
                        return r < 0 ? r : 0;
                }
                d->state = STATE_SEND;
        }
        return send_input(run, d);
}

/* ---- all of them ---- */

/* Whether what has come of a look ends the drive. Returns 0, or the error that counts: a monitor that does not do what it is told is
 * no error for the guest, but of the way back something has to be left. */
static int conclude(Drive *d, int r, bool late) {
        if (d->state == STATE_DONE)
                return 0;
        d->error = r < 0 ? r : d->error < 0 ? d->error : -EAGAIN;
        if (!d->said && !is_final(r) && !late && (r != -ENODATA || d->sent < SENT_MAX))
                return 0;
        d->state = STATE_DONE;
        if (d->said)
                return r;
        if (r == -ENOMEM)
                return log_oom();
        if (is_final(r) && r != -ENODEV && r != -ENXIO)
                return say_lacks(d, r);
        say_failed(d);
        /* One that listens to its active input only has been told all that can be told from here; one that is gone, too. */
        return d->step || d->s.one_way || r == -ENODEV ? 0 : -EIO;
}

static int drive_all(Run *run, uint64_t usec) {
        uint64_t begin = run->link->now(run->link);
        int first = 0;

        for (;;) {
                bool late = run->link->now(run->link) - begin >= usec, pending = false;

                for (size_t i = 0; i < run->n; i++) {
                        Drive *d = &run->drives[i];
                        int r = d->state == STATE_DONE ? 0 : advance(run, d, late);

                        r = conclude(d, r, late);
                        first = first < 0 ? first : r;
                        pending |= d->state != STATE_DONE;
                }
                if (!pending)
                        return first;
                run->link->wait(run->link, ROUND_USEC);
        }
}

static int describe(const Monitor *m, const char *connector, char **ret) {
        int r = m ? monitor_describe(m, ret) : format(ret, "The monitor at %s", connector);

        return r < 0 ? log_oom() : 0;
}

static int add_step(Run *run, const DdcStep *step, const DdcRecord *earlier) {
        const Monitor *m = step->monitor;
        const DdcSwitch *before;
        Drive *d = ARRAY_GROW(run->drives, run->n);

        if (!d)
                return log_oom();
        run->n++;
        d->step = step;
        d->monitor = m;
        d->s = (DdcSwitch){ .bus = m->bus, .feature = m->quirk.feature, .source = m->quirk.source, .guest = step->guest,
                .settle = m->quirk.settle, .unreadable = m->quirk.unreadable, .one_way = m->quirk.one_way };
        (void) edid_identity(&m->edid, d->s.identity);
        d->s.connector = strdup(m->connector);
        if (!d->s.connector)
                return log_oom();
        before = ddc_record_find(earlier, d->s.connector, d->s.identity);
        d->s.host = step->host != DDC_HOST_UNKNOWN ? (uint8_t) step->host : before ? before->host : 0;
        return describe(m, m->connector, &d->what);
}

int ddc_run_take(const DdcLink *link, const DdcPlan *plan, const DdcRecord *earlier, uint64_t usec, DdcNote note, void *userdata) {
        _cleanup_(run_done) Run run = { .link = link, .note = note, .userdata = userdata };

        for (size_t i = 0; i < plan->n; i++) {
                int r = add_step(&run, &plan->items[i], earlier);

                if (r < 0)
                        return r;
        }
        return drive_all(&run, usec);
}

/* At its connector, or at the one that it has now; a cable can have been moved. Some vanish from the kernel's sight when they show
 * another input, but still listen. */
static const Monitor *find_again(const Monitors *l, const DdcSwitch *s) {
        const Monitor *found = NULL;
        size_t n = 0;

        for (size_t i = 0; i < l->n; i++) {
                char identity[EDID_IDENTITY_SIZE];

                if (!streq(edid_identity(&l->items[i].edid, identity), s->identity))
                        continue;
                if (streq(l->items[i].connector, s->connector))
                        return &l->items[i];
                found = &l->items[i];
                n++;
        }
        return n == 1 ? found : NULL;
}

static int add_switch(Run *run, const Monitors *l, const DdcSwitch *s) {
        Drive *d = ARRAY_GROW(run->drives, run->n);
        char *connector = strdup(s->connector);

        if (!d || !connector) {
                free(connector);
                return log_oom();
        }
        run->n++;
        d->monitor = find_again(l, s);
        d->state = STATE_SEND;
        d->s = *s;
        d->s.connector = connector;
        if (d->monitor)
                d->s.bus = d->monitor->bus;
        else if (run->link->check(run->link, s->bus, s->identity) == -ENODEV)
                d->s.bus = BUS_UNKNOWN;
        return describe(d->monitor, connector, &d->what);
}

int ddc_run_release(const DdcLink *link, const Monitors *l, const DdcRecord *record, uint64_t usec) {
        _cleanup_(run_done) Run run = { .link = link };

        for (size_t i = 0; i < record->n; i++) {
                int r = add_switch(&run, l, &record->items[i]);

                if (r < 0)
                        return r;
        }
        return drive_all(&run, usec);
}
