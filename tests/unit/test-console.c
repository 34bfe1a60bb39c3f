/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes between standard input and output and a guest's console. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "console.h"
#include "fixture.h"

/* Runs console_forward() in a child, which ends with what it returns, with pipes as standard input and output. */
typedef struct Bench {
        int guest, keys, screen;
        pid_t pid;
} Bench;

static Bench begin(bool terminal) {
        int sockets[2], keys[2], screen[2];
        Bench b;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
        assert_int_equal(pipe2(keys, O_CLOEXEC), 0);
        assert_int_equal(pipe2(screen, O_CLOEXEC), 0);
        b = (Bench){ .guest = sockets[1], .keys = keys[1], .screen = screen[0] };
        b.pid = fork();
        if (b.pid == 0) {
                (void) dup2(keys[0], STDIN_FILENO);
                (void) dup2(screen[1], STDOUT_FILENO);
                close(sockets[1]);
                close(keys[1]);
                (void) fcntl(sockets[0], F_SETFL, O_NONBLOCK);
                _exit(console_forward(sockets[0], terminal) & 0x7f);
        }
        close(sockets[0]);
        close(keys[0]);
        close(screen[1]);
        return b;
}

static int end(Bench *b) {
        int status;

        assert_true(waitpid(b->pid, &status, 0) > 0);
        closep(&b->guest);
        closep(&b->keys);
        closep(&b->screen);
        return WEXITSTATUS(status);
}

static void assert_reads(int fd, const char *wanted, size_t size) {
        char data[256];

        for (size_t n = 0; n < size;) {
                ssize_t got = read(fd, data, size - n);

                assert_true(got > 0);
                assert_memory_equal(data, wanted + n, (size_t) got);
                n += (size_t) got;
        }
}

/* Bytes pass as they are, in both directions; the escape key leaves, and what stands before it has been sent. */
static void test_terminal(void **state) {
        Bench b = begin(true);

        (void) state;
        assert_int_equal(write_full(b.guest, "login\0\033[1m\xff", 11), 0);
        assert_reads(b.screen, "login\0\033[1m\xff", 11);
        assert_int_equal(write_full(b.keys, "\x03root\r\x1d never", 13), 0);
        assert_reads(b.guest, "\x03root\r", 6);
        assert_int_equal(end(&b), CONSOLE_LEFT);
}

/* Of a script all bytes are data, and its end is not the guest's. */
static void test_script(void **state) {
        Bench b = begin(false);

        (void) state;
        assert_int_equal(write_full(b.keys, "a\x1d" "b\n", 4), 0);
        close(b.keys);
        b.keys = -EBADF;
        assert_reads(b.guest, "a\x1d" "b\n", 4);
        assert_int_equal(write_full(b.guest, "answer", 6), 0);
        assert_reads(b.screen, "answer", 6);
        close(b.guest);
        b.guest = -EBADF;
        assert_int_equal(end(&b), CONSOLE_ENDED);
}

/* A guest that does not read keeps nobody in its console. */
static void test_deaf(void **state) {
        static char keys[2 * 1024 * 1024];
        Bench b = begin(true);

        (void) state;
        memset(keys, 'k', sizeof keys);
        assert_int_equal(write_full(b.keys, keys, sizeof keys), 0);
        assert_int_equal(write_full(b.guest, "busy", 4), 0);
        assert_reads(b.screen, "busy", 4);
        assert_int_equal(write_full(b.keys, "\x1d", 1), 0);
        assert_int_equal(end(&b), CONSOLE_LEFT);
}

/* Of a script nothing is lost, however long the guest takes. */
static void test_long_script(void **state) {
        static char keys[2 * 1024 * 1024];
        Bench b = begin(false);
        pid_t writer;

        (void) state;
        for (size_t i = 0; i < sizeof keys; i++)
                keys[i] = (char) (i * 2654435761U >> 13);
        writer = fork();
        if (writer == 0)
                _exit(write_full(b.keys, keys, sizeof keys) < 0);
        closep(&b.keys);
        b.keys = -EBADF;
        usleep(100000);
        for (size_t n = 0; n < sizeof keys; n += 256)
                assert_reads(b.guest, keys + n, 256);
        closep(&b.guest);
        b.guest = -EBADF;
        assert_int_equal(end(&b), CONSOLE_ENDED);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_terminal),
                cmocka_unit_test(test_script),
                cmocka_unit_test(test_deaf),
                cmocka_unit_test(test_long_script),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
