/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of vxm shell across machines, which are this one behind two real agents. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "exit-status.h"
#include "guest-agent.h"
#include "shell-run.h"

/* Runs a line, of which “%s” are the fixture's directory, in a process whose output is collected. Returns its status. */
static int run(Fixture *f, const char *line, const char *wanted) {
        _cleanup_(freep) char *text = NULL, *out = NULL;
        int fd = memfd_create("vxm-test", MFD_CLOEXEC), status;
        pid_t pid;

        assert_int_equal(free_and_strdup(&text, ""), 0);
        for (const char *p = line; *p; p++)
                assert_int_equal(*p == '%' ? list_append(&text, "", "%s", f->path) : list_append(&text, "", "%c", *p), 0);
        pid = fork();
        if (pid == 0) {
                ShellLine parsed;
                const char *error;
                int null = open("/dev/null", O_RDONLY);

                (void) dup2(fd, STDOUT_FILENO);
                if (shell_line_parse(text, &parsed, &error) < 0)
                        _exit(STATUS_USAGE);
                _exit(shell_run(f->path, &parsed, null));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(read_full(fd, 1024 * 1024, &out, NULL), 0);
        close(fd);
        if (wanted && !streq(out, wanted))
                fail_msg("%s: “%s”", text, out);
        return WEXITSTATUS(status);
}

static void start_two(Fixture *f, GuestAgent *a, GuestAgent *b) {
        (void) setenv("SHELL", "/bin/sh", 1);
        guest_agent_start(f, "a", a);
        guest_agent_start(f, "b", b);
}

static void stop_two(GuestAgent *a, GuestAgent *b) {
        guest_agent_stop(a);
        guest_agent_stop(b);
}

static void test_lines(void **state) {
        Fixture *f = *state;
        GuestAgent a, b;

        start_two(f, &a, &b);
        fixture_write(f, "in", "1\n2\n3\n");
        assert_int_equal(run(f, "", ""), 0);
        assert_int_equal(run(f, "echo here", "here\n"), 0);
        assert_int_equal(run(f, "@spirit exit 7", ""), 7);
        assert_int_equal(run(f, "@a echo there | tr e E", "thErE\n"), 0);
        assert_int_equal(run(f, "@a cat", ""), 0);
        assert_int_equal(run(f, "@a cat < @b %/in", "1\n2\n3\n"), 0);
        assert_int_equal(run(f, "@a cat < @spirit %/in | @b tac | @spirit sort -r | @a cat -n", "     1\t3\n     2\t2\n     3\t1\n"), 0);
        assert_int_equal(run(f, "@a seq 3 | @a tac > @a %/out", ""), 0); /* all in one guest */
        assert_int_equal(run(f, "cat < @b %/out", "3\n2\n1\n"), 0);
        assert_int_equal(run(f, "@a echo x > @spirit '%/o u t'", ""), 0);
        assert_int_equal(run(f, "cat '%/o u t'", "x\n"), 0);
        /* As with pipefail. */
        assert_int_equal(run(f, "@a exit 3 | @b cat", ""), 3);
        assert_int_equal(run(f, "@a exit 3 | @b exit 4", ""), 4);
        assert_int_equal(run(f, "@a kill -KILL $$ | @b true", ""), 137);
        assert_int_equal(run(f, "@a yes | @b head -n 1", "y\n"), 141);
        assert_int_equal(run(f, "yes | @b head -n 1", "y\n"), 141);
        assert_int_equal(run(f, "@a cat < @b %/nothing", ""), 1);
        assert_int_equal(run(f, "@a echo x > @b %/no/where", ""), 1);
        assert_int_equal(run(f, "@a --timeout 5 true", ""), STATUS_USAGE); /* no words for the guest's shell */
        stop_two(&a, &b);
}

static void test_large(void **state) {
        Fixture *f = *state;
        GuestAgent a, b;

        start_two(f, &a, &b);
        assert_int_equal(run(f, "head -c 10485760 /dev/urandom >%/big", ""), 0);
        assert_int_equal(run(f, "@a cat %/big | @b cat > @spirit %/other", ""), 0);
        assert_int_equal(run(f, "cmp %/big %/other", ""), 0);
        assert_int_equal(run(f, "@a cat %/big | @a cat > @a %/third", ""), 0); /* each waits for the other one's agent */
        assert_int_equal(run(f, "cmp %/big %/third", ""), 0);
        stop_two(&a, &b);
}

/* A file is replaced by all that a command has had to say, be it as it may; never by what a guest that has gone has left. */
static void test_cut_short(void **state) {
        Fixture *f = *state;
        GuestAgent a, b;
        char pid[32];

        start_two(f, &a, &b);
        fixture_write(f, "out", "before\n");
        assert_int_equal(run(f, "@a cat < @b %/nothing > @spirit %/out", ""), 1);
        assert_int_equal(run(f, "cat %/out", "before\n"), 0);
        (void) snprintf(pid, sizeof pid, "%d\n", (int) a.pid);
        fixture_write(f, "pid", pid);
        assert_int_not_equal(run(f, "@a echo some; kill -KILL $(cat %/pid) | @b cat > @b %/out", ""), 0);
        assert_int_equal(run(f, "cat %/out", "before\n"), 0);
        assert_int_equal(run(f, "@b echo some; exit 3 | @b cat > @spirit %/out", ""), 3);
        assert_int_equal(run(f, "cat %/out", "some\n"), 0);
        assert_int_equal(run(f, "@b kill -KILL $$ | @b cat > @spirit %/out", ""), 137);
        assert_int_equal(run(f, "cat %/out", ""), 0);
        stop_two(&a, &b);
}

/* Refused before anything runs. */
static void test_unknown(void **state) {
        Fixture *f = *state;

        assert_int_equal(run(f, "echo x >%/made | @nobody cat", ""), STATUS_CONFIG);
        assert_int_equal(run(f, "echo x >%/made | @spirit cat > @docker /x", ""), STATUS_CONFIG);
        assert_int_equal(run(f, "echo x >%/made | @Nobody cat", ""), STATUS_USAGE);
        assert_int_equal(faccessat(f->root, "made", F_OK, 0), -1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_lines),
                fixture_test(test_large),
                fixture_test(test_cut_short),
                fixture_test(test_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
