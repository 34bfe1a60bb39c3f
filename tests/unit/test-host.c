/* SPDX-License-Identifier: BSD-3-Clause */
/* Another machine: its name, and words for its shell. */

#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fixture.h"
#include "host.h"

static void test_name(void **state) {
        (void) state;
        assert_int_equal(host_set("workstation"), 0);
        assert_string_equal(host_name(), "workstation");
        assert_int_equal(host_set("me@fe80::1%eth0"), 0);
        /* What would be an option of ssh, or of a shell. */
        assert_int_equal(host_set("-oProxyCommand=x"), -EINVAL);
        assert_int_equal(host_set(""), -EINVAL);
        assert_int_equal(host_set("a b"), -EINVAL);
        assert_int_equal(host_set("a;b"), -EINVAL);
        assert_int_equal(host_set(NULL), 0);
        assert_null(host_name());
}

/* What a real shell makes of it. */
static void test_quote(void **state) {
        static const char *const words[] = { "plain", "two words", "it's", "'", "", "$HOME `id` \"x\" \\", "a\nb", "*", "äö", "-n" };
        _cleanup_(freep) char *line = NULL, *said = NULL;
        FILE *f;
        char *p;

        (void) state;
        assert_int_equal(list_append(&line, "", "printf '%%s\\0'"), 0);
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_int_equal(host_quote(&line, words[i]), 0);
        f = popen(line, "r");
        assert_non_null(f);
        assert_int_equal(read_full(fileno(f), 4096, &said, NULL), 0);
        assert_int_equal(pclose(f), 0);
        p = said;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                assert_string_equal(p, words[i]);
                p += strlen(p) + 1;
        }
}

static void make_program(Fixture *f, const char *path, const char *text) {
        fixture_write(f, path, text);
        assert_int_equal(fchmodat(f->root, path, 0755, 0), 0);
}

/* What host_run() writes, and ends with, where ssh runs its line on this machine. typed: its input is a terminal. */
static char *run_there(Fixture *f, bool typed, char *words[], int *ret_status) {
        char *said = NULL, *path = NULL;
        int out[2], argc = 0;
        pid_t pid;

        while (words[argc])
                argc++;
        assert_int_equal(format(&path, "%s/bin", f->path), 0);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                int master, slave;

                (void) setenv("PATH", path, 1);
                (void) host_set("there");
                (void) dup2(out[1], STDOUT_FILENO);
                (void) dup2(out[1], STDERR_FILENO);
                if (typed && openpty(&master, &slave, NULL, NULL, NULL) == 0)
                        (void) dup2(slave, STDIN_FILENO);
                else
                        (void) dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
                _exit(host_run(argc, words));
        }
        close(out[1]);
        assert_int_equal(read_full(out[0], 4096, &said, NULL), 0);
        close(out[0]);
        assert_int_equal(waitpid(pid, ret_status, 0), pid);
        *ret_status = WEXITSTATUS(*ret_status);
        free(path);
        return said;
}

/* What is typed at a terminal is no input of vxm exec, also on another machine. */
static void test_input(void **state) {
        Fixture *f = *state;
        char *exec[] = { (char *) "exec", (char *) "g", (char *) "it's", NULL }, *list[] = { (char *) "list", NULL };
        static const struct {
                bool typed, is_exec;
                const char *options;
        } rows[] = { { true, true, "-Tn -- there" }, { true, false, "-T -- there" }, { false, true, "-T -- there" } };

        make_program(f, "bin/ssh", "#!/bin/sh\necho $1 $2 $3\n");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int status;
                _cleanup_(freep) char *said = run_there(f, rows[i].typed, rows[i].is_exec ? exec : list, &status);

                assert_int_equal(status, 0);
                assert_true(startswith(said, rows[i].options));
        }
}

/* Its words get there as they are; and it is told when nobody is there to take them. */
static void test_line(void **state) {
        Fixture *f = *state;
        char *words[] = { (char *) "exec", (char *) "it's", (char *) "$HOME", NULL };
        int status;

        make_program(f, "bin/ssh", "#!/bin/sh\nPATH=$PATH:$PATH/there; for line; do :; done; exec /bin/sh -c \"$line\"\n");
        assert_int_equal(symlinkat("/bin/sh", f->root, "bin/sh"), 0);
        {
                _cleanup_(freep) char *said = run_there(f, false, words, &status);

                assert_int_equal(status, 69);
                assert_string_equal(said, "vxm is not installed on there, or not in its PATH; install it there.\n");
        }
        make_program(f, "bin/there/vxm", "#!/bin/sh\nprintf '%s|' \"$@\"; exit 3\n");
        {
                _cleanup_(freep) char *said = run_there(f, false, words, &status);

                assert_int_equal(status, 3);
                assert_string_equal(said, "exec|it's|$HOME|");
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_quote),
                fixture_test(test_input),
                fixture_test(test_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
