/* SPDX-License-Identifier: BSD-3-Clause */
/* The QMP client over a socket pair, the test being QEMU: the conversation as it should be, and a QEMU that does not
 * keep to the protocol. */

#include <fcntl.h>
#include <sys/socket.h>

#include "fixture.h"
#include "log.h"
#include "qmp.h"

#define GREETING "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": 10}, \"package\": \"\"}, " \
                 "\"capabilities\": [\"oob\"]}}\r\n"
#define CAPABILITIES "{\"return\": {}, \"id\": 1}\r\n"

/* Both ends, and in text all that the client called back, each followed by “;”. */
typedef struct Peer {
        int fd;
        Qmp *qmp;
        char *text;
        size_t size;
        FILE *f;
} Peer;

static void on_ready(Qmp *qmp, void *userdata) {
        Peer *p = userdata;

        assert_ptr_equal(qmp, p->qmp);
        fputs("ready;", p->f);
}

static void on_event(Qmp *qmp, const char *name, const json_t *data, void *userdata) {
        Peer *p = userdata;

        assert_ptr_equal(qmp, p->qmp);
        fprintf(p->f, "event %s %s;", name, data ? json_get_string(data, "reason") : "-");
}

static void on_reply(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        Peer *p = userdata;

        assert_ptr_equal(qmp, p->qmp);
        assert_true(!reply == !!error);
        fprintf(p->f, "%s %s;", reply ? "reply" : "error", reply ? json_get_string(reply, "status") : error);
}

static const QmpHandlers handlers = { on_ready, on_event };

static int setup(void **state) {
        Peer *p = calloc(1, sizeof *p);
        int pair[2];

        if (!p || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -1;
        p->fd = pair[0];
        p->qmp = qmp_new(pair[1], &handlers, p);
        p->f = open_memstream(&p->text, &p->size);
        *state = p;
        return p->qmp && p->f ? 0 : -1;
}

static int teardown(void **state) {
        Peer *p = *state;

        qmp_free(p->qmp);
        if (p->fd >= 0)
                close(p->fd);
        fclose(p->f);
        free(p->text);
        free(p);
        return 0;
}

/* Reads until there is nothing left to read, or something is wrong. */
static int process(Peer *p) {
        int r;

        do
                r = qmp_process(p->qmp);
        while (r > 0);
        return r;
}

static int say(Peer *p, const char *text) {
        assert_int_equal(send(p->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        return process(p);
}

/* What the client has sent since the last time. */
static void assert_heard(Peer *p, const char *wanted) {
        char buffer[4096];
        ssize_t n = read(p->fd, buffer, sizeof buffer - 1);

        if (n < 0) {
                assert_int_equal(errno, EAGAIN);
                n = 0;
        }
        buffer[n] = '\0';
        assert_string_equal(buffer, wanted);
}

static void assert_called(Peer *p, const char *wanted) {
        fflush(p->f);
        assert_string_equal(p->text ? p->text : "", wanted);
}

static void greet(Peer *p) {
        assert_int_equal(say(p, GREETING), 0);
        assert_heard(p, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
        assert_int_equal(say(p, CAPABILITIES), 0);
        assert_called(p, "ready;");
}

static void test_greeting(void **state) {
        Peer *p = *state;

        assert_int_equal(qmp_process(p->qmp), 0);
        assert_heard(p, "");
        greet(p);
        assert_heard(p, "");
}

static void test_events(void **state) {
        Peer *p = *state;

        greet(p);
        assert_int_equal(say(p, "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n"
                                "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}\r\n"), 0);
        assert_called(p, "ready;event STOP -;event SHUTDOWN guest-shutdown;");
}

/* Events may come before the capabilities are through. */
static void test_early_event(void **state) {
        Peer *p = *state;

        assert_int_equal(say(p, GREETING "{\"event\": \"RESUME\"}\r\n" CAPABILITIES), 0);
        assert_called(p, "event RESUME -;ready;");
}

/* Replies find their command by number, in whatever order they come. */
static void test_replies(void **state) {
        Peer *p = *state;

        greet(p);
        assert_int_equal(qmp_send(p->qmp, "query-status", NULL, on_reply, p), 0);
        assert_int_equal(qmp_send(p->qmp, "device_del", json_pack("{s:s}", "id", "gpu"), on_reply, p), 0);
        assert_int_equal(qmp_send(p->qmp, "cont", NULL, NULL, NULL), 0);
        assert_heard(p, "{\"execute\":\"query-status\",\"id\":2}\n"
                        "{\"execute\":\"device_del\",\"id\":3,\"arguments\":{\"id\":\"gpu\"}}\n"
                        "{\"execute\":\"cont\",\"id\":4}\n");
        assert_int_equal(say(p, "{\"return\": {}, \"id\": 4}\n"
                                "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no gpu\"}, \"id\": 3}\n"
                                "{\"return\": {\"status\": \"running\"}, \"id\": 2}\n"), 0);
        assert_called(p, "ready;error no gpu;reply running;");
        assert_int_equal(say(p, "{\"return\": {}, \"id\": 4}\n"), -EPROTO); /* once is enough */
}

static void test_error_without_reason(void **state) {
        Peer *p = *state;

        greet(p);
        assert_int_equal(qmp_send(p->qmp, "stop", NULL, on_reply, p), 0);
        assert_int_equal(say(p, "{\"error\": 5, \"id\": 2}\n"), 0);
        assert_called(p, "ready;error no reason given;");
}

static void test_garbage(void **state) {
        static const char *const rows[] = {
                "\n",
                "garbage\n",
                "[]\n",
                "5\n",
                "{\"QMP\": 1}\n",
                "{\"QMP\": {}\n",
                "{}\n",
                "{\"event\": \"STOP\"}\n", /* before the greeting */
                CAPABILITIES,
                GREETING "{}\n",
                GREETING "{\"return\": {}}\n",
                GREETING "{\"return\": {}, \"id\": 2}\n",
                GREETING "{\"return\": {}, \"id\": \"1\"}\n",
                GREETING "{\"return\": {}, \"id\": 1.0}\n",
                GREETING "{\"error\": {\"desc\": \"no capabilities\"}, \"id\": 1}\n",
                GREETING "{\"event\": 5}\n",
                GREETING GREETING,
                GREETING CAPABILITIES "{\"error\": {\"desc\": \"parse error\"}}\n",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                void *peer;

                assert_int_equal(setup(&peer), 0);
                if (say(peer, rows[i]) != -EPROTO)
                        fail_msg("not refused: %s", rows[i]);
                teardown(&peer);
        }
}

/* QEMU's numbers can be larger than jansson's; a few messages that cannot be read are passed over, many are not QMP. */
static void test_unreadable(void **state) {
        static const char *const rows[] = {
                "{\"event\": \"A\", \"data\": {\"arg\": 18446744073709551617}}\n",
                "{\"event\": \"A\", \"event\": \"B\"}\n",
                "{\"event\": \"\xff\"}\n",
                "true\n",
        };
        Peer *p = *state;

        log_set_max_priority(-1);
        greet(p);
        for (size_t i = 0; i < 16; i++)
                assert_int_equal(say(p, rows[i % ELEMENTSOF(rows)]), 0);
        assert_int_equal(say(p, "{\"event\": \"STOP\"}\n"), 0);
        assert_called(p, "ready;event STOP -;");
        assert_int_equal(say(p, rows[0]), -EPROTO);
}

static void test_nul(void **state) {
        static const char text[] = GREETING CAPABILITIES "{\"event\": \"STOP\"}\0\n{\"event\": \"STOP\"}\n";
        Peer *p = *state;

        log_set_max_priority(-1);
        assert_int_equal(qmp_feed(p->qmp, text, (sizeof text - 1)), 0);
        assert_called(p, "ready;event STOP -;");
}

static void test_nested_deeply(void **state) {
        _cleanup_(freep) char *text = malloc(200001);
        Peer *p = *state;

        assert_non_null(text);
        memset(text, '[', 200000);
        text[199999] = '\n';
        assert_int_equal(qmp_feed(p->qmp, text, 200000), -EPROTO);
}

static void test_huge_line(void **state) {
        static const char portion[4096] = { [0 ... 4095] = ' ' };
        Peer *p = *state;
        int r = 0;

        greet(p);
        for (size_t sent = 0; r >= 0 && sent <= (2 << 20); sent += sizeof portion) {
                assert_int_equal(send(p->fd, portion, sizeof portion, MSG_NOSIGNAL), sizeof portion);
                r = qmp_process(p->qmp);
        }
        assert_int_equal(r, -EPROTO);
}

/* As long as query-qmp-schema's reply is, a line is welcome. */
static void test_long_line(void **state) {
        _cleanup_(freep) char *text = malloc(500001);
        Peer *p = *state;

        greet(p);
        assert_non_null(text);
        memset(text, ' ', 500000);
        memcpy(text, "{\"event\": \"STOP\"", 16);
        memcpy(text + 499998, "}\n", 3);
        assert_int_equal(qmp_feed(p->qmp, text, 500000), 0);
        assert_called(p, "ready;event STOP -;");
}

static void test_split_everywhere(void **state) {
        static const char text[] = GREETING CAPABILITIES
                "{\"event\": \"RESET\", \"data\": {\"reason\": \"guest-reset\"}}\r\n{\"event\": \"STOP\"}\r\n";

        (void) state;
        for (size_t i = 0; i <= (sizeof text - 1); i++) {
                void *peer;
                Peer *p;

                assert_int_equal(setup(&peer), 0);
                p = peer;
                assert_int_equal(send(p->fd, text, i, MSG_NOSIGNAL), i);
                assert_int_equal(process(p), 0);
                assert_int_equal(send(p->fd, text + i, (sizeof text - 1) - i, MSG_NOSIGNAL), (sizeof text - 1) - i);
                assert_int_equal(process(p), 0);
                assert_called(p, "ready;event RESET guest-reset;event STOP -;");
                teardown(&peer);
        }
}

static void test_close(void **state) {
        Peer *p = *state;

        greet(p);
        assert_int_equal(send(p->fd, "{\"event\": \"STOP\"}\n", 18, MSG_NOSIGNAL), 18);
        close(p->fd);
        p->fd = -EBADF;
        assert_int_equal(process(p), -ECONNRESET);
        assert_called(p, "ready;event STOP -;"); /* its last words are heard */
        assert_int_equal(qmp_send(p->qmp, "quit", NULL, on_reply, p), -EPIPE);
}

/* A QEMU that takes commands and never answers, and one that does not even read. */
static void test_no_answers(void **state) {
        Peer *p = *state;
        int r, n = 0;

        greet(p);
        while ((r = qmp_send(p->qmp, "query-status", json_object(), on_reply, p)) == 0)
                n++;
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(n, 64);
}

static void test_does_not_read(void **state) {
        char filler[4096] = {};
        Peer *p = *state;

        greet(p);
        while (send(qmp_fd(p->qmp), filler, sizeof filler, MSG_NOSIGNAL) > 0)
                ;
        assert_int_equal(qmp_send(p->qmp, "quit", json_object(), on_reply, p), -EAGAIN);
}

/* A callback may send the next command. */
static void send_again(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        assert_non_null(reply);
        assert_null(error);
        assert_int_equal(qmp_send(qmp, "cont", NULL, on_reply, userdata), 0);
}

static void test_send_from_callback(void **state) {
        Peer *p = *state;

        greet(p);
        assert_int_equal(qmp_send(p->qmp, "query-kvm", NULL, send_again, p), 0);
        assert_int_equal(say(p, "{\"return\": {\"enabled\": true}, \"id\": 2}\n"
                                "{\"return\": {\"status\": \"x\"}, \"id\": 3}\n"), 0);
        assert_called(p, "ready;reply x;");
}

#define peer_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                peer_test(test_greeting),
                peer_test(test_events),
                peer_test(test_early_event),
                peer_test(test_replies),
                peer_test(test_error_without_reason),
                cmocka_unit_test(test_garbage),
                peer_test(test_unreadable),
                peer_test(test_nul),
                peer_test(test_nested_deeply),
                peer_test(test_huge_line),
                peer_test(test_long_line),
                cmocka_unit_test(test_split_everywhere),
                peer_test(test_close),
                peer_test(test_no_answers),
                peer_test(test_does_not_read),
                peer_test(test_send_from_callback),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
