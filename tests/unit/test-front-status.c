/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm status as it is installed, as a program of its own, on a bus with a systemd of the test's own: what it prints,
 * how often it asks, and how long that takes with many guests. */

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fixture.h"
#include "json.h"
#include "private-bus.h"
#include "root.h"

enum {
        GUESTS = 50,
        UNITS_EACH = 12,
#ifdef __SANITIZE_ADDRESS__
        LIMIT = 2000000, /* µs; sanitizers and their look for leaks take what they take */
#else
        LIMIT = 100000, /* µs */
#endif
        TURNS = 15,     /* on a machine that has other work */
};

static pid_t start(char *const argv[], int output) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) dup2(output, STDOUT_FILENO);
                execv(getenv("VXM_PROGRAM"), argv);
                _exit(126);
        }
        return pid;
}

/* Runs vxm; returns what it prints, to be freed. */
static char *output_of(char *const argv[]) {
        _cleanup_(closep) int fd = memfd_create("output", MFD_CLOEXEC);
        char *text = NULL;
        int status;

        assert_true(waitpid(start(argv, fd), &status, 0) > 0);
        assert_int_equal(status, 0);
        assert_true(lseek(fd, 0, SEEK_SET) == 0);
        assert_int_equal(read_full(fd, 1 << 24, &text, NULL), 0);
        return text;
}

#define VXM(...) output_of((char *const[]){ (char *) "vxm", __VA_ARGS__, NULL })

static PrivateBus *begin(Fixture *f, const FakePlay *plays, void (*prepare)(FakeSystemd *systemd)) {
        static PrivateBus b;
        int r = private_bus_start(&b, f->path, plays, prepare);

        if (r > 0 || !getenv("VXM_PROGRAM"))
                skip();
        assert_int_equal(r, 0);
        return &b;
}

static void end(Fixture *f, PrivateBus *b) {
        private_bus_stop(b);
        fixture_remove(f, "bus.conf");
}

static void a_few(FakeSystemd *systemd) {
        fake_unit(systemd, "vxm-guest@win11.service", "active", "running");
        fake_unit(systemd, "vxm-bind@win11.service", "active", "exited");
        fake_unit(systemd, "vxm-share@win11:music.socket", "active", "listening");
        fake_unit(systemd, "vxm-guest@kali.service", "inactive", "dead");
        fake_unit(systemd, "vxm-bind@kali.service", "failed", "failed");
        fake_unit(systemd, "vxm-plug@001-002.service", "active", "exited");
        fake_unit(systemd, "ssh.service", "active", "running");
        (void) snprintf(systemd->status, sizeof systemd->status, "Running: all is well");
}

static void many(FakeSystemd *systemd) {
        static const char *const kinds[UNITS_EACH] = { "user", "hugepages", "bind", "sleep", "net", "cpus", "disks", "usb", "input", "tpm",
                "link", "guest" };

        for (int i = 0; i < GUESTS; i++)
                for (size_t k = 0; k < UNITS_EACH; k++) {
                        char name[FAKE_NAME_SIZE];

                        (void) snprintf(name, sizeof name, "vxm-%s@guest-%d.service", kinds[k], i);
                        fake_unit(systemd, name, "active", "running");
                }
}

static const json_t *find_guest(const json_t *top, const char *name) {
        const json_t *guest;
        size_t i;

        json_array_foreach(json_object_get(top, "guests"), i, guest)
                if (streq_ptr(json_get_string(guest, "guest"), name))
                        return guest;
        fail_msg("no guest %s", name);
        return NULL;
}

static void test_text(void **state) {
        PrivateBus *b = begin(*state, NULL, a_few);
        _cleanup_(freep) char *text = VXM((char *) "status");
        char *rest = text, *line;

        assert_non_null(strstr(text, "GUEST"));
        while ((line = strsep(&rest, "\n"))) {
                assert_true(strlen(line) <= 80);
                if (startswith(line, "win11"))
                        assert_non_null(strstr(line, "running"));
                if (startswith(line, "kali"))
                        assert_non_null(strstr(line, "vxm-bind@kali has failed"));
                assert_null(strstr(line, "ssh"));
        }
        assert_string_equal(b->systemd->calls, "ListUnitsByPatterns Get ");
        end(*state, b);
}

static void one_stands_still(FakeSystemd *systemd) {
        a_few(systemd);
        (void) snprintf(systemd->status, sizeof systemd->status, "Guest is paused; vxm resume win11 lets it go on");
}

/* systemd calls it active, and it does nothing. */
static void test_paused(void **state) {
        PrivateBus *b = begin(*state, NULL, one_stands_still);
        _cleanup_(freep) char *text = VXM((char *) "status"), *json = VXM((char *) "status", (char *) "--json");
        _cleanup_(json_decrefp) json_t *top = json_loads(json, 0, NULL);

        assert_non_null(strstr(text, "win11 running Guest is paused; vxm resume win11 lets it go on\n"));
        assert_string_equal(json_get_string(find_guest(top, "win11"), "status"), "Guest is paused; vxm resume win11 lets it go on");
        assert_null(json_get_string(find_guest(top, "kali"), "status"));
        end(*state, b);
}

static void test_json(void **state) {
        PrivateBus *b = begin(*state, NULL, a_few);
        _cleanup_(freep) char *text = VXM((char *) "status", (char *) "--json");
        _cleanup_(json_decrefp) json_t *top = json_loads(text, 0, NULL);
        const json_t *win11 = find_guest(top, "win11"), *kali = find_guest(top, "kali");

        assert_string_equal(json_get_string(win11, "state"), "running");
        assert_int_equal(json_array_size(json_object_get(win11, "units")), 3);
        /* In the order of starting. */
        assert_string_equal(json_get_string(json_array_get(json_object_get(win11, "units"), 0), "unit"), "vxm-bind@win11.service");
        assert_string_equal(json_get_string(kali, "state"), "failed");
        assert_string_equal(json_string_value(json_array_get(json_object_get(kali, "failed"), 0)), "vxm-bind@kali.service");
        end(*state, b);
}

/* Without files of guests, as of another machine: one of this name need not be there. */
static void test_many(void **state) {
        PrivateBus *b = begin(*state, NULL, many);
        uint64_t best = UINT64_MAX;

        for (int i = 0; i < TURNS && best > LIMIT; i++) {
                uint64_t before = now_usec(), took;
                _cleanup_(freep) char *text = NULL;

                b->systemd->calls[0] = '\0';
                text = VXM((char *) "status", (char *) "--json");
                took = now_usec() - before;
                best = took < best ? took : best;
                assert_non_null(strstr(text, "\"guest-49\""));
                assert_true(startswith(b->systemd->calls, "ListUnitsByPatterns Get Get "));
        }
        print_message("%d guests of %d units: %.1f ms\n", GUESTS, UNITS_EACH, (double) best / 1000);
        assert_true(best <= LIMIT);
        end(*state, b);
}

/* The first answer comes at once, and the next one by itself: a play after the first answer changes a unit. */
static void test_watch(void **state) {
        static const FakePlay plays[] = {
                { "ListUnitsByPatterns", "vxm-guest@kali.service activating start\n" },
                {},
        };
        PrivateBus *b = begin(*state, plays, a_few);
        int fds[2], status;
        char *line = NULL;
        size_t size = 0;
        pid_t pid;
        FILE *f;

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid = start((char *const[]){ (char *) "vxm", (char *) "status", (char *) "--watch", (char *) "--json", NULL }, fds[1]);
        close(fds[1]);
        f = fdopen(fds[0], "r");
        for (int i = 0; i < 2; i++) {
                _cleanup_(json_decrefp) json_t *top = NULL;

                assert_true(getline(&line, &size, f) > 0);
                top = json_loads(line, 0, NULL);
                assert_string_equal(json_get_string(find_guest(top, "kali"), "state"), i == 0 ? "failed" : "starting");
        }
        kill(pid, SIGKILL);
        assert_true(waitpid(pid, &status, 0) > 0);
        fclose(f);
        free(line);
        end(*state, b);
}

/* ---- another machine ---- */

/* In the place of ssh: says what it was called with, then does what the other side would. */
static void put_ssh(Fixture *f) {
        _cleanup_(freep) char *path = NULL;

        fixture_write(f, "ssh", "#!/bin/sh\nprintf '%s|' \"$@\" >>\"${0%/*}/called\"\nwhile [ \"$1\" != -- ]; do shift; done\n"
                                "shift 2\nPATH=${PATH#*:}\n"
                                /* That one goes to the system's bus whatever the environment says. */
                                "[ \"$1\" != systemd-stdio-bridge ] || set -- \"$1\" \"--bus-path=$DBUS_SYSTEM_BUS_ADDRESS\"\n"
                                "exec sh -c \"$*\"\n");
        assert_int_equal(fchmodat(f->root, "ssh", 0755, 0), 0);
        assert_int_equal(format(&path, "%s:%s", f->path, getenv("PATH")), 0);
        assert_int_equal(setenv("PATH", path, 1), 0);
}

/* What the stand-in was called with; its argument behind “--” and after. */
static void assert_called(Fixture *f, const char *wanted) {
        _cleanup_(freep) char *called = NULL;
        const char *separator;

        assert_int_equal(root_read(f->root, "called", &called), 0);
        separator = strstr(called, "--|");
        assert_non_null(separator);
        assert_string_equal(separator + 3, wanted);
        fixture_remove(f, "called");
}

/* By systemd's own transport: what is at the other end of ssh is systemd's, too. */
static void test_remote_bus(void **state) {
        _cleanup_(freep) char *text = NULL, *before = strdup(getenv("PATH"));
        Fixture *f = *state;
        PrivateBus *b;

        if (system("command -v systemd-stdio-bridge >/dev/null") != 0)
                skip();
        b = begin(f, NULL, a_few);
        put_ssh(f);
        text = VXM((char *) "-H", (char *) "me@there", (char *) "status");
        assert_non_null(strstr(text, "vxm-bind@kali has failed"));
        assert_called(f, "me@there|systemd-stdio-bridge|");
        assert_int_equal(setenv("PATH", before, 1), 0);
        end(f, b);
}

/* What cannot be done from here is done there, with the same words. */
static void test_remote_words(void **state) {
        _cleanup_(freep) char *text = NULL, *before = strdup(getenv("PATH"));
        Fixture *f = *state;

        if (!getenv("VXM_PROGRAM"))
                skip();
        put_ssh(f);
        fixture_write(f, "bin/vxm", "#!/bin/sh\nprintf '<%s>' \"$@\"\n");
        assert_int_equal(fchmodat(f->root, "bin/vxm", 0755, 0), 0);
        free(TAKE_PTR(text));
        assert_int_equal(format(&text, "%s:%s/bin:%s", f->path, f->path, before), 0);
        assert_int_equal(setenv("PATH", text, 1), 0);
        free(TAKE_PTR(text));
        text = VXM((char *) "--host=there", (char *) "monitor", (char *) "win11", (char *) "it's $HOME", (char *) "-n");
        assert_string_equal(text, "<monitor><win11><it's $HOME><-n>");
        assert_int_equal(setenv("PATH", before, 1), 0);
}

/* Whoever is started without standard input gets none, and no socket of vxm's in its place. */
static void test_closed_streams(void **state) {
        char *const argv[] = { (char *) "@spirit", (char *) "readlink /proc/$$/fd/0", NULL };
        _cleanup_(closep) int fd = memfd_create("output", MFD_CLOEXEC);
        _cleanup_(freep) char *text = NULL;
        int status;
        pid_t pid;

        (void) state;
        if (!getenv("VXM_PROGRAM"))
                skip();
        (void) setenv("SHELL", "/bin/sh", 1);
        pid = fork();
        if (pid == 0) {
                close(STDIN_FILENO);
                (void) dup2(fd, STDOUT_FILENO);
                execv(getenv("VXM_PROGRAM"), argv);
                _exit(126);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(read_full(fd, 4096, &text, NULL), 0);
        assert_string_equal(text, "/dev/null\n");
        assert_int_equal(status, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_text),
                fixture_test(test_paused),
                fixture_test(test_json),
                fixture_test(test_many),
                fixture_test(test_watch),
                fixture_test(test_remote_bus),
                fixture_test(test_remote_words),
                cmocka_unit_test(test_closed_streams),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
