/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls with a deadline: what they return, who dies, and how a process is told from a later one of the same number. */

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "fixture.h"
#include "guarded.h"
#include "root.h"

#define LONG (UINT64_C(60) * 1000000)

/* What both kinds of calls have in common is tried with both. */
typedef int (*Guard)(int (*call)(void *userdata), void *userdata, uint64_t deadline, GuardedStuck *ret_stuck);

static const Guard guards[] = { guarded_call, guarded_short_call };

static int return_it(void *userdata) {
        return *(int *) userdata;
}

static int die(void *userdata) {
        (void) userdata;
        (void) raise(SIGKILL);
        return 0;
}

static int sleep_on(void *userdata) {
        (void) userdata;
        while (pause() < 0)
                ;
        return 0;
}

static void test_result(void **state) {
        static const int results[] = { 0, -EIO, -EBUSY, -ENOTRECOVERABLE };
        GuardedStuck stuck = { 1, 1 };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(results) * ELEMENTSOF(guards); i++) {
                int wanted = results[i / ELEMENTSOF(guards)];

                assert_int_equal(guards[i % ELEMENTSOF(guards)](return_it, &wanted, LONG, &stuck), wanted);
                assert_int_equal(stuck.pid, 0);
        }
}

static void test_killed(void **state) {
        GuardedStuck stuck;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(guards); i++) {
                assert_int_equal(guards[i](die, NULL, LONG, &stuck), -EIO);
                assert_int_equal(stuck.pid, 0);
        }
}

/* What can be killed is, and is no zombie afterwards. */
static void check_deadline(Guard guard) {
        uint64_t start = now_usec();
        GuardedStuck stuck;

        assert_int_equal(guard(sleep_on, NULL, 50000, &stuck), -ETIMEDOUT);
        assert_int_equal(stuck.pid, 0);
        assert_true(now_usec() - start >= 50000);
        assert_true(now_usec() - start < LONG);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);

        /* As long as can be said is not “no time at all”. */
        assert_int_equal(guard(return_it, &(int){ -EIO }, UINT64_MAX, &stuck), -EIO);
}

static void test_deadline(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(guards); i++)
                check_deadline(guards[i]);
}

static int fail_to_open(void *userdata) {
        (void) userdata;
        return open("/does/not/exist", O_RDONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

/* A process in our memory has descriptors of its own, and its errno is not mistaken for ours. */
static void test_short(void **state) {
        int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;
        GuardedStuck stuck;

        (void) state;
        assert_true(before >= 0);
        for (unsigned i = 0; i < 100; i++)
                assert_int_equal(guarded_short_call(fail_to_open, NULL, LONG, &stuck), -ENOENT);
        after = dup(before);
        assert_int_equal(after, before + 1);
        close(after);
        close(before);
}

static int read_stdin(void *userdata) {
        char c;

        (void) userdata;
        return read(STDIN_FILENO, &c, 1) == 0 && write(STDOUT_FILENO, "x", 1) == 1 ? 0 : -EIO;
}

/* A child that is never heard of again must not keep its caller's caller waiting for the end of a pipe. */
static void check_no_streams(Guard guard) {
        int pipes[2], saved = dup(STDOUT_FILENO), r;
        GuardedStuck stuck;
        char c;

        fflush(stdout);
        assert_int_equal(pipe(pipes), 0);
        assert_true(saved >= 0 && dup2(pipes[1], STDOUT_FILENO) >= 0);
        r = guard(read_stdin, NULL, LONG, &stuck);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        close(saved);
        close(pipes[1]);
        assert_int_equal(r, 0);
        assert_int_equal(read(pipes[0], &c, 1), 0);
        close(pipes[0]);
}

static void test_no_streams(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(guards); i++)
                check_no_streams(guards[i]);
}

/* Says over the pipe who it is, then sleeps. */
static int say_pid(void *userdata) {
        pid_t pid = getpid();

        if (write(*(int *) userdata, &pid, sizeof pid) != sizeof pid)
                return -EIO;
        return sleep_on(NULL);
}

/* Who undoes what a killed helper did must not have its writes come late. */
static void check_dies_with_parent(Guard guard) {
        int pipes[2], status;
        pid_t helper, child;
        char c;

        assert_int_equal(pipe(pipes), 0);
        helper = fork();
        assert_true(helper >= 0);
        if (helper == 0) {
                GuardedStuck stuck;

                close(pipes[0]);
                (void) guard(say_pid, &pipes[1], LONG, &stuck);
                _exit(0);
        }
        close(pipes[1]);
        assert_int_equal(read(pipes[0], &child, sizeof child), sizeof child);
        assert_int_equal(kill(helper, SIGKILL), 0);
        assert_int_equal(waitpid(helper, &status, 0), helper);
        assert_int_equal(read(pipes[0], &c, 1), 0); /* the child's end is closed, too */
        close(pipes[0]);
}

static void test_dies_with_parent(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(guards); i++)
                check_dies_with_parent(guards[i]);
}

static uint64_t start_time_of(pid_t pid) {
        _cleanup_(closep) int root = root_open("/");
        _cleanup_(freep) char *path = NULL, *text = NULL;
        unsigned long long start;

        assert_int_equal(format(&path, "proc/%d/stat", pid), 0);
        assert_int_equal(root_read(root, path, &text), 0);
        assert_int_equal(sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                                 &start), 1);
        return start;
}

static void test_is_stuck(void **state) {
        _cleanup_(closep) int root = root_open("/");
        GuardedStuck stuck = {};
        int status;

        (void) state;
        assert_true(root >= 0);
        assert_false(guarded_is_stuck(root, &stuck));
        stuck.pid = fork();
        assert_true(stuck.pid >= 0);
        if (stuck.pid == 0)
                _exit(sleep_on(NULL));
        stuck.start_time = start_time_of(stuck.pid);
        assert_true(guarded_is_stuck(root, &stuck));
        stuck.start_time++; /* another process that got its number */
        assert_false(guarded_is_stuck(root, &stuck));
        stuck.start_time--;
        assert_int_equal(kill(stuck.pid, SIGKILL), 0);
        assert_int_equal(waitpid(stuck.pid, &status, 0), stuck.pid);
        assert_false(guarded_is_stuck(root, &stuck));
}

/* A command's name may hold anything, and /proc may be none. */
static void test_odd_stat(void **state) {
        static const char fields[] = " S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ";
        static const struct {
                const char *name, *rest;
                bool stuck;
        } rows[] = {
                { "vxm-bind", "4711 1 2", true },
                { ") S 1 1 1 0 -1 (", "4711 1 2", true },
                { "vxm bind", "4711", true },
                { "vxm-bind", "4712 1 2", false },
                { "vxm-bind", "", false },
                { "vxm-bind", "x", false },
        };
        GuardedStuck stuck = { 42, 4711 };
        Fixture *f = *state;

        assert_false(guarded_is_stuck(f->root, &stuck));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(format(&text, "42 (%s)%s%s\n", rows[i].name, fields, rows[i].rest), 0);
                fixture_write(f, "proc/42/stat", text);
                if (guarded_is_stuck(f->root, &stuck) != rows[i].stuck)
                        fail_msg("row %zu: %s", i, text);
        }
        fixture_write(f, "proc/42/stat", "42 vxm-bind S");
        assert_false(guarded_is_stuck(f->root, &stuck));
        fixture_write(f, "proc/42/stat", "");
        assert_false(guarded_is_stuck(f->root, &stuck));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_result),
                cmocka_unit_test(test_killed),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_short),
                cmocka_unit_test(test_no_streams),
                cmocka_unit_test(test_dies_with_parent),
                cmocka_unit_test(test_is_stuck),
                fixture_test(test_odd_stat),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
