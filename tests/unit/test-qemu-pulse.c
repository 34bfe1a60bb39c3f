/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether QEMU is heard, with a QEMU that answers, one that does not, and one that is busy. */

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fixture.h"
#include "qemu-pulse.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n{\"return\": {}, \"id\": 1}\n"
#define INTERVAL_MS UINT64_C(20)

/* Both ends, and what has been called back, each followed by “;”. */
typedef struct Peer {
        int fd;
        Qmp *qmp;
        sd_event *event;
        QemuPulse *pulse;
        char told[256];
        unsigned n_asked;
        const char *status; /* what is answered; NULL: nothing */
} Peer;

static void on_state(const GuestState *state, void *userdata) {
        strcat(strcat(((Peer *) userdata)->told, state->name), ";");
}

static void on_hung(void *userdata) {
        strcat(((Peer *) userdata)->told, "hung;");
}

static int on_qmp(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void) source;
        (void) fd;
        (void) events;
        return qmp_process(((Peer *) userdata)->qmp) < 0 ? -EIO : 0;
}

/* The test's end: counts questions, and answers them all. */
static int on_question(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        char buffer[4096];
        Peer *p = userdata;
        ssize_t n = read(fd, buffer, sizeof buffer - 1);

        (void) source;
        (void) events;
        buffer[n > 0 ? n : 0] = '\0';
        for (char *q = buffer; (q = strstr(q, "\"query-status\",\"id\":")); q++) {
                p->n_asked++;
                if (p->status)
                        dprintf(fd, "{\"return\": {\"status\": \"%s\"}, \"id\": %d}\n", p->status,
                                atoi(q + STRLEN("\"query-status\",\"id\":")));
        }
        return 0;
}

static const QemuPulseHandlers handlers = { on_state, on_hung };

static int setup(void **state) {
        static const QmpHandlers none = {};
        Peer *p = calloc(1, sizeof *p);
        int pair[2];

        if (!p || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -1;
        p->fd = pair[0];
        p->qmp = qmp_new(pair[1], &none, p);
        if (sd_event_new(&p->event) < 0 || sd_event_add_io(p->event, NULL, pair[0], EPOLLIN, on_question, p) < 0 ||
            sd_event_add_io(p->event, NULL, pair[1], EPOLLIN, on_qmp, p) < 0)
                return -1;
        dprintf(p->fd, "%s", GREETING);
        *state = p;
        return 0;
}

static int teardown(void **state) {
        Peer *p = *state;

        qemu_pulse_stop(p->pulse);
        sd_event_unref(p->event);
        qmp_free(p->qmp);
        qemu_pulse_free(p->pulse);
        close(p->fd);
        free(p);
        return 0;
}

static void run_for(Peer *p, uint64_t ms) {
        uint64_t end = now_usec() + ms * 1000;

        for (uint64_t now; (now = now_usec()) < end;)
                assert_true(sd_event_run(p->event, end - now) >= 0);
}

static void start(Peer *p, uint64_t interval_ms) {
        assert_int_equal(qemu_pulse_new(p->event, p->qmp, interval_ms * 4 * 1000, &handlers, p, &p->pulse), 0);
}

static void test_answers(void **state) {
        Peer *p = *state;

        p->status = "running";
        start(p, INTERVAL_MS);
        run_for(p, INTERVAL_MS * 12);
        assert_string_equal(p->told, "");
        assert_true(p->n_asked >= 3);
}

static void test_changes(void **state) {
        Peer *p = *state;

        start(p, 0);
        p->status = "paused";
        run_for(p, 50);
        assert_int_equal(p->n_asked, 0); /* without a time limit only when something has happened */
        qemu_pulse_ask(p->pulse);
        qemu_pulse_ask(p->pulse);
        qemu_pulse_ask(p->pulse); /* one under way, and one more after it */
        run_for(p, 50);
        assert_int_equal(p->n_asked, 2);
        assert_string_equal(p->told, "paused;");
        p->status = "no such state";
        qemu_pulse_ask(p->pulse);
        run_for(p, 50);
        assert_string_equal(p->told, "paused;unknown;");
}

static void test_hangs(void **state) {
        Peer *p = *state;

        start(p, INTERVAL_MS);
        run_for(p, INTERVAL_MS * 30);
        assert_string_equal(p->told, "hung;"); /* once */
        assert_int_equal(p->n_asked, 1);
}

static void test_busy(void **state) {
        Peer *p = *state;

        start(p, INTERVAL_MS);
        qemu_pulse_set_busy(p->pulse, true);
        run_for(p, INTERVAL_MS * 15);
        assert_string_equal(p->told, "");
        qemu_pulse_set_busy(p->pulse, false);
        run_for(p, INTERVAL_MS * 15);
        assert_string_equal(p->told, "hung;");
}

static void test_stopped(void **state) {
        Peer *p = *state;

        p->status = "paused";
        start(p, INTERVAL_MS);
        qemu_pulse_ask(p->pulse);
        qemu_pulse_stop(p->pulse); /* the answer to that still comes */
        run_for(p, INTERVAL_MS * 10);
        assert_string_equal(p->told, "");
}

#define pulse_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                pulse_test(test_answers), pulse_test(test_changes), pulse_test(test_hangs), pulse_test(test_busy), pulse_test(test_stopped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
