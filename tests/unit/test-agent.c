/* SPDX-License-Identifier: BSD-3-Clause */
/* The conversation with the guest's agent, whose side may hold anything: the guest writes it. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent.h"
#include "fixture.h"

#define SYNC "\xff{\"return\": 42}\n"

static Agent new_agent(void) {
        return (Agent){ .fd = -EBADF, .sync_id = 42, .lines.max = 64 * 1024 };
}

static int feed(const char *text) {
        _cleanup_(agent_done) Agent a = new_agent();

        return agent_feed(&a, text, strlen(text));
}

static void test_sync(void **state) {
        static const char *const answers[] = {
                SYNC,
                "\xff{\"return\": 42}\r\n",
                /* after what was meant for somebody else, also without an end of line */
                "{\"return\": {}}\n" SYNC,
                "{\"return\": {\"half" SYNC,
                "\xff\xff\xff{\"return\": 42}\n",
                "\xff{\"return\": 41}\n" SYNC,
                "\n\n\n" SYNC,
                "{\"error\": {\"class\": \"GenericError\", \"desc\": \"x\"}}\n" SYNC,
        };
        static const char *const others[] = {
                "",
                "\xff",
                "\xff\n",
                "{\"return\": 42}\n", /* without the delimiter: an answer to somebody else */
                "\xff{\"return\": 41}\n",
                "\xff{\"return\": -42}\n",
                "\xff{\"return\": 4294967338}\n", /* 2^32 + 42 */
                "\xff{\"return\": 42.0}\n",
                "\xff{\"return\": \"42\"}\n",
                "\xff{\"return\": [42]}\n",
                "\xff{\"return\": 42} x\n",
                "\xff{\"return\": 42, \"return\": 42}\n",
                "\xff{\"error\": 42}\n",
                "\xff[42]\n",
                "\37742\n",
                "\xff{\"return\": 42}",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(answers); i++)
                if (feed(answers[i]) != 1)
                        fail_msg("no answer: %s", answers[i]);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (feed(others[i]) != 0)
                        fail_msg("taken for the answer: %s", others[i]);
}

static void test_nul(void **state) {
        _cleanup_(agent_done) Agent a = new_agent();

        (void) state;
        assert_int_equal(agent_feed(&a, "\xff{\"return\": 42}\0\n", 17), 0);
        assert_int_equal(agent_feed(&a, "\0\xff{\"return\": 42}\n", 17), 1);
}

static void test_split_everywhere(void **state) {
        static const char text[] = "{\"return\": {}}\n" SYNC;

        (void) state;
        for (size_t i = 0; i < (sizeof text - 1); i++) {
                _cleanup_(agent_done) Agent a = new_agent();

                assert_int_equal(agent_feed(&a, text, i), 0);
                assert_int_equal(agent_feed(&a, text + i, (sizeof text - 1) - i), 1);
        }
}

static void test_huge_line(void **state) {
        static const char portion[4096] = { [0 ... 4095] = 'x' };
        _cleanup_(agent_done) Agent a = new_agent();
        int r = 0;

        (void) state;
        for (size_t i = 0; r == 0 && i < 100; i++)
                r = agent_feed(&a, portion, sizeof portion);
        assert_int_equal(r, -EPROTO);
}

/* Listens where QEMU would. */
static int listen_at(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0);
        strcpy(address.sun_path, path);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(fd, 1), 0);
        return fd;
}

static void assert_heard(int fd, const char *wanted) {
        char buffer[512];
        ssize_t n = read(fd, buffer, sizeof buffer - 1);

        assert_true(n >= 0);
        buffer[n] = '\0';
        assert_string_equal(buffer, wanted);
}

static void test_conversation(void **state) {
        _cleanup_(freep) char *path = NULL;
        Fixture *f = *state;
        int server, fd;
        Agent a;

        assert_int_equal(format(&path, "%s/agent", f->path), 0);
        server = listen_at(path);
        assert_int_equal(agent_connect(path, 42, &a), 0);
        fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
        assert_true(fd >= 0);
        assert_heard(fd, "\xff{\"execute\": \"guest-sync-delimited\", \"arguments\": {\"id\": 42}}\n");
        assert_int_equal(agent_process(&a), 0);
        assert_int_equal(write(fd, "{\"return\": {}}\n" SYNC, 15 + STRLEN(SYNC)), 15 + STRLEN(SYNC));
        assert_int_equal(agent_process(&a), 1);
        assert_int_equal(agent_shutdown(&a), 0);
        assert_heard(fd, "{\"execute\": \"guest-shutdown\", \"arguments\": {\"mode\": \"powerdown\"}}\n");
        close(fd);
        assert_int_equal(agent_process(&a), -ECONNRESET);
        assert_int_equal(agent_shutdown(&a), -EPIPE);
        agent_done(&a);
        assert_int_equal(a.fd, -EBADF);
        agent_done(&a);
        close(server);
}

static void test_nobody_there(void **state) {
        _cleanup_(freep) char *path = NULL;
        char too_long[200] = { [0 ... 198] = 'x' };
        Fixture *f = *state;
        Agent a;

        assert_int_equal(format(&path, "%s/agent", f->path), 0);
        assert_int_equal(agent_connect(path, 42, &a), -ENOENT);
        close(listen_at(path));
        assert_int_equal(agent_connect(path, 42, &a), -ECONNREFUSED);
        too_long[0] = '/';
        assert_int_equal(agent_connect(too_long, 42, &a), -ENAMETOOLONG);
}

/* Somebody else talks to the agent, and one more waits: connecting must not block. */
static void test_busy(void **state) {
        _cleanup_(freep) char *path = NULL;
        Fixture *f = *state;
        Agent agents[16];
        size_t n = 0;
        int server, r;

        assert_int_equal(format(&path, "%s/agent", f->path), 0);
        server = listen_at(path);
        while (n < ELEMENTSOF(agents) && (r = agent_connect(path, 42, &agents[n])) == 0)
                n++;
        assert_true(n < ELEMENTSOF(agents));
        assert_int_equal(r, -EAGAIN);
        while (n > 0)
                agent_done(&agents[--n]);
        close(server);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sync),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_split_everywhere),
                cmocka_unit_test(test_huge_line),
                fixture_test(test_conversation),
                fixture_test(test_nobody_there),
                fixture_test(test_busy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
