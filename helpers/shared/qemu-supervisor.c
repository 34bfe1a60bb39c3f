/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of one QEMU process, as a state machine over sd-event:
 *
 *     STARTING ── QMP ready, KVM seen, cont ──► RUNNING ── SIGTERM ──► STOPPING ── deadline ──► FORCED
 *
 * Before cont the threads of a guest with Pin= are pinned. In every state QEMU may end; what that means depends on the
 * state and on what QEMU said before. A guest is asked to power off by its agent if that answers, else by the ACPI
 * power button; a guest that was still booting may have missed it, so the button is pressed again each time another
 * quarter of the guest's time is over. */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "agent.h"
#include "cpu-pin.h"
#include "guest-plugs.h"
#include "guest-socket.h"
#include "log.h"
#include "messages.h"
#include "qemu-events.h"
#include "qemu-pulse.h"
#include "qemu-supervisor.h"
#include "qmp.h"

#define SECOND UINT64_C(1000000)
#define AGENT_TIMEOUT (3 * SECOND) /* an agent that is there answers within milliseconds, unless the guest is very busy */
#define QUIT_TIMEOUT (5 * SECOND)  /* QEMU closing its files after "quit" */
#define FREE_TIMEOUT (60 * SECOND) /* QEMU giving back the memory of a big guest after its power-off */
#define STOP_MARGIN (15 * SECOND)  /* what systemd gives us beyond our own deadlines */

typedef enum State {
        STARTING,
        RUNNING,
        STOPPING,
        FORCED,
} State;

typedef struct Supervisor {
        const Guest *guest;
        const QemuFacts *facts;
        sd_event *event;
        State state;
        pid_t pid;
        Qmp *qmp;
        sd_event_source *qmp_source;
        GuestPlugs *plugs;
        QemuPulse *pulse; /* while the guest runs */
        QemuEvents events;
        EventLimit pauses, resets, jobs; /* those told, those made because of OnPanic=, those told */
        Agent agent;
        sd_event_source *agent_source, *agent_timer, *reminder_timer, *deadline_timer, *kill_timer;
        bool unwanted;      /* stopped before the guest ran: any end will do */
        bool qmp_lost;      /* QEMU has closed its monitor */
        bool shutdown_seen; /* QEMU announced its end: SHUTDOWN */
        bool panicked;      /* and that is why */
        int result;
} Supervisor;

static void supervisor_done(Supervisor *s) {
        sd_event_source_disable_unref(s->agent_source);
        sd_event_source_disable_unref(s->agent_timer);
        sd_event_source_disable_unref(s->reminder_timer);
        sd_event_source_disable_unref(s->deadline_timer);
        sd_event_source_disable_unref(s->kill_timer);
        sd_event_source_disable_unref(s->qmp_source);
        agent_done(&s->agent);
        qmp_free(s->qmp);
        (void) guest_plugs_free(s->plugs);
        qemu_pulse_free(s->pulse);
        sd_event_unref(s->event);
}

static void kill_qemu(Supervisor *s) {
        if (s->pid > 0)
                (void) kill(s->pid, SIGKILL);
}

/* (Re)arms a timer that calls back once, usec from now. Without its deadlines a guest could keep the host for ever, so
 * failing here ends it at once. */
static void arm(Supervisor *s, sd_event_source **source, uint64_t usec, sd_event_time_handler_t callback) {
        int r;

        *source = sd_event_source_disable_unref(*source);
        r = sd_event_add_time_relative(s->event, source, CLOCK_MONOTONIC, usec, SECOND / 20, callback, s);
        if (r < 0) {
                log_error_errno(r, "Cannot set a timer: %s; ending the guest.", strerror(-r));
                kill_qemu(s);
        }
}

static int on_kill_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Supervisor *s = userdata;

        (void) source;
        (void) usec;
        log_warning("QEMU does not end; killing it.");
        kill_qemu(s);
        return 0;
}

/* ---- ending the guest ---- */

static void press_power_button(Supervisor *s) {
        int r = qmp_send(s->qmp, "system_powerdown", NULL, NULL, NULL);

        if (r < 0)
                log_warning("Cannot press the guest's power button: %s.", strerror(-r));
}

static void drop_agent(Supervisor *s) {
        s->agent_source = sd_event_source_disable_unref(s->agent_source);
        s->agent_timer = sd_event_source_disable_unref(s->agent_timer);
        agent_done(&s->agent);
}

static void fall_back_to_acpi(Supervisor *s, const char *why) {
        drop_agent(s);
        log_event(LOG_INFO, MESSAGE_GUEST_STOPPING, NULL, "Guest agent %s; pressing the power button (ACPI).", why);
        press_power_button(s);
}

static int on_agent_time(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        fall_back_to_acpi(userdata, "does not answer");
        return 0;
}

static int on_agent(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Supervisor *s = userdata;
        int r;

        (void) source;
        (void) fd;
        (void) events;
        r = agent_process(&s->agent);
        if (r == 0)
                return 0;
        if (r > 0)
                r = agent_shutdown(&s->agent);
        if (r < 0) {
                fall_back_to_acpi(s, "failed");
                return 0;
        }
        log_event(LOG_INFO, MESSAGE_GUEST_STOPPING, NULL, "Guest agent answers; it powers the guest off.");
        s->agent_timer = sd_event_source_disable_unref(s->agent_timer);
        s->agent_source = sd_event_source_disable_unref(s->agent_source);
        return 0;
}

static int ask_agent(Supervisor *s) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = format(&path, "%s/agent", s->facts->sockets);
        if (r < 0)
                return r;
        r = agent_connect(path, (unsigned) s->pid, &s->agent);
        if (r < 0)
                return r;
        arm(s, &s->agent_timer, AGENT_TIMEOUT, on_agent_time);
        return sd_event_add_io(s->event, &s->agent_source, s->agent.fd, EPOLLIN, on_agent, s);
}

static void arm_reminder(Supervisor *s);

static int on_reminder_time(sd_event_source *source, uint64_t usec, void *userdata) {
        Supervisor *s = userdata;

        (void) source;
        (void) usec;
        log_info("The guest still runs; pressing the power button (ACPI).");
        press_power_button(s);
        arm_reminder(s);
        return 0;
}

static void arm_reminder(Supervisor *s) {
        if (s->state == STOPPING)
                arm(s, &s->reminder_timer, s->guest->stop_timeout / 4, on_reminder_time);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Supervisor *s = userdata;

        (void) source;
        (void) usec;
        s->state = FORCED;
        s->reminder_timer = sd_event_source_disable_unref(s->reminder_timer);
        drop_agent(s);
        s->result = log_event_errno(ETIMEDOUT, MESSAGE_GUEST_FORCED_OFF, NULL,
                "The guest did not power off within %" PRIu64 " s; switching it off. Allow more by [Guest] StopTimeout=.",
                s->guest->stop_timeout / SECOND);
        if (qmp_send(s->qmp, "quit", NULL, NULL, NULL) < 0)
                kill_qemu(s);
        arm(s, &s->kill_timer, QUIT_TIMEOUT, on_kill_time);
        return 0;
}

/* What is lost anyway is not asked, nor waited for. */
static void stop_lost_guest(Supervisor *s) {
        log_event(LOG_INFO, MESSAGE_GUEST_STOPPING, NULL, "The guest is %s, and cannot be asked to power off; switching it off.",
                qemu_pulse_state(s->pulse)->text);
        (void) sd_notify(0, "STOPPING=1\nSTATUS=Switching off");
        if (qmp_send(s->qmp, "quit", NULL, NULL, NULL) < 0)
                kill_qemu(s);
        arm(s, &s->kill_timer, QUIT_TIMEOUT, on_kill_time);
}

static void stop_running_guest(Supervisor *s) {
        s->state = STOPPING;
        qemu_pulse_stop(s->pulse);
        if (qemu_pulse_state(s->pulse)->lost) {
                stop_lost_guest(s);
                return;
        }
        log_event(LOG_INFO, MESSAGE_GUEST_STOPPING, NULL, "Asking the guest to power off, for at most %" PRIu64 " s.",
                s->guest->stop_timeout / SECOND);
        (void) sd_notifyf(0, "STOPPING=1\nSTATUS=Powering off, for at most %" PRIu64 " s\nEXTEND_TIMEOUT_USEC=%" PRIu64,
                s->guest->stop_timeout / SECOND, s->guest->stop_timeout + STOP_MARGIN);

        arm(s, &s->deadline_timer, s->guest->stop_timeout, on_deadline);
        arm_reminder(s);

        /* A guest that sleeps or is paused could not do what it is asked; to any other this means nothing. */
        (void) qmp_send(s->qmp, "system_wakeup", NULL, NULL, NULL);
        (void) qmp_send(s->qmp, "cont", NULL, NULL, NULL);
        if (ask_agent(s) < 0)
                fall_back_to_acpi(s, "cannot be reached");
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Supervisor *s = userdata;

        (void) source;
        (void) info;
        switch (s->state) {
        case STARTING:
                log_info("Stopped before the guest ran.");
                s->state = STOPPING;
                s->unwanted = true;
                kill_qemu(s);
                break;
        case RUNNING:
                /* Without its monitor QEMU is about to end anyway, see on_qmp(). */
                if (!s->qmp_lost)
                        stop_running_guest(s);
                break;
        case STOPPING:
        case FORCED:
                break; /* under way */
        }
        return 0;
}

/* ---- what QEMU tells ---- */

static void fail_start(Supervisor *s, const char *why) {
        s->result = log_event_errno(EPROTO, MESSAGE_GUEST_FAILED, NULL, "The guest does not start: %s.", why);
        s->state = FORCED;
        kill_qemu(s);
}

/* “1 CPU, 512 MB, with 0000:01:00.0, 0000:01:00.1”; cut off where buffer ends. */
static void describe(const Supervisor *s, char *buffer, size_t size) {
        const GuestFunctions *functions = &s->facts->functions;
        size_t n;

        n = (size_t) snprintf(buffer, size, "%" PRIu64 " CPU%s, %" PRIu64 " MB", s->guest->cpu_count,
                s->guest->cpu_count == 1 ? "" : "s", s->guest->memory_size >> 20);
        for (size_t i = 0; i < functions->n && n < size; i++)
                n += (size_t) snprintf(buffer + n, size - n, "%s %s", i == 0 ? ", with" : ",", functions->items[i].pci.name);
}

/* ---- what the guest is doing ---- */

/* Why QEMU is ended has been told, and is the guest's result. */
static void end_qemu(Supervisor *s, int result) {
        s->result = result;
        s->state = FORCED;
        qemu_pulse_stop(s->pulse);
        if (qmp_send(s->qmp, "quit", NULL, NULL, NULL) < 0)
                kill_qemu(s);
        arm(s, &s->kill_timer, QUIT_TIMEOUT, on_kill_time);
}

static void on_hung(void *userdata) {
        Supervisor *s = userdata;

        s->result = log_event_errno(ETIMEDOUT, MESSAGE_GUEST_HUNG, NULL,
                "QEMU has not answered for %" PRIu64 " s (HangTimeout=); killing it.", s->guest->hang_timeout / SECOND);
        s->state = FORCED;
        kill_qemu(s);
}

static void show_running(const Supervisor *s, const char *before) {
        char what[256];

        describe(s, what, sizeof what);
        (void) sd_notifyf(0, "%sSTATUS=Running: %s", before, what);
}

/* A guest that stands still, and nobody asked for that. Whoever can make it do so often is told of once in a while. */
static void say_pause(Supervisor *s, const GuestState *state, const char *next) {
        unsigned missed;

        if (event_limit(&s->pauses, now_usec(), &missed) == EVENT_TELL)
                log_event(state->ill ? LOG_ERR : LOG_INFO, MESSAGE_GUEST_PAUSED, NULL, "Guest is %s; %s.", state->text, next);
}

/* Done by us rather than by QEMU, so that a guest that panics whenever it has started ends paused, where it can be looked at;
 * and not before it stands still, or what comes first would be undone by that. */
static void reset_panicked(Supervisor *s) {
        unsigned missed;

        if (event_limit(&s->resets, now_usec(), &missed) != EVENT_TELL) {
                log_warning("The guest panics again and again; it is left as it is.");
                return;
        }
        if (qmp_send(s->qmp, "system_reset", NULL, NULL, NULL) < 0 || qmp_send(s->qmp, "cont", NULL, NULL, NULL) < 0)
                log_warning("Cannot reset the guest.");
}

static void on_state(const GuestState *state, void *userdata) {
        _cleanup_(freep) char *next = NULL;
        Supervisor *s = userdata;
        const char *place = state->next ? strstr(state->next, "%s") : NULL;

        if (streq(state->name, "running")) {
                show_running(s, "");
                return;
        }
        if (streq(state->name, "guest-panicked") && s->guest->on_panic == GUEST_POLICY_RESET) {
                reset_panicked(s);
                return;
        }
        if (place && format(&next, "%.*s%s%s", (int) (place - state->next), state->next, s->guest->name, place + STRLEN("%s")) >= 0 &&
            !streq(state->name, "suspended")) /* of that there is an event */
                say_pause(s, state, next);
        (void) sd_notifyf(0, "STATUS=Guest is %s%s%s", state->text, next ? "; " : "", next ? next : "");
}

static void on_cont(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        static const QemuPulseHandlers handlers = { .state = on_state, .hung = on_hung };
        Supervisor *s = userdata;
        char what[256];

        if (s->state != STARTING)
                return;
        if (!reply) {
                fail_start(s, error);
                return;
        }
        if (qemu_pulse_new(s->event, qmp, s->guest->hang_timeout, &handlers, s, &s->pulse) < 0) {
                fail_start(s, "there is no timer to be had");
                return;
        }

        s->state = RUNNING;
        describe(s, what, sizeof what);
        log_event(LOG_INFO, MESSAGE_GUEST_STARTED, NULL, "Guest runs: %s.", what);
        show_running(s, "READY=1\n");
}

static void let_go(Supervisor *s) {
        if (guest_plugs_new(s->event, s->qmp, s->guest, &s->plugs) < 0) {
                fail_start(s, "out of memory");
                return;
        }
        if (qmp_send(s->qmp, "cont", NULL, on_cont, s) < 0)
                fail_start(s, "QEMU does not take commands");
}

static const CpuPlacement *placement_of(const Supervisor *s) {
        return &s->facts->cpus.placement;
}

static void say_where(const Supervisor *s) {
        CpuSet vcpus = cpu_placement_own(placement_of(s));
        char text[CPU_SET_TEXT_MAX], others[CPU_SET_TEXT_MAX];

        vcpus = cpu_set_minus(&vcpus, &placement_of(s)->spare);
        log_info("The guest's CPUs run on CPUs %s of the host, QEMU's other threads on %s.", cpu_set_print(&vcpus, text),
                cpu_set_print(&placement_of(s)->others, others));
}

static void on_query_iothreads(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        _cleanup_(freep) char *why = NULL;
        Supervisor *s = userdata;

        (void) qmp;
        if (s->state != STARTING)
                return;
        if (!reply) {
                fail_start(s, error);
        } else if (cpu_pin_iothreads(placement_of(s), s->pid, reply, &why) < 0) {
                fail_start(s, why ? why : "out of memory");
        } else {
                say_where(s);
                let_go(s);
        }
}

static void on_query_cpus(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        _cleanup_(freep) char *why = NULL;
        Supervisor *s = userdata;

        if (s->state != STARTING)
                return;
        if (!reply)
                fail_start(s, error);
        else if (cpu_pin_vcpus(placement_of(s), s->guest->cpu_realtime, s->pid, reply, &why) < 0)
                fail_start(s, why ? why : "out of memory");
        else if (qmp_send(qmp, "query-iothreads", NULL, on_query_iothreads, s) < 0)
                fail_start(s, "QEMU does not take commands");
}

/* A guest that fell back to emulation would be a hundred times slower; better say so than let it crawl. */
static void on_query_kvm(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        Supervisor *s = userdata;

        if (s->state != STARTING)
                return;
        if (!reply)
                fail_start(s, error);
        else if (!json_is_true(json_object_get(reply, "enabled")))
                fail_start(s, "QEMU runs without KVM");
        else if (placement_of(s)->n == 0)
                let_go(s);
        else if (qmp_send(qmp, "query-cpus-fast", NULL, on_query_cpus, s) < 0)
                fail_start(s, "QEMU does not take commands");
}

/* All of QEMU's sockets are there when it takes commands. */
static void share_sockets(const Supervisor *s) {
        int r = guest_sockets_share(s->facts->sockets);

        if (r < 0)
                log_warning("Cannot let the group vxm at the guest's sockets in %s: %s; root can talk to it all the same.", s->facts->sockets,
                        strerror(-r));
}

static void on_qmp_ready(Qmp *qmp, void *userdata) {
        Supervisor *s = userdata;

        share_sockets(s);
        if (s->state == STARTING && qmp_send(qmp, "query-kvm", NULL, on_query_kvm, s) < 0)
                fail_start(s, "QEMU does not take commands");
}

static void on_job(Supervisor *s, const json_t *data) {
        const char *id = json_get_string(data, "id"), *status = json_get_string(data, "status");
        bool begins = streq_ptr(status, "running"), ends = streq_ptr(status, "concluded");
        unsigned missed;

        if (!streq_ptr(id, "vxm-snapshot") || (!begins && !ends))
                return;
        qemu_pulse_set_busy(s->pulse, begins);
        if (event_limit(&s->jobs, now_usec(), &missed) == EVENT_TELL)
                log_info(begins ? "QEMU begins with a snapshot of the guest." : "QEMU is done with the snapshot.");
}

/* What an event means to us; what it means to the reader of the journal is told elsewhere. */
static void heed(Supervisor *s, const char *name, const json_t *data) {
        static const char *const changing[] = { "STOP", "RESUME", "SUSPEND", "WAKEUP", "RESET" };

        if (streq(name, "SHUTDOWN")) {
                s->shutdown_seen = true;
                s->panicked = streq_ptr(json_get_string(data, "reason"), "guest-panic");
        }
        if (s->state != RUNNING)
                return;
        for (size_t i = 0; i < ELEMENTSOF(changing); i++)
                if (streq(name, changing[i]))
                        qemu_pulse_ask(s->pulse);
        if (streq(name, "JOB_STATUS_CHANGE"))
                on_job(s, data);
        else if (streq(name, "WATCHDOG") && s->guest->watchdog == GUEST_POLICY_POWEROFF)
                end_qemu(s, log_event_errno(ECANCELED, MESSAGE_GUEST_FAILED, NULL,
                        "The guest is switched off, as its watchdog has expired (Watchdog=poweroff)."));
}

static void on_event(Qmp *qmp, const char *name, const json_t *data, void *userdata) {
        Supervisor *s = userdata;

        (void) qmp;
        /* QEMU's own start is no news. */
        qemu_events_say(&s->events, name, data, s->state == STARTING, now_usec());
        heed(s, name, data);
}

static int on_qmp(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Supervisor *s = userdata;
        int r;

        (void) fd;
        (void) events;
        r = qmp_process(s->qmp);
        if (r >= 0)
                return 0;

        /* QEMU closes when it ends; if it does not end now, it is no QEMU we can leave alone. */
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (r == -ECONNRESET || r == -EPIPE) {
                s->qmp_lost = true;
                guest_plugs_stop(s->plugs);
                arm(s, &s->kill_timer, s->shutdown_seen ? FREE_TIMEOUT : QUIT_TIMEOUT, on_kill_time);
                return 0;
        }
        s->result = log_event_errno(r, MESSAGE_GUEST_FAILED, NULL, "QEMU said what is not QMP (%s); ending it.", strerror(-r));
        s->state = FORCED;
        kill_qemu(s);
        return 0;
}

/* ---- how it ended ---- */

/* Decides what QEMU's end means; info is what waitid(2) said. */
static int judge_end(const Supervisor *s, const siginfo_t *info) {
        bool clean = info->si_code == CLD_EXITED && info->si_status == 0;

        if (s->result < 0)
                return s->result; /* told already */
        if (s->state == STOPPING && (clean || s->shutdown_seen || s->unwanted)) {
                log_event(LOG_INFO, MESSAGE_GUEST_ENDED, NULL, "Guest has ended, as asked.");
                return 0;
        }
        if (clean && s->shutdown_seen && !s->panicked) {
                log_event(LOG_INFO, MESSAGE_GUEST_ENDED, NULL, "Guest has powered off.");
                return 0;
        }
        if (info->si_code == CLD_EXITED)
                return log_event_errno(ECANCELED, MESSAGE_GUEST_FAILED, NULL, "%s (exit status %d).",
                        s->panicked             ? "Guest has ended after a kernel panic"
                        : s->state == STARTING ? "QEMU did not start; what it said stands above"
                                               : "QEMU has failed; what it said stands above",
                        info->si_status);
        return log_event_errno(ECANCELED, MESSAGE_GUEST_FAILED, NULL, "QEMU was killed by signal %d (%s); the guest is gone.",
                info->si_status, strsignal(info->si_status));
}

static int on_qemu_end(sd_event_source *source, const siginfo_t *info, void *userdata) {
        Supervisor *s = userdata;

        (void) source;
        s->pid = 0;
        /* Its last events may still be unread. */
        while (qmp_process(s->qmp) > 0)
                ;
        return sd_event_exit(s->event, judge_end(s, info));
}

/* ---- start ---- */

/* In the child: its end of the QMP socket where the command line says, and nothing else inherited. Only calls that are
 * safe after fork(2). */
static void exec_qemu(const Argv *argv, int fd, const sigset_t *mask, pid_t parent) __attribute__((noreturn));

static void exec_qemu(const Argv *argv, int fd, const sigset_t *mask, pid_t parent) {
        /* QEMU must not outlive its supervisor where no systemd watches over both. */
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(1);
        if (fd == QEMU_QMP_FD)
                (void) fcntl(fd, F_SETFD, 0);
        else if (dup2(fd, QEMU_QMP_FD) < 0)
                _exit(1);
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        execv(argv->items[0], argv->items);
        dprintf(STDERR_FILENO, "Cannot execute %s: %s\n", argv->items[0], strerror(errno));
        _exit(1);
}

static int spawn_qemu(Supervisor *s, const Argv *argv, const sigset_t *mask) {
        static const QmpHandlers handlers = { .ready = on_qmp_ready, .event = on_event };
        pid_t parent = getpid();
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        if (fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 || (s->pid = fork()) < 0) {
                int r = -errno;

                close(pair[0]);
                close(pair[1]);
                s->pid = 0;
                return r;
        }
        if (s->pid == 0)
                exec_qemu(argv, pair[1], mask, parent);

        close(pair[1]);
        s->qmp = qmp_new(pair[0], &handlers, s);
        return s->qmp ? 0 : -ENOMEM;
}

static int watch(Supervisor *s) {
        int r;

        r = sd_event_add_child(s->event, NULL, s->pid, WEXITED, on_qemu_end, s);
        r = r < 0 ? r : sd_event_add_io(s->event, &s->qmp_source, qmp_fd(s->qmp), EPOLLIN, on_qmp, s);
        r = r < 0 ? r : sd_event_add_signal(s->event, NULL, SIGTERM, on_terminate, s);
        r = r < 0 ? r : sd_event_add_signal(s->event, NULL, SIGINT, on_terminate, s);
        return r < 0 ? r : sd_event_set_watchdog(s->event, true);
}

int qemu_supervise(const Guest *g, const QemuFacts *facts, const Argv *argv) {
        _cleanup_(supervisor_done) Supervisor s = { .guest = g, .facts = facts, .events.guest = g, .agent.fd = -EBADF };
        sigset_t mask, before;
        int r;

        /* QEMU has our uid; a guest that has broken out into it must not reach into this process by ptrace(2) or
         * process_vm_writev(2), and so around QEMU's own seccomp filter. */
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return log_error_errno(errno, "Cannot shut the supervisor off from QEMU: %m.");

        sigemptyset(&mask);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &mask, &before) < 0)
                return log_error_errno(errno, "Cannot block signals: %m.");

        if (placement_of(&s)->n > 0 && (r = cpu_pin_self(placement_of(&s))) < 0)
                return log_error_errno(r, "Cannot pin QEMU's threads: %s.", strerror(-r));

        (void) sd_notify(0, "STATUS=Starting QEMU");
        r = sd_event_new(&s.event);
        r = r < 0 ? r : spawn_qemu(&s, argv, &before);
        r = r < 0 ? r : watch(&s);
        if (r < 0) {
                kill_qemu(&s);
                return log_error_errno(r, "Cannot start %s: %s.", argv->items[0], strerror(-r));
        }
        return sd_event_loop(s.event);
}
