/* SPDX-License-Identifier: BSD-3-Clause */
/* What the verbs say to QEMU and make of its answers, with a QEMU of the test's own: a child that answers from a table, and
 * notes what it has been told. */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "exit-status.h"
#include "fixture.h"
#include "life.h"
#include "log.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n"
#define STATUS(s) "{\"return\": {\"running\": false, \"status\": \"" s "\"}}"
#define JOB_EVENT(status) "{\"event\": \"JOB_STATUS_CHANGE\", \"data\": {\"id\": \"vxm-snapshot\", \"status\": \"" status "\"}}"

/* An answer: {"return": …} or {"error": …}, without its id; and what is said after it. */
typedef struct Answer {
        const char *command, *answer, *after;
        bool forever; /* that again and again */
        bool paints;
        bool dies; /* when it has answered */
} Answer;

typedef struct Qemu {
        Fixture *f;
        pid_t pid;
        char *heard; /* shared memory: the commands, each followed by a blank */
} Qemu;

enum { HEARD_MAX = 4096 };

static const Answer *find(const Answer *answers, const char *command) {
        for (; answers->command; answers++)
                if (streq(answers->command, command))
                        return answers;
        return NULL;
}

/* A picture of 1 × 1 points, for the memory that the verb has made for it. */
static void paint(void) {
        static const char picture[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1";
        _cleanup_(freep) char *directory = NULL;
        struct dirent *e;
        DIR *d;

        if (format(&directory, "/proc/%d/fd", (int) getppid()) < 0)
                return;
        d = opendir(directory);
        while (d && (e = readdir(d))) {
                char target[64] = {};
                int fd;

                if (readlinkat(dirfd(d), e->d_name, target, sizeof target - 1) < 0 || !startswith(target, "/memfd:vxm-screendump"))
                        continue;
                fd = openat(dirfd(d), e->d_name, O_WRONLY | O_CLOEXEC);
                (void) !write(fd, picture, sizeof picture - 1);
                close(fd);
                break;
        }
        if (d)
                closedir(d);
}

static void answer(int fd, const Answer *answers, char *heard, const json_t *command) {
        const char *name = json_get_string(command, "execute");
        const Answer *a = name ? find(answers, name) : NULL;
        json_t *reply = json_loads(a ? a->answer : "{\"return\": {}}", 0, NULL);

        strcat(strcat(heard, name), " ");
        if (a && a->paints)
                paint();
        json_object_set(reply, "id", json_object_get(command, "id"));
        dprintf(fd, "%s\n", json_dumps(reply, JSON_COMPACT));
        if (a && a->dies)
                _exit(0);
        do {
                if (a && a->after && dprintf(fd, "%s\n", a->after) < 0)
                        return;
        } while (a && a->forever);
}

static void serve(int listener, const Answer *answers, char *heard) {
        for (;;) {
                int fd = accept(listener, NULL, NULL);
                FILE *f = fdopen(fd, "r");
                char *line = NULL;
                size_t size = 0;

                dprintf(fd, "%s", GREETING);
                while (f && getline(&line, &size, f) >= 0) {
                        json_t *command = json_loads(line, 0, NULL);

                        if (command)
                                answer(fd, answers, heard, command);
                }
                fclose(f);
        }
}

static void start(Fixture *f, const Answer *answers, Qemu *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM, 0);

        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s/qmp", f->path);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(listener, 4), 0);
        ret->f = f;
        ret->heard = mmap(NULL, HEARD_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ret->pid = fork();
        if (ret->pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve(listener, answers, ret->heard);
                _exit(0);
        }
        close(listener);
}

static void stop(Qemu *q) {
        kill(q->pid, SIGKILL);
        waitpid(q->pid, NULL, 0);
        munmap(q->heard, HEARD_MAX);
}

/* Runs a verb against answers; returns what it returned, and checks what QEMU was told after the greeting. */
static int against(Fixture *f, const Answer *answers, int (*verb)(LifeSession *s), const char *wanted) {
        _cleanup_(life_closep) LifeSession *s = NULL;
        Qemu q;
        int r;

        start(f, answers, &q);
        assert_int_equal(life_open(f->path, "g", &s), 0);
        r = verb(s);
        assert_string_equal(q.heard, wanted);
        stop(&q);
        fixture_remove(f, "qmp");
        return r;
}

static int save_one(LifeSession *s) {
        return life_snapshot_save(s, "one");
}

static int load_one(LifeSession *s) {
        return life_snapshot_load(s, "one");
}

static int delete_one(LifeSession *s) {
        return life_snapshot_delete(s, "one");
}

static int list(LifeSession *s) {
        return life_snapshots(s, true);
}

static int status(LifeSession *s) {
        return life_status(s, "g", true);
}

static int screendump(LifeSession *s) {
        return life_screendump(s, "/nonexistent/picture.png");
}

static void test_pause_and_resume(void **state) {
        static const Answer running[] = { { "query-status", STATUS("running"), NULL }, {} };
        static const Answer paused[] = { { "query-status", STATUS("paused"), NULL }, {} };
        static const Answer asleep[] = { { "query-status", STATUS("suspended"), NULL }, {} };
        static const Answer panicked[] = { { "query-status", STATUS("guest-panicked"), NULL }, {} };
        static const Answer full[] = { { "query-status", STATUS("io-error"), NULL },
                { "cont", "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\\u001b[2J way\"}}", NULL }, {} };
        Fixture *f = *state;

        assert_int_equal(against(f, running, life_pause, "qmp_capabilities query-status stop "), 0);
        assert_int_equal(against(f, paused, life_pause, "qmp_capabilities query-status "), 0);
        assert_int_equal(against(f, running, life_resume, "qmp_capabilities query-status "), 0);
        assert_int_equal(against(f, paused, life_resume, "qmp_capabilities query-status cont "), 0);
        assert_int_equal(against(f, asleep, life_resume, "qmp_capabilities query-status system_wakeup "), 0);
        assert_int_equal(against(f, panicked, life_resume, "qmp_capabilities query-status "), -ECANCELED);
        fixture_capture(f);
        assert_int_equal(against(f, full, life_resume, "qmp_capabilities query-status cont "), -ECANCELED);
        fixture_assert_logged(f, "QEMU says: no?[2J way.");
}

static void test_reset(void **state) {
        static const Answer running[] = { { "query-status", STATUS("running"), NULL },
                { "system_reset", "{\"return\": {}}", "{\"event\": \"RESET\", \"data\": {\"guest\": false}}" }, {} };
        static const Answer panicked[] = { { "query-status", STATUS("guest-panicked"), NULL },
                { "system_reset", "{\"return\": {}}", "{\"event\": \"RESET\", \"data\": {\"guest\": false}}" }, {} };

        assert_int_equal(against(*state, running, life_reset, "qmp_capabilities query-status system_reset "), 0);
        assert_int_equal(against(*state, panicked, life_reset, "qmp_capabilities query-status system_reset cont "), 0);
}

static void test_reset_ends_it(void **state) {
        static const Answer dies[] = { { "query-status", STATUS("running"), NULL }, { "system_reset", "{\"return\": {}}", NULL, .dies = true }, {} };
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(against(f, dies, life_reset, "qmp_capabilities query-status system_reset "), -ECONNRESET);
        fixture_assert_logged(f, "Guest g is gone; see systemctl status vxm-guest@g.");
}

/* Without an agent by Ctrl-Alt-Del, and a guest that does not run is reset at once. */
static void test_reboot(void **state) {
        static const Answer running[] = { { "query-status", STATUS("running"), NULL },
                { "send-key", "{\"return\": {}}", "{\"event\": \"RESET\", \"data\": {\"guest\": true}}" }, {} };
        static const Answer paused[] = { { "query-status", STATUS("paused"), NULL },
                { "system_reset", "{\"return\": {}}", "{\"event\": \"RESET\", \"data\": {\"guest\": false}}" }, {} };

        assert_int_equal(against(*state, running, life_reboot, "qmp_capabilities query-status send-key "), 0);
        assert_int_equal(against(*state, paused, life_reboot, "qmp_capabilities query-status query-status system_reset "), 0);
}

#define BLOCKS(snapshots) \
        "{\"return\": [{\"node-name\": \"disk-a\", \"drv\": \"qcow2\", \"ro\": false, \"image\": {\"snapshots\": [" snapshots "]}}]}"
#define ONE "{\"name\": \"one\", \"vm-state-size\": 1, \"date-sec\": 1}"
#define LOOK "qmp_capabilities query-named-block-nodes qom-list qom-list query-migrate "

static void test_snapshots(void **state) {
        static const Answer none[] = { { "query-named-block-nodes", BLOCKS(""), NULL }, { "qom-list", "{\"return\": []}", NULL },
                { "query-jobs", "{\"return\": []}", NULL },
                { "snapshot-save", "{\"return\": {}}", JOB_EVENT("running") "\n" JOB_EVENT("concluded") }, {} };
        static const Answer one[] = { { "query-named-block-nodes", BLOCKS(ONE), NULL }, { "qom-list", "{\"return\": []}", NULL },
                { "query-jobs", "{\"return\": []}", NULL }, { "query-status", STATUS("running"), NULL },
                { "snapshot-load", "{\"return\": {}}", JOB_EVENT("concluded") },
                { "snapshot-delete", "{\"return\": {}}", JOB_EVENT("concluded") }, {} };
        Fixture *f = *state;

        assert_int_equal(against(f, none, save_one, LOOK "query-jobs snapshot-save query-jobs "), 0);
        assert_int_equal(against(f, one, save_one, LOOK), -EEXIST);
        assert_int_equal(against(f, one, load_one, LOOK "query-jobs snapshot-load query-jobs query-status "), 0);
        assert_int_equal(against(f, none, load_one, LOOK), -ENOENT);
        assert_int_equal(against(f, one, delete_one, LOOK "query-jobs snapshot-delete query-jobs "), 0);
        assert_int_equal(against(f, none, delete_one, LOOK), -ENOENT);
        assert_int_equal(against(f, one, list, LOOK), 0);
}

static void test_snapshot_refused(void **state) {
        static const Answer vfio[] = { { "query-named-block-nodes", BLOCKS(""), NULL },
                { "qom-list", "{\"return\": [{\"name\": \"x\", \"type\": \"child<vfio-pci>\"}]}", NULL }, {} };
        static const Answer busy[] = { { "query-named-block-nodes", BLOCKS(""), NULL }, { "qom-list", "{\"return\": []}", NULL },
                { "query-jobs", "{\"return\": [{\"id\": \"vxm-snapshot\", \"status\": \"running\"}]}", NULL }, {} };
        static const Answer fails[] = { { "query-named-block-nodes", BLOCKS(""), NULL }, { "qom-list", "{\"return\": []}", NULL },
                { "query-jobs", "{\"return\": [{\"id\": \"vxm-snapshot\", \"status\": \"concluded\", \"error\": \"disk full\"}]}", NULL },
                { "snapshot-save", "{\"return\": {}}", JOB_EVENT("concluded") }, {} };
        Fixture *f = *state;

        assert_int_equal(against(f, vfio, save_one, LOOK), -E_LACKS);
        assert_int_equal(against(f, busy, save_one, LOOK "query-jobs "), -E_BUSY);
        /* What a caller has left behind is cleared away; the error of one's own is told. */
        fixture_capture(f);
        assert_int_equal(against(f, fails, save_one, LOOK "query-jobs job-dismiss snapshot-save query-jobs job-dismiss "), -ECANCELED);
        fixture_assert_logged(f, "Cannot save the snapshot: QEMU says: disk full.");
}

static void test_status(void **state) {
        static const Answer full[] = { { "query-status", STATUS("io-error"), NULL }, { "query-cpus-fast", "{\"return\": [{}, {}]}", NULL },
                { "query-memory-size-summary", "{\"return\": {\"base-memory\": 536870912}}", NULL },
                { "query-version", "{\"return\": {\"qemu\": {\"major\": 10, \"minor\": 0, \"micro\": 2}}}", NULL },
                { "query-block", "{\"return\": [{\"io-status\": \"nospace\", \"inserted\": {\"node-name\": \"disk-a\"}}]}", NULL }, {} };
        static const Answer nonsense[] = { { "query-status", "{\"return\": 5}", NULL }, { "query-cpus-fast", "{\"return\": {}}", NULL },
                { "query-memory-size-summary", "{\"return\": \"x\"}", NULL }, { "query-block", "{\"return\": [[], 1]}", NULL }, {} };
        const char *asked = "qmp_capabilities query-status query-cpus-fast query-memory-size-summary query-version query-block ";

        assert_int_equal(against(*state, full, status, asked), 0);
        assert_int_equal(against(*state, nonsense, status, asked), 0);
}

/* C1 characters, which begin what terminals obey, do not come out of JSON either. */
static void test_json_is_ascii(void **state) {
        static const Answer answers[] = { { "query-status", STATUS("io-error"), NULL }, { "query-cpus-fast", "{\"return\": [{}]}", NULL },
                { "query-block", "{\"return\": [{\"io-status\": \"failed\", \"inserted\": {\"node-name\": \"disk-\\u009b2J\"}}]}", NULL },
                { "query-named-block-nodes", BLOCKS("{\"name\": \"\\u009b2J\", \"vm-state-size\": 1, \"date-sec\": 1}"), NULL },
                { "qom-list", "{\"return\": []}", NULL }, {} };
        int fd = memfd_create("vxm-test", MFD_CLOEXEC), saved = dup(STDOUT_FILENO);
        _cleanup_(freep) char *text = NULL;

        fflush(stdout);
        assert_true(dup2(fd, STDOUT_FILENO) >= 0);
        assert_int_equal(against(*state, answers, status,
                "qmp_capabilities query-status query-cpus-fast query-memory-size-summary query-version query-block "), 0);
        assert_int_equal(against(*state, answers, list, LOOK), 0);
        fflush(stdout);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(read_full(fd, 65536, &text, NULL), 0);
        assert_non_null(strstr(text, "\"\\u009B2J\": \"failed\""));
        assert_non_null(strstr(text, "\"tag\": \"\\u009B2J\""));
        for (const char *c = text; *c; c++)
                assert_true((unsigned char) *c < 0x80);
        close(fd);
        close(saved);
}

/* No display; and a QEMU that writes no picture. */
static void test_screendump_refused(void **state) {
        static const Answer none[] = { { "qom-list", "{\"return\": [{\"name\": \"serial\"}]}", NULL }, {} };
        static const Answer empty[] = { { "qom-list", "{\"return\": [{\"name\": \"display\"}]}", NULL }, {} };
        Fixture *f = *state;

        assert_int_equal(against(f, none, screendump, "qmp_capabilities qom-list "), -E_LACKS);
        fixture_capture(f);
        assert_int_equal(against(f, empty, screendump, "qmp_capabilities qom-list add-fd screendump remove-fd "), -EPROTO);
        fixture_assert_logged(f, "is no picture");
}

static int screendump_here(LifeSession *s) {
        return life_screendump(s, "link");
}

/* It goes where a link leads, with the mode of any other file. */
static void test_screendump(void **state) {
        static const Answer good[] = { { "qom-list", "{\"return\": [{\"name\": \"display\"}]}", NULL },
                { "screendump", "{\"return\": {}}", NULL, .paints = true }, {} };
        _cleanup_(closep) int before = open(".", O_PATH | O_CLOEXEC);
        const mode_t mask = umask(022);
        Fixture *f = *state;
        struct stat st;

        fixture_write(f, "picture", "old");
        fixture_link(f, "link", "picture");
        assert_int_equal(fchmodat(f->root, "picture", 0640, 0), 0);
        assert_int_equal(chdir(f->path), 0);
        assert_int_equal(against(f, good, screendump_here, "qmp_capabilities qom-list add-fd screendump remove-fd "), 0);
        assert_int_equal(fstatat(f->root, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_int_equal(fstatat(f->root, "picture", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0640);
        assert_int_equal(st.st_size, 24);
        fixture_remove(f, "link");
        assert_int_equal(against(f, good, screendump_here, "qmp_capabilities qom-list add-fd screendump remove-fd "), 0);
        assert_int_equal(fstatat(f->root, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0644);
        (void) umask(mask);
        assert_int_equal(fchdir(before), 0);
}

/* Never; and only once there is something to be read again. */
static bool never(void *fd) {
        struct pollfd p = { .fd = *(int *) fd, .events = POLLIN };

        return poll(&p, 1, -1) < 0;
}

/* Who has always something else to say does not keep us for ever. */
static void test_talkative(void **state) {
        static const Answer talks[] = { { "query-status", STATUS("running"), "{\"event\": \"RTC_CHANGE\"}", true }, {} };
        _cleanup_(life_closep) LifeSession *s = NULL;
        Fixture *f = *state;
        int fd;
        Qemu q;

        start(f, talks, &q);
        fd = dup(STDIN_FILENO); /* the number that the session's socket gets */
        close(fd);
        assert_int_equal(life_open(f->path, "g", &s), 0);
        assert_int_equal(life_call(s, "Test", "query-status", NULL, NULL), 0);
        (void) alarm(20); /* which ends the test */
        assert_int_equal(life_wait(s, 50000, never, &fd), 0);
        (void) alarm(0);
        stop(&q);
}

static void test_nobody_there(void **state) {
        LifeSession *s = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(life_open(f->path, "g", &s), -ENOTCONN);
        fixture_assert_logged(f, "Guest g does not run; start it with vxm start g.");
        assert_null(s);
}

/* The directory of somebody else: what listens there is not the guest. */
static void test_not_the_guest(void **state) {
        static const Answer answers[] = { {} };
        LifeSession *s = NULL;
        Fixture *f = *state;
        Qemu q;

        if (geteuid() != 0)
                skip();
        start(f, answers, &q);
        assert_int_equal(chown(f->path, 12345, 12345), 0);
        assert_int_equal(life_open(f->path, "g", &s), -EPERM);
        assert_int_equal(chown(f->path, 0, 0), 0);
        assert_null(s);
        stop(&q);
}

static void test_clean(void **state) {
        static const struct {
                const char *text, *wanted;
        } texts[] = { { "plain", "plain" }, { "end. ", "end" }, { "a\tb\nc\033[0m", "a?b?c?[0m" },
                { "\xff", "?" }, { "a\xc2\x9b" "0m", "a??0m" }, { "", "" } };
        _cleanup_(freep) char *longest = malloc(1000), *cut = NULL;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(freep) char *clean = life_clean(texts[i].text);

                assert_string_equal(clean, texts[i].wanted);
        }
        for (size_t i = 0; i < 998; i += 2)
                memcpy(longest + i, "ä", 2);
        longest[998] = '\0';
        cut = life_clean(longest);
        assert_true(strlen(cut) <= 300 && utf8_is_valid(cut));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_pause_and_resume), fixture_test(test_reset), fixture_test(test_reset_ends_it), fixture_test(test_reboot), fixture_test(test_snapshots),
                fixture_test(test_snapshot_refused), fixture_test(test_status), fixture_test(test_json_is_ascii), fixture_test(test_screendump_refused),
                fixture_test(test_screendump),
                fixture_test(test_talkative), fixture_test(test_nobody_there), fixture_test(test_not_the_guest), cmocka_unit_test(test_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
