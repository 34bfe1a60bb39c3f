/* SPDX-License-Identifier: BSD-3-Clause */
/* A job for a guest: it is queued, followed by signals, and judged when all that it has set in motion stands still. For
 * a stop, and for a start that has failed, the way back belongs to that: the devices are the host's again when this
 * ends. */

#include <inttypes.h>
#include <time.h>

#include "exit-status.h"
#include "guest-bus.h"
#include "guest-job.h"
#include "host.h"
#include "log.h"
#include "messages.h"
#include "steps.h"
#include "unit-events.h"
#include "unit-log.h"

enum {
        LOG_LINES = 8, /* of a unit that has failed */
};

static const struct {
        const char *method, *verb;
} jobs[] = {
        [GUEST_START] = { "StartUnit", "start" },
        [GUEST_STOP] = { "StopUnit", "stop" },
        [GUEST_RESTART] = { "RestartUnit", "restart" },
};

typedef struct Run {
        sd_bus *bus;
        GuestJob job;
        const char *guest;
        char unit[GUEST_UNIT_SIZE];
        Steps steps;
        UnitEvents events;
        uint64_t begin; /* µs of the epoch */
        int error;      /* out of memory, while something was heard */
} Run;

static uint64_t epoch_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_REALTIME, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void run_done(Run *run) {
        unit_events_done(&run->events);
        steps_done(&run->steps);
}

/* ---- before ---- */

/* What systemd has not read yet would be half in force: the units that have it all, the guest's own process sees the
 * new file. */
static int check_reload(const Run *run, const GuestFacts *f) {
        if (streq(f->load_state, "not-found"))
                return guest_job_unknown(run->unit);
        if (run->job == GUEST_STOP || (f->generated && !f->needs_reload))
                return 0;
        if (!f->generated && host_name() && !f->needs_reload)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        "systemd of %s knows no guest %s; vxm -H %s list shows those that have a file, "
                        "systemctl daemon-reload has it read.",
                        host_name(), run->guest, host_name());
        return log_error_errno(E_CONFIG,
                f->generated ? "The file of guest %s has changed since systemd has read it; run systemctl daemon-reload, then vxm %s %s."
                             : "systemd has not read the file of guest %s yet; run systemctl daemon-reload, then vxm %s %s.",
                run->guest, jobs[run->job].verb, run->guest);
}

static int expect_units(Run *run) {
        _cleanup_(guest_units_done) GuestUnits units = {};
        int r = guest_units_read(run->bus, run->guest, &units);

        for (size_t i = 0; r >= 0 && i < units.n; i++)
                if (steps_expect(&run->steps, units.items[i].name, units.items[i].active) < 0)
                        r = log_oom();
        return r;
}

static bool is_up(const char *active) {
        return streq(active, "active") || streq(active, "activating") || streq(active, "reloading");
}

static bool has_active(const Steps *s) {
        for (size_t i = 0; i < s->n; i++)
                if (is_up(s->items[i].active) || streq(s->items[i].active, "deactivating"))
                        return true;
        return false;
}

/* Whether there is nothing to do, which is told then. */
static bool is_so_already(const Run *run, const GuestFacts *f) {
        if (run->job == GUEST_START && streq(f->active, "active")) {
                printf("Guest %s runs already.\n", run->guest);
                return true;
        }
        if (run->job == GUEST_STOP && !is_up(f->active) && !has_active(&run->steps)) {
                printf("Guest %s is off already.\n", run->guest);
                return true;
        }
        return false;
}

/* ---- meanwhile ---- */

static void on_state(const char *unit, const char *active, void *userdata) {
        Run *run = userdata;

        if (steps_note(&run->steps, unit, active, now_usec()) < 0)
                run->error = -ENOMEM;
}

/* Whether nothing is left to come. As systemd looks at units that nobody needs any more before it looks at calls, an
 * answer never comes between the end of one unit and the job that stops the next. */
static int is_settled(Run *run) {
        _cleanup_(guest_units_done) GuestUnits units = {};
        GuestView view;
        int r = guest_units_read(run->bus, run->guest, &units);

        if (r < 0)
                return r;
        view = guest_units_of(&units, run->guest);
        return guest_view_is_settled(&view);
}

static int wait_for_more(Run *run) {
        int r = unit_events_wait(&run->events);

        return run->error < 0 ? log_oom() : r;
}

/* A guest that runs is not waited for any longer: what comes after it, as its monitors, is nothing to it. */
static int follow(Run *run) {
        bool runs;
        int r = 0;

        while (r >= 0 && !run->events.result)
                r = wait_for_more(run);
        runs = r >= 0 && run->job != GUEST_STOP && streq(run->events.result, "done");
        r = r < 0 ? r : is_settled(run);
        while (r == 0 && !runs) {
                r = wait_for_more(run);
                r = r < 0 ? r : is_settled(run);
        }
        /* What came before the last answer. */
        r = r < 0 ? r : unit_events_process(&run->events);
        return r < 0 ? r : run->error < 0 ? log_oom() : 0;
}

/* ---- after ---- */

static void print_log(const Run *run, const char *unit) {
        char name[GUEST_UNIT_SIZE];
        int n = 0;

        guest_unit_short(unit, name);
        fprintf(stderr, "%s has failed%s\n", name, host_name() ? "." : ":");
        if (!host_name())
                n = unit_log_print(stderr, unit, run->begin, LOG_LINES);
        if (!host_name() && n <= 0)
                fprintf(stderr, "    (its journal shows nothing to you; root and the group systemd-journal see all)\n");
}

/* A status of our own helpers means the same here. */
static int status_of(const Run *run, const char *unit) {
        static const int known[] = { STATUS_LACKS, STATUS_BUSY, STATUS_CONFIG };
        _cleanup_(guest_facts_done) GuestFacts f = {};

        if (guest_facts_read(run->bus, unit, &f) >= 0)
                for (size_t i = 0; i < ELEMENTSOF(known); i++)
                        if (f.exit_status == known[i] || f.pre_exit_status == known[i])
                                return known[i];
        return STATUS_FAILED;
}

/* The first one that has failed tells what went wrong; that others need it is no failure of theirs. */
static int tell_failure(const Run *run, const char *what) {
        int status = 0;
        size_t index = 0;

        for (const char *unit; (unit = steps_failed(&run->steps, &index));) {
                print_log(run, unit);
                status = status > 0 ? status : status_of(run, unit);
        }
        log_error_errno(EIO, "Guest %s %s; vxm%s%s log %s --catalog tells all.", run->guest, what, host_name() ? " -H " : "",
                host_name() ? host_name() : "", run->guest);
        return status > 0 ? status : STATUS_FAILED;
}

static double seconds_since(const Run *run) {
        return (double) (now_usec() - run->steps.begin) / 1e6;
}

static int judge_start(const Run *run) {
        _cleanup_(guest_facts_done) GuestFacts f = {};
        int r;

        if (!streq(run->events.result, "done"))
                return tell_failure(run, streq(run->events.result, "canceled") ? "has been stopped before it was there"
                                                                               : "has not started");
        r = guest_facts_read(run->bus, run->unit, &f);
        if (r < 0)
                return r;
        if (!f.condition)
                return log_error_errno(E_LACKS, "Guest %s was passed over: the host has been booted with vxm=off.", run->guest);
        if (!streq(f.active, "active"))
                return tell_failure(run, "has ended again at once");
        printf("Guest %s runs, after %.1f s.\n", run->guest, seconds_since(run));
        return 0;
}

static int judge_stop(const Run *run) {
        size_t index = 0;

        if (!streq(run->events.result, "done"))
                return tell_failure(run, "has not stopped");
        if (steps_failed(&run->steps, &index))
                return tell_failure(run, "is off, but not as it should");
        if (has_active(&run->steps))
                return log_error_errno(EIO, "Guest %s is off, but something of it is still there; vxm status %s shows what.",
                        run->guest, run->guest);
        printf("Guest %s is off, after %.1f s.\n", run->guest, seconds_since(run));
        return 0;
}

int guest_job_run(sd_bus *bus, GuestJob job, const char *guest) {
        _cleanup_(run_done) Run run = { .bus = bus, .job = job, .guest = guest, .begin = epoch_usec() };
        _cleanup_(guest_facts_done) GuestFacts facts = {};
        int r;

        guest_unit_name("guest", guest, run.unit);
        steps_begin(&run.steps, stdout, guest, now_usec());
        run.events = (UnitEvents){ .bus = bus, .on_state = on_state, .userdata = &run };

        r = unit_events_open(&run.events);
        r = r < 0 ? r : guest_facts_read(bus, run.unit, &facts);
        r = r < 0 ? r : expect_units(&run);
        if (r < 0 || is_so_already(&run, &facts))
                return r;
        r = check_reload(&run, &facts);
        r = r < 0 ? r : guest_job_queue(bus, jobs[job].method, jobs[job].verb, run.unit, &run.events.job);
        r = r < 0 ? r : follow(&run);
        if (r < 0)
                return r;
        return job == GUEST_STOP ? judge_stop(&run) : judge_start(&run);
}
