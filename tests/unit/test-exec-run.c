/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands in a guest: against the real qemu-ga, whose guest is this machine, and against agents that lie. */

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

#include "agent-client.h"
#include "exec-run.h"
#include "exec-script.h"
#include "exit-status.h"
#include "guest-agent.h"
#include "interrupt.h"

typedef struct Outcome {
        int status;
        char *out, *err;
        size_t n_out, n_err;
} Outcome;

static void outcome_done(Outcome *o) {
        free(o->out);
        free(o->err);
}

static int memory_file(const void *data, size_t size) {
        int fd = memfd_create("vxm-test", MFD_CLOEXEC);

        assert_true(fd >= 0);
        if (size > 0)
                assert_int_equal(write_full(fd, data, size), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static void read_back(int fd, char **ret, size_t *ret_size) {
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(read_full(fd, 64 * 1024 * 1024, ret, ret_size), 0);
        close(fd);
}

/* Runs a job to its end; in is closed. */
static Outcome run(const GuestAgent *a, ExecJob job, int in) {
        Outcome o = {};

        job.sockets = a->directory;
        job.tmp = job.tmp ? job.tmp : a->f ? a->f->path : NULL;
        job.guest = "g";
        job.in = in;
        job.out = memory_file(NULL, 0);
        job.err = memory_file(NULL, 0);
        o.status = exec_run(&job);
        read_back(job.out, &o.out, &o.n_out);
        read_back(job.err, &o.err, &o.n_err);
        if (in >= 0)
                close(in);
        return o;
}

static Outcome run_line(const GuestAgent *a, const char *line, int in) {
        return run(a, (ExecJob){ .words = (const char *const[]){ line, NULL } }, in);
}

static void check_line(const GuestAgent *a, const char *line, int in, int status, const char *out, const char *err) {
        _cleanup_(outcome_done) Outcome o = run_line(a, line, in);

        if (o.status != status || !streq(o.out, out) || !streq(o.err, err))
                fail_msg("%s: %d “%s” “%s”", line, o.status, o.out, o.err);
}

/* What the scripts have made in the guest. */
static size_t count_left(const Fixture *f) {
        DIR *d = opendir(f->path);
        size_t n = 0;

        assert_non_null(d);
        for (struct dirent *e; (e = readdir(d));) {
                const char *rest = startswith(e->d_name, "vxm-");

                n += rest && strspn(rest, "0123456789abcdef") == 32;
        }
        closedir(d);
        return n;
}

static void test_streams_and_status(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start(f, "g", &a);
        check_line(&a, "true", -1, 0, "", "");
        check_line(&a, "echo out; echo err >&2; exit 3", -1, 3, "out\n", "err\n");
        check_line(&a, "kill -KILL $$", -1, 137, "", "Killed\n");
        check_line(&a, "no-such-program", -1, 127, "", "/bin/sh: 1: no-such-program: not found\n");
        check_line(&a, "cat", -1, 0, "", "");
        check_line(&a, "cat; echo x >&2", memory_file("in\0put", 6), 0, "in", "x\n"); /* up to the NUL, for the comparison */
        check_line(&a, "exit 138", memory_file("x", 1), 138, "", "");
        assert_int_equal(count_left(f), 0);
        guest_agent_stop(&a);
}

static void test_exact_words(void **state) {
        static const char *const words[] = { "printf", "%s|", "a b", "$HOME", "'\"\\", "ü", "", NULL };
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start(f, "g", &a);
        {
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = words, .exact = true }, -1);

                assert_int_equal(o.status, 0);
                assert_string_equal(o.out, "a b|$HOME|'\"\\|ü||");
        }
        {
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = words }, -1);

                assert_int_equal(o.status, 2); /* that is no line of a shell */
        }
        {
                /* What a shell has of its own, such as its end, is no program. */
                static const char *const builtin[] = { "exit", "0", NULL }, *const function[] = { "small", "/dev/null", NULL };
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = builtin, .exact = true }, -1);
                _cleanup_(outcome_done) Outcome p = run(&a, (ExecJob){ .words = function, .exact = true }, -1);

                assert_int_equal(o.status, 127);
                assert_int_equal(p.status, 127);
                assert_non_null(strstr(p.err, "not found"));
        }
        {
                static const char *const latin1[] = { "echo", "\xfc", NULL };
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = latin1 }, -1);

                assert_int_equal(o.status, -EINVAL);
        }
        guest_agent_stop(&a);
}

/* What runs on in the background keeps nobody waiting. */
static void test_background(void **state) {
        Fixture *f = *state;
        GuestAgent a;
        _cleanup_(outcome_done) Outcome o = {};

        guest_agent_start(f, "g", &a);
        o = run_line(&a, "sleep 1000 & echo $!", -1);
        assert_int_equal(o.status, 0);
        assert_int_equal(kill(atoi(o.out), SIGKILL), 0);
        guest_agent_stop(&a);
}

/* 10 MiB of all bytes, both ways, through a file and through a pipe. */
static void test_large(void **state) {
        const size_t size = 10 * 1024 * 1024;
        char *data = malloc(size);
        Fixture *f = *state;
        GuestAgent a;

        for (size_t i = 0; i < size; i++)
                data[i] = (char) (i * 2654435761U >> 13);
        guest_agent_start(f, "g", &a);
        {
                _cleanup_(outcome_done) Outcome o = run_line(&a, "cat; exit 4", memory_file(data, size));

                assert_int_equal(o.status, 4);
                assert_int_equal(o.n_out, size);
                assert_memory_equal(o.out, data, size);
                assert_string_equal(o.err, "");
        }
        {
                _cleanup_(outcome_done) Outcome o = run_line(&a, "tee /dev/stderr | cksum >&2", memory_file(data, 300000));

                assert_int_equal(o.status, 0);
                assert_true(o.n_err > 300000);
                assert_memory_equal(o.err, data, 300000);
        }
        assert_int_equal(count_left(f), 0);
        free(data);
        guest_agent_stop(&a);
}

/* A command that does not read its input ends all the same, and one that reads gets it while it comes. */
static void test_slow_input(void **state) {
        Fixture *f = *state;
        int in[2], out[2];
        char buffer[16] = {};
        GuestAgent a;
        pid_t pid;
        int status;

        guest_agent_start(f, "g", &a);
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        check_line(&a, "exit 5", dup(in[0]), 5, "", "");
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                const char *const words[] = { "while read -r x; do echo \"<$x>\"; done; echo end", NULL };
                ExecJob job = { .sockets = a.directory, .tmp = f->path, .guest = "g", .words = words, .in = in[0], .out = out[1],
                        .err = STDERR_FILENO };

                close(in[1]);
                close(out[0]);
                _exit(exec_run(&job) == 0 ? 0 : 1);
        }
        close(in[0]);
        close(out[1]);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(write(in[1], "ab\n", 3), 3);
                assert_int_equal(read(out[0], buffer, sizeof buffer), 5); /* before more is written */
                assert_memory_equal(buffer, "<ab>\n", 5);
        }
        close(in[1]);
        assert_int_equal(read(out[0], buffer, sizeof buffer), 4);
        assert_memory_equal(buffer, "end\n", 4);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(out[0]);
        assert_int_equal(count_left(f), 0);
        guest_agent_stop(&a);
}

/* Nobody reads any more: the command ends, as in a pipe of this machine. */
static void test_reader_goes_away(void **state) {
        Fixture *f = *state;
        int out[2];
        GuestAgent a;

        guest_agent_start(f, "g", &a);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        close(out[0]);
        assert_int_equal(exec_run(&(ExecJob){ .sockets = a.directory, .tmp = f->path, .guest = "g", .words = (const char *const[]){ "yes", NULL }, .in = -1,
                                 .out = out[1], .err = STDERR_FILENO }),
                128 + SIGPIPE);
        close(out[1]);
        assert_int_equal(count_left(f), 0);
        guest_agent_stop(&a);
}

static char state_of(pid_t pid) {
        char path[32], text[256] = {};
        const char *end;
        int fd;

        (void) snprintf(path, sizeof path, "/proc/%d/stat", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
        close(fd);
        end = strrchr(text, ')');
        return end && end[1] ? end[2] : '?';
}

/* Somebody reads, but not now: what the command writes must not fill the guest's disk. And it goes on when that has been read. */
static void check_slow_reader(const GuestAgent *a, const char *before) {
        _cleanup_(freep) char *line = NULL, *fifo = NULL;
        char buffer[65536], number[32] = {};
        int out[2], fd, status;
        size_t total = 0;
        pid_t pid, guest;

        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        assert_int_equal(format(&fifo, "%s/started", a->f->path), 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(format(&line, "cd %s; echo $$ >started; %s while :; do echo a line of the output; done", a->f->path, before), 0);
        pid = fork();
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(out[0]);
                _exit(exec_run(&(ExecJob){ .sockets = a->directory, .tmp = a->f->path, .guest = "g", .words = (const char *const[]){ line, NULL }, .in = -1,
                        .out = out[1], .err = STDERR_FILENO }));
        }
        close(out[1]);
        fd = open(fifo, O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, number, sizeof number - 1) > 0);
        close(fd);
        guest = atoi(number);
        while (state_of(guest) != 'T')
                usleep(10000);
        while (state_of(guest) == 'T') { /* goes on when most of that has been read */
                ssize_t n = read(out[0], buffer, sizeof buffer);

                assert_true(n > 0);
                total += (size_t) n;
        }
        assert_true(total > sizeof buffer);
        close(out[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGPIPE);
        fixture_remove(a->f, "started");
        assert_int_equal(count_left(a->f), 0);
}

static void test_reader_takes_its_time(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start(f, "g", &a);
        check_slow_reader(&a, "");
        guest_agent_stop(&a);
}

/* A command may clear /tmp, where our files are: then it is not stopped for ever, nor is its output or its input lost. */
static void test_cleared_tmp(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *line = NULL, *reads = NULL;
        GuestAgent a;
        int in[2];

        guest_agent_start(f, "g", &a);
        assert_int_equal(format(&line, "rm -rf %s/vxm-*; echo done; echo err >&2; exit 3", f->path), 0);
        check_line(&a, line, -1, 3, "done\n", "err\n");
        assert_int_equal(format(&reads, "rm -rf %s/vxm-*; read -r x; echo \"<$x>\"; cat; exit 4", f->path), 0);
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        if (fork() == 0) {
                for (int i = 0; i < 2; i++) {
                        (void) poll(NULL, 0, 600);
                        (void) !write(in[1], "ab\n", 3);
                }
                _exit(0);
        }
        close(in[1]);
        check_line(&a, reads, in[0], 4, "<ab>\nab\n", "");
        (void) wait(NULL);
        assert_int_equal(count_left(f), 0);
        check_slow_reader(&a, "sleep 1; rm -rf vxm-*;");
        guest_agent_stop(&a);
}

static void end_input(const char *prefix) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                (void) alarm(20);
                (void) execl("/bin/sh", "sh", "-c", EXEC_SCRIPT_END, "vxm", prefix, "1", (char *) NULL);
                _exit(127);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
}

/* The command may have ended before its input does: nobody reads from the pipe any more, or there is none. */
static void test_late_end(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *prefix = NULL;
        struct stat st;

        assert_int_equal(format(&prefix, "%s/p", f->path), 0);
        fixture_directory(f, "p.pipe");
        end_input(prefix);
        assert_int_equal(fstatat(f->root, "p.pipe/end", &st, 0), -1);
        assert_int_equal(mkfifoat(f->root, "p.pipe/end", 0600), 0);
        end_input(prefix);
        assert_int_equal(fstatat(f->root, "p.pipe/end", &st, 0), 0);
        assert_true(S_ISFIFO(st.st_mode));
}

/* Runs a command that tells its number by a pipe of the file system and never ends, and sends vxm that signal, or none and it has
 * a time limit. Returns what vxm has ended with, after making sure that the command's process is gone. */
static int interrupted(Fixture *f, const GuestAgent *a, int number, uint64_t timeout, const char *trap) {
        _cleanup_(freep) char *line = NULL, *fifo = NULL;
        int fd, status;
        char text[32] = {};
        pid_t pid, guest;

        assert_int_equal(format(&fifo, "%s/started", f->path), 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(format(&line, "%s echo $$ >%s; while :; do sleep 1000; done", trap, fifo), 0);
        pid = fork();
        if (pid == 0) {
                const char *const words[] = { line, NULL };
                ExecJob job = { .sockets = a->directory, .tmp = f->path, .guest = "g", .words = words, .in = -1, .out = STDOUT_FILENO,
                        .err = open("/dev/null", O_WRONLY), .timeout = timeout };

                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                _exit(interrupt_catch() < 0 ? 1 : exec_run(&job));
        }
        fd = open(fifo, O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, text, sizeof text - 1) > 0);
        close(fd);
        guest = atoi(text);
        assert_true(guest > 1);
        if (number > 0)
                assert_int_equal(kill(pid, number), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(kill(guest, 0), -1);
        fixture_remove(f, "started");
        return WEXITSTATUS(status);
}

static void test_signals(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start(f, "g", &a);
        assert_int_equal(interrupted(f, &a, SIGINT, 0, ""), 130);
        assert_int_equal(interrupted(f, &a, SIGTERM, 0, ""), 143);
        assert_int_equal(interrupted(f, &a, 0, 400000, ""), EXEC_STATUS_TIMEOUT);
        assert_int_equal(interrupted(f, &a, SIGINT, 0, "trap '' TERM;"), 130); /* killed in the end */
        assert_int_equal(count_left(f), 0);
        guest_agent_stop(&a);
}

/* What nohup(1) has had ignored stays ignored. */
static void test_ignored_signals(void **state) {
        pid_t pid = fork();
        int status;

        (void) state;
        if (pid == 0) {
                (void) signal(SIGHUP, SIG_IGN);
                if (interrupt_catch() < 0 || raise(SIGHUP) != 0 || interrupt_pending())
                        _exit(1);
                _exit(raise(SIGTERM) != 0 || !interrupt_pending() || interrupt_take() != SIGTERM || interrupt_pending());
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* Sends this process a signal in a moment. Returns who does. */
static pid_t signal_soon(int number) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) poll(NULL, 0, 300);
                _exit(kill(getppid(), number));
        }
        return pid;
}

static int interrupted_script(const char *sockets, bool interruptible) {
        _cleanup_(agent_client_freep) AgentClient *c = agent_client_new(sockets, "g");
        _cleanup_(agent_status_done) AgentStatus status = {};

        agent_client_set_interruptible(c, interruptible);
        agent_client_set_patience(c, 1000000);
        return agent_exec(c, "Cannot do it", (const char *const[]){ "x", NULL }, &status);
}

/* A signal ends the waiting for a script that runs on; but not where that would leave something behind, also while others keep the agent. */
static void test_interrupted_scripts(void **state) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int others[3], listener;
        Fixture *f = *state;
        GuestAgent a;

        assert_int_equal(interrupt_catch(), 0);
        guest_agent_start_hostile(f, "g", "runs-on", &a);
        (void) signal_soon(SIGINT);
        assert_int_equal(interrupted_script(a.directory, true), -EINTR);
        assert_int_equal(interrupt_take(), SIGINT);
        guest_agent_stop(&a);
        fixture_directory(f, "full");
        (void) snprintf(address.sun_path, sizeof address.sun_path, "%.60s/full/agent", f->path);
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(listener, 0), 0);
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                others[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void) connect(others[i], (struct sockaddr *) &address, sizeof address);
        }
        address.sun_path[strlen(address.sun_path) - STRLEN("/agent")] = '\0';
        (void) signal_soon(SIGTERM);
        assert_int_equal(interrupted_script(address.sun_path, false), -E_BUSY);
        assert_int_equal(interrupt_take(), SIGTERM);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                close(others[i]);
        close(listener);
}

/* While a command runs, others can talk to the agent: here two that wait for each other. */
static void test_two_at_once(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *first = NULL, *second = NULL;
        GuestAgent a;
        int status;
        pid_t pid;

        guest_agent_start(f, "g", &a);
        assert_int_equal(mkfifoat(f->root, "one", 0600), 0);
        assert_int_equal(mkfifoat(f->root, "two", 0600), 0);
        assert_int_equal(format(&first, "cd %s; echo 1 >one; read -r x <two; echo $x", f->path), 0);
        assert_int_equal(format(&second, "cd %s; read -r x <one; echo 2$x >two", f->path), 0);
        pid = fork();
        if (pid == 0) {
                const char *const words[] = { second, NULL };
                ExecJob job = { .sockets = a.directory, .tmp = f->path, .guest = "g", .words = words, .in = -1,
                        .out = STDOUT_FILENO, .err = STDERR_FILENO };

                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                _exit(exec_run(&job) == 0 ? 0 : 1);
        }
        check_line(&a, first, -1, 0, "21\n", "");
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        guest_agent_stop(&a);
}

static void test_hostile(void **state) {
        static const struct {
                const char *scenario;
                int status;
                const char *log;
        } rows[] = {
                { "good", 0, "" },
                { "silent", -E_BUSY, "The agent of guest g does not answer within 0.5 s" },
                { "silent-later", -E_BUSY, "The agent of guest g has not answered within 5.5 s" },
                { "half", -E_BUSY, "The agent of guest g has not answered within 0.5 s" },
                { "flood", -EPROTO, "is no answer" },
                { "chatter", -E_BUSY, "has not answered" },
                { "garbage", -EPROTO, "is no answer" },
                { "list", -EPROTO, "is no answer" },
                { "twice", -EPROTO, "is no answer" },
                { "both", -EPROTO, "is no answer" },
                { "pid-text", -EPROTO, "answers guest-exec with what is no answer" },
                { "pid-negative", -EPROTO, "answers guest-exec with" },
                { "pid-huge", -EPROTO, "answers guest-exec with" },
                { "exited-text", -EPROTO, "answers guest-exec-status with" },
                { "exit-none", -EPROTO, "answers guest-exec-status with" },
                { "exit-huge", -EPROTO, "answers guest-exec-status with" },
                { "base64", -EPROTO, "answers guest-exec-status with" },
                { "base64-type", -EPROTO, "answers guest-exec-status with" },
                { "huge", -EPROTO, "is no answer" },
                { "seek-text", -EPROTO, "answers guest-file-seek with" },
                { "hang-up", -ECONNRESET, "QEMU of guest g has hung up" },
                { "refusal", -ECANCELED, "Cannot run a command: the agent of guest g says: ?[2J no?way." },
                { "forgets", -ECANCELED, "is lost: its agent says: PID 4711 does not exist." },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                /* Of those that send without end, as much as can be read in half a second; of one huge line, all that is taken. */
                uint64_t patience = streq(rows[i].scenario, "huge") || streq(rows[i].scenario, "flood") ? 60000000 : 500000;
                const char *const words[] = { "true", NULL };
                _cleanup_(outcome_done) Outcome o = {};
                GuestAgent a;
                char *log;

                guest_agent_start_hostile(f, rows[i].scenario, rows[i].scenario, &a);
                fixture_capture(f);
                o = run(&a, (ExecJob){ .words = words, .timeout = patience }, -1);
                log = fixture_log(f);
                if (o.status != rows[i].status || !strstr(log, rows[i].log))
                        fail_msg("%s: %d, %s", rows[i].scenario, o.status, log);
                free(log);
                guest_agent_stop(&a);
        }
}

/* What the command has left running writes on, and nobody waits for it. */
static void test_endless(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start_hostile(f, "g", "endless", &a);
        (void) alarm(60);
        check_line(&a, "spin &", -1, 0, "AAA", "AAA");
        (void) alarm(0);
        guest_agent_stop(&a);
}

/* Where nothing can be written, input goes with the command, and output comes with its end. */
static void test_no_tmp(void **state) {
        Fixture *f = *state;
        _cleanup_(outcome_done) Outcome o = {};
        GuestAgent a;
        int in[2];

        guest_agent_start(f, "g", &a);
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        if (fork() == 0) {
                (void) poll(NULL, 0, 300);
                _exit(write(in[1], "late\n", 5) != 5);
        }
        close(in[1]);
        o = run(&a, (ExecJob){ .words = (const char *const[]){ "cat; exit 3", NULL }, .tmp = "/nowhere" }, in[0]);
        (void) wait(NULL);
        assert_int_equal(o.status, 3);
        assert_string_equal(o.out, "late\n");
        guest_agent_stop(&a);
}

/* Where output cannot be read while the command runs, no open files pile up in the guest. */
static void test_full_disk(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start_hostile(f, "g", "full", &a);
        check_line(&a, "x", -1, 0, "0", "");
        guest_agent_stop(&a);
}

/* What has been made for a command that cannot be started is removed. */
static void test_no_start(void **state) {
        static const char *const latin1[] = { "echo", "\xfc", NULL };
        Fixture *f = *state;
        int in[2];
        GuestAgent a;

        guest_agent_start(f, "g", &a);
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
        {
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = latin1 }, in[0]);

                assert_int_equal(o.status, -EINVAL);
        }
        close(in[1]);
        assert_int_equal(count_left(f), 0);
        guest_agent_stop(&a);
}

/* A command that has ended in time is not told to end, however long its reader takes. */
static void test_slow_reader(void **state) {
        Fixture *f = *state;
        const size_t size = 400000;
        int out[2], status;
        char *log, *text;
        GuestAgent a;
        size_t n;
        pid_t pid;

        guest_agent_start(f, "g", &a);
        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                close(out[1]);
                (void) poll(NULL, 0, 2000);
                _exit(read_full(out[0], size, &text, &n) < 0 || n != size);
        }
        close(out[0]);
        fixture_capture(f);
        assert_int_equal(exec_run(&(ExecJob){ .sockets = a.directory, .tmp = f->path, .guest = "g",
                                 .words = (const char *const[]){ "head -c 400000 /dev/zero", NULL }, .in = -1, .out = out[1], .err = STDERR_FILENO,
                                 .timeout = 1000000 }),
                0);
        log = fixture_log(f);
        assert_string_equal(log, "");
        free(log);
        close(out[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        guest_agent_stop(&a);
}

/* Input that breaks off with an error ends the command: it would wait for the rest for ever. */
static void test_broken_input(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *line = NULL;
        char text[32] = {};
        int in[2], fd;
        GuestAgent a;
        pid_t pid;

        guest_agent_start(f, "g", &a);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in), 0);
        assert_int_equal(write(in[0], "x", 1), 1); /* which is not read, so that it will be “Connection reset by peer” */
        assert_int_equal(mkfifoat(f->root, "started", 0600), 0);
        pid = fork();
        if (pid == 0) {
                close(in[0]);
                fd = openat(f->root, "started", O_RDONLY);
                _exit(fd < 0);
        }
        close(in[1]);
        assert_int_equal(format(&line, "echo $$ >%s/pid; echo >%s/started; exec cat", f->path, f->path), 0);
        fixture_capture(f);
        {
                _cleanup_(outcome_done) Outcome o = run_line(&a, line, in[0]);

                assert_int_equal(o.status, STATUS_FAILED);
                fixture_assert_logged(f, "Cannot read the command's input: Connection reset by peer.");
        }
        fd = openat(f->root, "pid", O_RDONLY | O_CLOEXEC);
        assert_true(read(fd, text, sizeof text - 1) > 0);
        close(fd);
        assert_int_equal(kill(atoi(text), 0), -1);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(count_left(f), 0);
        guest_agent_stop(&a);
}

static void test_windows(void **state) {
        Fixture *f = *state;
        GuestAgent a;

        guest_agent_start_hostile(f, "w", "windows", &a);
        check_line(&a, "ver", -1, 255, "Active code page: 850\r\nÜ", "");
        {
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = (const char *const[]){ "ver", NULL }, .raw = true }, -1);

                assert_int_equal(o.status, 255);
                assert_string_equal(o.out, "Active code page: 850\r\n\x9a");
        }
        {
                const char *const words[] = { "more", NULL };
                _cleanup_(outcome_done) Outcome o = {};
                int in[2];

                assert_int_equal(pipe2(in, O_CLOEXEC), 0);
                fixture_capture(f);
                o = run(&a, (ExecJob){ .words = words, .timeout = 1000000 }, in[0]); /* also while it has not begun */
                fixture_assert_logged(f, "The command in guest g has not ended within 1 s; ending it.");
                assert_int_equal(o.status, EXEC_STATUS_TIMEOUT);
                close(in[1]);
        }
        guest_agent_stop(&a);
}

/* A line that cmd.exe would not take as it is, in a file, in the guest's code page; also where what comes back stays as it is. */
static void test_batch(void **state) {
        static const char *const words[] = { "echo \"ü\"", NULL }, *const lines[] = { "ver\ndir", NULL }, *const type[] = { "type C:\\log", NULL };
        Fixture *f = *state;
        GuestAgent a, b;

        guest_agent_start_hostile(f, "w", "windows-files", &a);
        guest_agent_start_hostile(f, "odd", "windows-odd", &b);
        {
                _cleanup_(outcome_done) Outcome o = run(&a, (ExecJob){ .words = words, .raw = true }, -1);
                _cleanup_(outcome_done) Outcome p = run(&a, (ExecJob){ .words = lines, .raw = true }, -1);
                _cleanup_(outcome_done) Outcome q = run(&a, (ExecJob){ .words = type, .raw = true }, -1);

                assert_int_equal(o.status, 0);
                assert_int_equal(p.status, 0);
                assert_non_null(strstr(q.out, "@echo off\r\necho \"\x81\"\r\n"));
                assert_non_null(strstr(q.out, "@echo off\r\nver\ndir\r\n"));
        }
        {
                _cleanup_(outcome_done) Outcome o = {};

                fixture_capture(f);
                o = run(&b, (ExecJob){ .words = words }, -1);
                fixture_assert_logged(f, "iconv lacks CP4711, the code page of guest g; install glibc-gconv-extra.");
                assert_int_equal(o.status, -E_LACKS);
        }
        check_line(&b, "echo \"u\"", -1, 0, "", "");
        guest_agent_stop(&a);
        guest_agent_stop(&b);
}

static void test_nobody_there(void **state) {
        Fixture *f = *state;
        char *sockets = NULL;
        GuestAgent none = { .directory = f->path };
        _cleanup_(outcome_done) Outcome o = run_line(&none, "true", -1);

        assert_int_equal(o.status, -E_CONFIG); /* there is no guest called g */
        assert_int_equal(exec_sockets("/x", "g", &sockets), 0);
        assert_string_equal(sockets, "/x/g");
        free(sockets);
        assert_int_equal(exec_sockets("/x", "../g", &sockets), -E_CONFIG);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_streams_and_status),
                fixture_test(test_exact_words),
                fixture_test(test_background),
                fixture_test(test_large),
                fixture_test(test_slow_input),
                fixture_test(test_reader_goes_away),
                fixture_test(test_reader_takes_its_time),
                fixture_test(test_cleared_tmp),
                fixture_test(test_late_end),
                fixture_test(test_signals),
                cmocka_unit_test(test_ignored_signals),
                fixture_test(test_two_at_once),
                fixture_test(test_hostile),
                fixture_test(test_endless),
                fixture_test(test_full_disk),
                fixture_test(test_no_tmp),
                fixture_test(test_no_start),
                fixture_test(test_slow_reader),
                fixture_test(test_broken_input),
                fixture_test(test_windows),
                fixture_test(test_batch),
                fixture_test(test_nobody_there),
                fixture_test(test_interrupted_scripts), /* the last one: it catches signals */
        };

        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
