/* SPDX-License-Identifier: BSD-3-Clause */
/* Copying: what names an end, and files from and to guests, which are this machine behind the real qemu-ga. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "copy.h"
#include "exit-status.h"
#include "guest-agent.h"
#include "interrupt.h"

static void test_ends(void **state) {
        static const struct {
                const char *text, *guest, *path;
        } rows[] = {
                { "demo:/etc/passwd", "demo", "/etc/passwd" },
                { "win11:C:\\Users\\x y", "win11", "C:\\Users\\x y" },
                { "spirit:/etc/x", NULL, "/etc/x" },
                { "/etc/x", NULL, "/etc/x" },
                { "x", NULL, "x" },
                { "./a:b", NULL, "./a:b" },
                { "/a:b", NULL, "/a:b" },
                { ":b", NULL, ":b" },
        };
        CopyEnd e;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(copy_end_parse(rows[i].text, &e), 0);
                assert_true(streq_ptr(e.guest, rows[i].guest));
                assert_string_equal(e.path, rows[i].path);
                copy_end_done(&e);
        }
        assert_int_equal(copy_end_parse("", &e), -EINVAL);
        assert_int_equal(copy_end_parse("demo:", &e), -EINVAL);
}

/* Copies; paths are below the fixture's directory. */
static int copy(Fixture *f, const char *from_guest, const char *from, const char *to_guest, const char *to) {
        _cleanup_(freep) char *a = NULL, *b = NULL;
        CopyEnd x = { .guest = (char *) from_guest }, y = { .guest = (char *) to_guest };

        assert_int_equal(format(&a, "%s/%s", f->path, from), 0);
        assert_int_equal(format(&b, "%s/%s", f->path, to), 0);
        x.path = a;
        y.path = b;
        return copy_file(f->path, &x, &y, false);
}

static char *content(Fixture *f, const char *path, size_t *ret_size) {
        _cleanup_(closep) int fd = openat(f->root, path, O_RDONLY);
        char *text;

        assert_true(fd >= 0);
        assert_int_equal(read_full(fd, 64 * 1024 * 1024, &text, ret_size), 0);
        return text;
}

static void assert_same(Fixture *f, const char *a, const char *b) {
        size_t n, m;
        _cleanup_(freep) char *x = content(f, a, &n), *y = content(f, b, &m);

        assert_int_equal(n, m);
        assert_memory_equal(x, y, n);
}

static unsigned mode_of(Fixture *f, const char *path) {
        struct stat st;

        assert_int_equal(fstatat(f->root, path, &st, 0), 0);
        return st.st_mode & 0777;
}

static void make_large(Fixture *f, const char *path) {
        const size_t size = 10 * 1024 * 1024 + 1;
        _cleanup_(closep) int fd = openat(f->root, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        _cleanup_(freep) char *data = malloc(size);

        for (size_t i = 0; i < size; i++)
                data[i] = (char) (i * 2654435761U >> 11);
        assert_int_equal(write_full(fd, data, size), 0);
}

static void assert_nothing_left(Fixture *f, const char *directory) {
        _cleanup_(freep) char *command = NULL, *text = NULL;
        FILE *p;

        assert_int_equal(format(&command, "find %s/%s -name '*.vxm-*'", f->path, directory), 0);
        p = popen(command, "r");
        assert_non_null(p);
        assert_int_equal(read_full(fileno(p), 4096, &text, NULL), 0);
        pclose(p);
        assert_string_equal(text, "");
}

static void test_there_and_back(void **state) {
        Fixture *f = *state;
        GuestAgent a, b;

        guest_agent_start(f, "a", &a);
        guest_agent_start(f, "b", &b);
        make_large(f, "big");
        fixture_write(f, "small x", "");
        fixture_directory(f, "d");
        assert_int_equal(copy(f, NULL, "big", "a", "one"), 0);
        assert_same(f, "big", "one");
        assert_int_equal(mode_of(f, "one"), 0600);
        assert_int_equal(fchmodat(f->root, "one", 0751, 0), 0);
        assert_int_equal(copy(f, "a", "one", "b", "d"), 0); /* into a directory */
        assert_same(f, "big", "d/one");
        assert_int_equal(mode_of(f, "d/one"), 0751);
        assert_int_equal(copy(f, "a", "small x", "a", "d/one"), 0); /* one guest at both ends; the mode stays */
        assert_same(f, "small x", "d/one");
        assert_int_equal(mode_of(f, "d/one"), 0751);
        assert_int_equal(copy(f, "b", "one", NULL, "d"), 0);
        assert_same(f, "big", "d/one");
        assert_int_equal(copy(f, NULL, "small x", NULL, "d"), 0);
        assert_same(f, "small x", "d/small x");
        assert_nothing_left(f, "");
        guest_agent_stop(&a);
        guest_agent_stop(&b);
}

static void test_links_are_followed(void **state) {
        Fixture *f = *state;
        struct stat st;
        GuestAgent a;

        guest_agent_start(f, "a", &a);
        fixture_write(f, "new", "new");
        fixture_write(f, "real", "old");
        fixture_link(f, "link", "real");
        assert_int_equal(copy(f, NULL, "new", "a", "link"), 0);
        assert_int_equal(fstatat(f->root, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_same(f, "new", "real");
        fixture_write(f, "real", "old");
        assert_int_equal(copy(f, "a", "new", NULL, "link"), 0);
        assert_same(f, "new", "real");
        guest_agent_stop(&a);
}

static void test_refusals(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start(f, "a", &a);
        fixture_write(f, "x", "x");
        fixture_directory(f, "d");
        fixture_directory(f, "e/x");
        fixture_capture(f);
        assert_int_equal(copy(f, "a", "nothing", NULL, "y"), -EIO);
        fixture_assert_logged(f, "is not there");
        fixture_capture(f);
        assert_int_equal(copy(f, "a", "d", NULL, "y"), -EIO);
        fixture_assert_logged(f, "is a directory; pack it first");
        assert_int_equal(copy(f, NULL, "d", "a", "y"), -EISDIR);
        assert_int_equal(copy(f, NULL, "nothing", "a", "y"), -ENOENT);
        assert_int_equal(copy(f, NULL, "x", "a", "no/where"), -EIO);
        assert_int_equal(copy(f, NULL, "x", "a", "e"), -EIO); /* where a directory has the file's name */
        assert_int_equal(copy(f, NULL, "x", NULL, "e"), -EISDIR);
        assert_int_equal(copy(f, "a", "x", NULL, "no/where"), -ENOENT);
        assert_int_equal(copy(f, "a", "../../../dev/null", NULL, "y"), -EIO);
        assert_int_equal(copy(f, NULL, "x", "a", "../../../dev/null"), -EIO);
        assert_int_equal(copy(f, "nobody", "x", NULL, "y"), -E_CONFIG);
        assert_int_equal(copy(f, NULL, "x", "No body", "y"), -E_CONFIG);
        assert_int_equal(faccessat(f->root, "y", F_OK, 0), -1);
        assert_nothing_left(f, "");
        guest_agent_stop(&a);
}

/* Writes less than it was given, then ends in the middle: what was there before stays. */
static void test_hostile(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start_hostile(f, "a", "good", &a);
        fixture_write(f, "x", "more than one");
        assert_int_equal(copy(f, NULL, "x", "a", "y"), -ENOSPC); /* “one byte written” */
        guest_agent_stop(&a);
        guest_agent_start_hostile(f, "b", "read-huge", &a);
        fixture_write(f, "y", "old");
        assert_int_equal(copy(f, "b", "x", NULL, "y"), -EPROTO);
        {
                size_t n;
                _cleanup_(freep) char *text = content(f, "y", &n);

                assert_string_equal(text, "old");
        }
        assert_nothing_left(f, "");
        guest_agent_stop(&a);
}

/* A guest that goes away in the middle leaves no half of a file here. */
static void test_gone(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start_hostile(f, "a", "read-hang-up", &a);
        fixture_capture(f);
        assert_int_equal(copy(f, "a", "x", NULL, "y"), -ECONNRESET);
        {
                _cleanup_(freep) char *log = fixture_log(f);

                assert_string_equal(log, "vxm: QEMU of guest a has hung up; see vxm status a.\n");
        }
        assert_nothing_left(f, "");
        guest_agent_stop(&a);
}

static void test_odd_names(void **state) {
        const CopyEnd here = { .path = (char *) "-x" }, there = { .guest = (char *) "a", .path = (char *) "-y" };
        _cleanup_(closep) int before = open(".", O_PATH | O_CLOEXEC);
        Fixture *f = *state;
        GuestAgent a;

        assert_int_equal(chdir(f->path), 0);
        guest_agent_start(f, "a", &a);
        fixture_write(f, "-x", "x");
        fixture_link(f, "loop", "loop");
        assert_int_equal(fchmodat(f->root, "-x", 0640, 0), 0);
        assert_int_equal(copy_file(f->path, &here, &there, false), 0);
        assert_same(f, "-x", "-y");
        assert_int_equal(mode_of(f, "-y"), 0640);
        assert_int_equal(fchmodat(f->root, "-x", 0600, 0), 0);
        assert_int_equal(copy_file(f->path, &there, &here, false), 0); /* what is there keeps its mode */
        assert_int_equal(mode_of(f, "-x"), 0600);
        assert_int_equal(fchmodat(f->root, "-x", 0, 0), 0);
        assert_int_equal(copy_file(f->path, &there, &here, false), 0); /* also one that lets nobody in */
        assert_int_equal(mode_of(f, "-x"), 0);
        fixture_write(f, "x\\y", "x");
        fixture_directory(f, "d");
        assert_int_equal(copy(f, "a", "x\\y", NULL, "d"), 0); /* only Windows goes by backslashes */
        assert_same(f, "x\\y", "d/x\\y");
        fixture_capture(f);
        assert_int_equal(copy(f, NULL, "-y", "a", "loop"), -EIO);
        fixture_assert_logged(f, "is a link that leads nowhere");
        fixture_capture(f);
        assert_int_equal(copy(f, "a", "\xff", NULL, "z"), -EINVAL);
        fixture_assert_logged(f, "is not UTF-8");
        assert_nothing_left(f, "");
        guest_agent_stop(&a);
        assert_int_equal(fchdir(before), 0);
}

static int to_windows(Fixture *f, const char *from, const char *to) {
        _cleanup_(freep) char *path = NULL;
        const CopyEnd there = { .guest = (char *) "w", .path = (char *) to };
        CopyEnd here = {};

        assert_int_equal(format(&path, "%s/%s", f->path, from), 0);
        here.path = path;
        return copy_file(f->path, &here, &there, false);
}

/* What cmd.exe is given has the names as they are, whatever they would mean to it. */
static void test_windows_names(void **state) {
        const CopyEnd there = { .guest = (char *) "w", .path = (char *) "C:\\log" };
        static const char *const lines[] = {
                "cmd.exe /d /v:off /c C:\\Windows\\Temp\\vxm-",
                "@move /y \"C:\\in\\a&calc&.txt.vxm-",
                "\" \"C:\\in\\a&calc&.txt\"\r\n",
                "@if exist \"C:\\in\\%%X%% ^,;=\\*\" exit 3\r\n",
                "\" \"C:\\in\\%%X%% ^,;=\"\r\n",
                "@chcp 65001 >nul\r\n@move /y \"C:\\ü.vxm-",
        };
        Fixture *f = *state;
        GuestAgent a;
        size_t n;

        guest_agent_start_hostile(f, "w", "windows-files", &a);
        fixture_write(f, "a&calc&.txt", "x");
        fixture_write(f, "a\nb", "x");
        fixture_write(f, "..\\b", "x");
        assert_int_equal(to_windows(f, "a&calc&.txt", "C:/in/"), 0);
        assert_int_equal(to_windows(f, "a&calc&.txt", "C:/in/%X% ^,;="), 0);
        assert_int_equal(to_windows(f, "a&calc&.txt", "C:\\ü"), 0);
        assert_int_equal(to_windows(f, "a&calc&.txt", "C:\\d"), -EISDIR);
        fixture_capture(f);
        assert_int_equal(to_windows(f, "a&calc&.txt", "C:\\\" & calc"), -EINVAL);
        fixture_assert_logged(f, "is no name for a file on Windows; give the copy another one.");
        assert_int_equal(to_windows(f, "a\nb", "C:\\"), -EINVAL);
        assert_int_equal(to_windows(f, "..\\b", "C:\\"), -EINVAL);
        assert_int_equal(copy_file(f->path, &there, &(CopyEnd){ .path = a.directory }, false), 0);
        {
                _cleanup_(freep) char *log = content(f, "w/log", &n);

                for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                        if (!strstr(log, lines[i]))
                                fail_msg("%s, not %s", log, lines[i]);
                assert_null(strstr(log, "d /c move"));
        }
        guest_agent_stop(&a);
}

/* Waiting for somebody to read from a pipe with a name keeps others from no agent, and can be interrupted. */
static void test_pipe(void **state) {
        Fixture *f = *state;
        int ready[2], status;
        GuestAgent a;
        pid_t pid;
        char byte;

        guest_agent_start(f, "a", &a);
        fixture_write(f, "x", "x");
        assert_int_equal(mkfifoat(f->root, "pipe", 0600), 0);
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (interrupt_catch() < 0 || write(ready[1], "x", 1) != 1)
                        _exit(1);
                _exit(copy(f, "a", "x", NULL, "pipe"));
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void) poll(NULL, 0, 500);
        assert_int_equal(copy(f, "a", "x", NULL, "y"), 0);
        assert_int_equal(kill(pid, SIGINT), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
        guest_agent_stop(&a);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ends),
                fixture_test(test_there_and_back),
                fixture_test(test_links_are_followed),
                fixture_test(test_refusals),
                fixture_test(test_hostile),
                fixture_test(test_gone),
                fixture_test(test_odd_names),
                fixture_test(test_windows_names),
                fixture_test(test_pipe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
