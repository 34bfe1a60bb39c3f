/* SPDX-License-Identifier: BSD-3-Clause */
/* The prompt, at a terminal. */

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fixture.h"
#include "shell-prompt.h"

/* Repeats what it reads. */
static int repeat(const char *history) {
        static const char *const words[] = { NULL };
        _cleanup_(shell_prompt_freep) ShellPrompt *p = shell_prompt_new(words, history);

        for (;;) {
                _cleanup_(freep) char *line = NULL;
                int r = shell_prompt_read(p, &line);

                if (r <= 0)
                        return r < 0 ? 1 : 0;
                printf("<%s>\n", line);
                fflush(stdout);
        }
}

static char said[4096];

/* Reads until that text has come, or nothing for so many ms. What comes behind it is for the next one. */
static bool comes(int terminal, const char *text, int patience) {
        char *found;

        while (!(found = strstr(said, text))) {
                struct pollfd p = { .fd = terminal, .events = POLLIN };
                size_t n = strlen(said);
                ssize_t got = poll(&p, 1, patience) > 0 ? read(terminal, said + n, sizeof said - 1 - n) : 0;

                if (got <= 0)
                        return false;
                said[n + (size_t) got] = '\0';
        }
        found += strlen(text);
        memmove(said, found, strlen(found) + 1);
        return true;
}

static void expect(int terminal, const char *text) {
        if (!comes(terminal, text, 20000))
                fail_msg("“%s”, not “%s”", said, text);
}

static void type(int terminal, const char *keys) {
        assert_int_equal(write_full(terminal, keys, strlen(keys)), 0);
}

/* Ctrl-C drops the line and no more; what has been entered is in the history at once. */
static void test_interrupt(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *history = NULL, *text = NULL;
        int terminal, status, fd;
        pid_t pid;

        assert_int_equal(format(&history, "%s/history", f->path), 0);
        pid = forkpty(&terminal, NULL, NULL, NULL);
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) setenv("TERM", "vt100", 1);
                _exit(repeat(history));
        }
        expect(terminal, "vxm> ");
        for (int i = 0; i < 2; i++) {
                type(terminal, "drop");
                expect(terminal, "drop");
                do
                        type(terminal, "\x03");
                while (!comes(terminal, "<>", 1000)); /* one that comes between two reads is not seen */
                expect(terminal, "vxm> ");
        }
        type(terminal, "keep\r");
        expect(terminal, "<keep>");
        fd = openat(f->root, "history", O_RDONLY | O_CLOEXEC);
        if (fd >= 0) { /* where libedit is */
                assert_int_equal(read_full(fd, 4096, &text, NULL), 0);
                assert_non_null(strstr(text, "keep"));
                assert_null(strstr(text, "drop"));
                close(fd);
        }
        expect(terminal, "vxm> ");
        type(terminal, "\x04");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(terminal);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_interrupt),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
