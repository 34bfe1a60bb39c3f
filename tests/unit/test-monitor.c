/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands for QEMU's monitor, with a QEMU of the test's own: a child that answers each command with what it was told,
 * but for those that it is to be nasty about. */

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "exit-status.h"
#include "fixture.h"
#include "json.h"
#include "monitor.h"

static void answer(FILE *f, const char *line) {
        json_t *message = json_loads(line, 0, NULL), *reply;
        const char *command = json_get_string(message, "execute");
        const char *words = json_get_string(json_object_get(message, "arguments"), "command-line");

        if (streq(command, "human-monitor-command") && streq(words, "nasty"))
                reply = json_pack("{s:s}", "return", "one\r\n\033]0;title\007\xc2\x9b" "2J\r\nthree\n");
        else if (streq(command, "refused"))
                reply = json_pack("{s:{s:s,s:s}}", "error", "class", "GenericError", "desc", "no such thing\033[2J");
        else if (streq(command, "human-monitor-command"))
                reply = json_pack("{s:s}", "return", words);
        else
                reply = json_pack("{s:O}", "return", message);
        json_object_set(reply, "id", json_object_get(message, "id"));
        fprintf(f, "%s\n", json_dumps(reply, JSON_COMPACT));
        fflush(f);
}

static pid_t start(const Fixture *f) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM, 0);
        pid_t pid;

        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s/qmp", f->path);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(listener, 4), 0);
        pid = fork();
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        FILE *peer = fdopen(accept(listener, NULL, NULL), "r+");
                        char *line = NULL;
                        size_t size = 0;

                        fprintf(peer, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n");
                        fflush(peer);
                        while (getline(&line, &size, peer) >= 0)
                                answer(peer, line);
                        fclose(peer);
                }
        }
        close(listener);
        return pid;
}

/* Carries out a command; *ret_output, to be freed, is what it prints. */
static int tell(const Fixture *f, const char *line, bool qmp, char **ret_output) {
        int fd = memfd_create("output", MFD_CLOEXEC), saved = dup(STDOUT_FILENO), r;
        pid_t qemu = start(f);

        fflush(stdout);
        assert_true(dup2(fd, STDOUT_FILENO) >= 0);
        r = monitor_line(f->path, "g", line, qmp);
        fflush(stdout);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        close(saved);
        kill(qemu, SIGKILL);
        (void) waitpid(qemu, NULL, 0);
        assert_int_equal(unlinkat(f->root, "qmp", 0), 0);
        assert_true(lseek(fd, 0, SEEK_SET) == 0);
        assert_int_equal(read_full(fd, 65536, ret_output, NULL), 0);
        close(fd);
        return r;
}

static void test_human(void **state) {
        _cleanup_(freep) char *plain = NULL, *nasty = NULL;

        assert_int_equal(tell(*state, "info block -v", false, &plain), 0);
        assert_string_equal(plain, "info block -v\n");
        assert_int_equal(tell(*state, "nasty", false, &nasty), 0);
        assert_string_equal(nasty, "one\n?]0;title???2J\nthree\n");
}

static void test_qmp(void **state) {
        static const struct {
                const char *line, *arguments;
        } rows[] = {
                { "query-status", NULL },
                { "qom-list {\"path\": \"/machine\"}", "/machine" },
                { "{\"execute\": \"qom-list\", \"arguments\": {\"path\": \"/\\u001b\"}}", "/\033" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(json_decrefp) json_t *told = NULL;
                _cleanup_(freep) char *output = NULL;

                assert_int_equal(tell(*state, rows[i].line, true, &output), 0);
                told = json_loads(output, 0, NULL);
                assert_non_null(told);
                assert_string_equal(json_get_string(told, "execute"), i == 0 ? "query-status" : "qom-list");
                assert_true(streq_ptr(json_get_string(json_object_get(told, "arguments"), "path"), rows[i].arguments));
                assert_null(strchr(output, '\033'));
        }
}

static void test_bad(void **state) {
        static const char *const lines[] = { "qom-list {", "qom-list []", "qom-list 7", "{\"execute\": 7}", "{\"arguments\": {}}", "{" };
        _cleanup_(freep) char *refused = NULL;
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_(freep) char *output = NULL;

                fixture_capture(f);
                assert_int_equal(tell(f, lines[i], true, &output), -EINVAL);
                fixture_assert_logged(f, "is no command; use COMMAND, COMMAND {ARGUMENTS}, or");
                assert_string_equal(output, "");
        }
        fixture_capture(f);
        assert_int_equal(tell(f, "refused", true, &refused), -ECANCELED);
        fixture_assert_logged(f, "Cannot run the command: QEMU says: no such thing?[2J.");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_human),
                fixture_test(test_qmp),
                fixture_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
