/* SPDX-License-Identifier: BSD-3-Clause */
/* A command's life in a guest. A guest with a POSIX shell gets the scripts of exec-script.h around it, so that input and output
 * flow while it runs. Windows gives all output at the end, and takes all input at the beginning. */

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>

#include "agent-client.h"
#include "batch.h"
#include "code-page.h"
#include "exec-run.h"
#include "exec-script.h"
#include "exit-status.h"
#include "guest-socket.h"
#include "interrupt.h"
#include "log.h"
#include "parse.h"

#define MSEC UINT64_C(1000)
#define SECOND (1000 * MSEC)
#define STREAM_AFTER (250 * MSEC)  /* a command that has ended by then gives its output with its end, in fewer questions */
#define WAIT_MAX (250 * MSEC)      /* between two questions; an eighth of the time since something happened, till then */
#define RELEASE_FROM (100 * MSEC)  /* whoever waits so long lets others talk to the agent */
#define END_PATIENCE (5 * SECOND)  /* beyond its time limit, what an agent may take to tell of a command, and to end it */
#define KILL_AFTER (2 * SECOND)    /* what SIGTERM has not ended by then gets SIGKILL */

enum {
        GATHER_MAX = 512 * 1024,           /* input that is there at the start, and ends, goes with the command */
        FEED_MAX = 256 * 1024,             /* a portion of input that is sent later */
        WHOLE_INPUT_MAX = 24 * 1024 * 1024,   /* what the agent takes at once, half of its limit */
        TRIM_AFTER = 8 * 1024 * 1024,         /* of output read, and once as soon as there is much */
        BACKLOG_MAX = 32 * 1024 * 1024,       /* of output not read yet: the command is stopped then … */
        BACKLOG_MIN = 4 * 1024 * 1024,        /* … and goes on; half of TRIM_AFTER at least */
        KILLS_MAX = 4,
};

typedef enum Feed {
        FEED_NONE, /* there is no input, or no more */
        FEED_IDLE, /* more can be sent */
        FEED_SENT, /* a portion is on its way into the command */
} Feed;

typedef struct Exec {
        const ExecJob *job;
        AgentClient *client;
        AgentSystem system;
        unsigned page;    /* Windows' code page, 0: not known */
        char prefix[160]; /* of files in the guest */
        char *batch;      /* on Windows: the file with the command */
        char *input;      /* read, but not sent yet */
        size_t n_input;
        bool input_ended;
        Feed feed;
        bool piped;
        int64_t pid, feeder;
        bool streams; /* output is read from handles */
        int64_t handles[2];
        uint64_t n_read[2], trim_at; /* of output, and when to trim next */
        bool much, stopped;
        AgentStatus status;
        bool mute;
        int end_status; /* what vxm ends with, as it has ended the command itself */
        unsigned kills;
        uint64_t started, news_at, kill_at;
} Exec;

static void exec_done(Exec *e) {
        agent_client_free(e->client);
        agent_status_done(&e->status);
        free(e->batch);
        free(e->input);
}

int exec_sockets(const char *root, const char *guest, char **ret) {
        if (!guest_name_is_valid(guest))
                return log_error_errno(E_CONFIG, "“%s” is no name for a guest; vxm list shows those there are.", guest);
        return format(ret, "%s/%s", root, guest) < 0 ? log_oom() : 0;
}

/* ---- ending it ---- */

typedef struct Number {
        char text[24];
} Number;

static Number number_of(int64_t n) {
        Number number;

        (void) snprintf(number.text, sizeof number.text, "%lld", (long long) n);
        return number;
}

static int send_kill(Exec *e, const char *signal_name) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        const Number pid = number_of(e->pid);
        int r;

        agent_client_set_interruptible(e->client, false);
        if (e->system == AGENT_SYSTEM_WINDOWS)
                r = agent_exec(e->client, "Cannot end the command",
                        (const char *const[]){ "taskkill.exe", "/T", "/F", "/PID", pid.text, NULL }, &status);
        else
                r = agent_exec(e->client, "Cannot end the command",
                        (const char *const[]){ "/bin/sh", "-c", EXEC_SCRIPT_KILL, "vxm", e->prefix, pid.text, signal_name, NULL }, &status);
        agent_client_set_interruptible(e->client, true);
        return r;
}

/* Ends the command, and makes vxm end with that status when it has. At the first time it is asked to end, then it is killed. */
static int end(Exec *e, int status) {
        int r;

        if (e->status.exited)
                return 0;
        if (e->end_status == 0)
                e->end_status = status;
        e->kill_at = now_usec() + KILL_AFTER;
        if (++e->kills > KILLS_MAX)
                return log_error_errno(E_BUSY, "The command in guest %s does not end; its process there is %lld.", e->job->guest,
                        (long long) e->pid);
        r = send_kill(e, e->kills == 1 ? "TERM" : "KILL");
        return r < 0 || !e->stopped ? r : send_kill(e, "CONT");
}

static int end_by_signal(Exec *e) {
        int number = interrupt_take();

        return end(e, 128 + (number > 0 ? number : SIGINT));
}

/* In µs, 0: none. */
static uint64_t time_left(const Exec *e) {
        uint64_t gone = now_usec() - e->started;

        return e->job->timeout == 0 ? UINT64_MAX : gone < e->job->timeout ? e->job->timeout - gone : 0;
}

static int log_timeout(const Exec *e) {
        (void) log_error_errno(ETIMEDOUT, "The command in guest %s has not ended within %.3g s; ending it.", e->job->guest,
                (double) e->job->timeout / (double) SECOND);
        return EXEC_STATUS_TIMEOUT;
}

static int check_time(Exec *e) {
        if (e->status.exited)
                return 0;
        if (e->kills > 0)
                return now_usec() >= e->kill_at ? end(e, e->end_status) : 0;
        return time_left(e) > 0 ? 0 : end(e, log_timeout(e));
}

/* ---- output ---- */

/* Whoever reads our output has not done so for a while: the command is not to fill the guest's disk meanwhile. balance() has it go on. */
static int hold(Exec *e) {
        if (!e->streams || e->stopped || e->status.exited || e->kills > 0)
                return 0;
        e->stopped = e->much = true;
        e->trim_at = 0;
        return send_kill(e, "STOP");
}

/* Waits until fd takes a portion. Others may talk to the agent meanwhile: the reader may be waiting for one of them. */
static int wait_writable(Exec *e, int fd) {
        struct pollfd p[2] = { { .fd = fd, .events = POLLOUT }, { .fd = interrupt_fd(), .events = POLLIN } };

        if (poll(p, 2, 0) < 0 && errno != EINTR)
                return -errno;
        while (p[0].revents == 0 && p[1].revents == 0) {
                int r = check_time(e);

                if (r < 0)
                        return r;
                if (e->end_status != 0)
                        return -EINTR;
                agent_client_release(e->client);
                r = poll(p, 2, (int) (WAIT_MAX / MSEC));
                if (r < 0 && errno != EINTR)
                        return -errno;
                r = r == 0 ? hold(e) : 0;
                if (r < 0)
                        return r;
        }
        return p[1].revents != 0 ? -EINTR : 0;
}

static int write_portion(Exec *e, int fd, const char *data, size_t size, size_t *ret_n) {
        int r = wait_writable(e, fd);
        ssize_t n;

        if (r < 0)
                return r;
        n = write(fd, data, size < PIPE_BUF ? size : PIPE_BUF); /* which poll(2) promises not to block */
        if (n < 0 && errno == EPIPE)
                return -EPIPE;
        if (n < 0 && errno != EINTR && errno != EAGAIN) /* never a number that means the agent */
                return log_error_errno(EIO, "Cannot write what the command says: %s.", strerror(errno));
        *ret_n = n < 0 ? 0 : (size_t) n;
        return 0;
}

/* Nobody reads any more, or vxm is asked to end: then the command is ended, as a pipe's reader would have ended it. */
static int stop_output(Exec *e, int r) {
        e->mute = true;
        if (r == -EPIPE)
                return e->status.exited ? (e->end_status = 128 + SIGPIPE, 0) : end(e, 128 + SIGPIPE);
        if (r == -EINTR)
                return e->end_status != 0 ? 0 : e->status.exited ? (e->end_status = 128 + interrupt_take(), 0) : end_by_signal(e);
        return e->status.exited || r != -EIO ? r : end(e, STATUS_FAILED);
}

static int put(Exec *e, int fd, const char *data, size_t size) {
        for (size_t n = 0; size > 0 && !e->mute; data += n, size -= n) {
                int r = write_portion(e, fd, data, size, &n);

                if (r < 0)
                        return stop_output(e, r);
        }
        return 0;
}

static int put_text(Exec *e, int fd, const char *data, size_t size) {
        _cleanup_(freep) char *text = NULL;
        size_t n;
        int r = code_page_decode(e->job->raw ? 0 : e->page, data, size, &text, &n);

        if (r == -ENOMEM)
                return log_oom();
        return r > 0 ? put(e, fd, text, n) : put(e, fd, data, size);
}

static int close_handles(Exec *e, const int64_t handles[], size_t n) {
        AgentCall calls[3] = {};
        int r;

        for (size_t i = 0; i < n; i++)
                calls[i] = (AgentCall){ .command = "guest-file-close", .arguments = json_pack("{s:I}", "handle", (json_int_t) handles[i]) };
        r = n > 0 ? agent_client_calls(e->client, calls, n) : 0;
        agent_calls_done(calls, n);
        return r;
}

/* Opens the files, then says so in a third one. Who comes too late finds none, and gets all with the command's end. */
static int open_streams(Exec *e) {
        AgentCall calls[3] = {}, marks[3] = {};
        static const char *const names[] = { "out", "err", "read" };
        int64_t handles[3];
        int r = 0, opened = 0;

        for (size_t i = 0; i < ELEMENTSOF(calls); i++) {
                char path[sizeof e->prefix + 8];

                (void) snprintf(path, sizeof path, "%s.%s", e->prefix, names[i]);
                calls[i] = (AgentCall){ .command = "guest-file-open",
                        .arguments = json_pack("{s:s,s:s}", "path", path, "mode", i == 2 ? "r+" : "r") };
        }
        r = agent_client_calls(e->client, calls, ELEMENTSOF(calls));
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(calls) && calls[i].reply; i++, opened++)
                if (agent_reply_handle(calls[i].reply, &handles[i]) < 0)
                        r = agent_client_misfit(e->client, -EPROTO, "guest-file-open");
        agent_calls_done(calls, ELEMENTSOF(calls));
        if (r < 0 || opened < 3)
                return r < 0 ? r : close_handles(e, handles, (size_t) opened);
        marks[0] = (AgentCall){ .command = "guest-file-write",
                .arguments = json_pack("{s:I,s:s}", "handle", (json_int_t) handles[2], "buf-b64", "eA==") };
        marks[1] = (AgentCall){ .command = "guest-file-flush", .arguments = json_pack("{s:I}", "handle", (json_int_t) handles[2]) };
        marks[2] = (AgentCall){ .command = "guest-file-close", .arguments = json_pack("{s:I}", "handle", (json_int_t) handles[2]) };
        r = agent_client_calls(e->client, marks, ELEMENTSOF(marks));
        e->streams = r >= 0 && marks[0].reply && marks[1].reply && marks[2].reply;
        agent_calls_done(marks, ELEMENTSOF(marks));
        memcpy(e->handles, handles, sizeof e->handles);
        if (r >= 0 && !e->streams) /* the guest's disk is full, say: then output comes with the end */
                return close_handles(e, handles, 2);
        return r;
}

static AgentCall read_call(int64_t handle) {
        return (AgentCall){ .command = "guest-file-read",
                .arguments = json_pack("{s:I,s:i}", "handle", (json_int_t) handle, "count", AGENT_READ_MAX) };
}

static AgentCall status_call(int64_t pid) {
        return (AgentCall){ .command = "guest-exec-status", .arguments = json_pack("{s:I}", "pid", (json_int_t) pid) };
}

static int check_refusals(Exec *e, const AgentCall calls[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (calls[i].refusal)
                        return log_error_errno(ECANCELED, "The command in guest %s is lost: its agent says: %s.", e->job->guest,
                                calls[i].refusal);
        return 0;
}

/* What two answers to read_call() hold. Returns how much that is. */
static int64_t take_output(Exec *e, const AgentCall calls[static 2]) {
        const int to[2] = { e->job->out, e->job->err };
        int64_t total = 0;

        for (size_t i = 0; i < 2; i++) {
                _cleanup_(freep) char *data = NULL;
                size_t size;
                int r = agent_reply_read(calls[i].reply, &data, &size);

                if (r < 0)
                        return agent_client_misfit(e->client, r, "guest-file-read");
                r = put(e, to[i], data, size);
                if (r < 0)
                        return r;
                total += (int64_t) size;
                e->n_read[i] += size;
                e->much = e->much || size == AGENT_READ_MAX;
        }
        return total;
}

/* A command that writes faster than is read would fill the guest's /tmp. So it is stopped now and then, and what has been read is
 * given back. */
static int balance(Exec *e) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        unsigned long long sizes[2];
        uint64_t backlog;
        const Number done[2] = { number_of((int64_t) e->n_read[0]), number_of((int64_t) e->n_read[1]) };
        int r;

        if (!e->much || e->n_read[0] + e->n_read[1] < e->trim_at)
                return 0;
        e->trim_at = e->n_read[0] + e->n_read[1] + (e->stopped ? TRIM_AFTER / 2 : TRIM_AFTER);
        r = agent_exec(e->client, "Cannot see what the command has written",
                (const char *const[]){ "/bin/sh", "-c", EXEC_SCRIPT_TRIM, "vxm", e->prefix, done[0].text, done[1].text, NULL }, &status);
        if (r < 0)
                return r;
        if (status.n_out == 0 || sscanf(status.out, "%20llu %20llu", &sizes[0], &sizes[1]) != 2) /* the command has cleared /tmp, say */
                return e->stopped ? (e->stopped = false, send_kill(e, "CONT")) : 0;
        backlog = sizes[0] + sizes[1] - e->n_read[0] - e->n_read[1];
        if (e->stopped ? backlog > BACKLOG_MIN : backlog < BACKLOG_MAX)
                return 0;
        e->stopped = !e->stopped;
        return send_kill(e, e->stopped ? "STOP" : "CONT");
}

static AgentCall seek_call(int64_t handle, uint64_t offset, int whence) {
        return (AgentCall){ .command = "guest-file-seek",
                .arguments = json_pack("{s:I,s:I,s:i}", "handle", (json_int_t) handle, "offset", (json_int_t) offset, "whence", whence) };
}

/* How much has been written by now. An agent that may not tell leaves it at all there is. */
static int find_ends(Exec *e, uint64_t ends[static 2]) {
        AgentCall calls[] = { seek_call(e->handles[0], 0, SEEK_END), seek_call(e->handles[0], e->n_read[0], SEEK_SET),
                seek_call(e->handles[1], 0, SEEK_END), seek_call(e->handles[1], e->n_read[1], SEEK_SET) };
        int r = agent_client_calls(e->client, calls, ELEMENTSOF(calls));

        for (size_t i = 0; r >= 0 && i < 2; i++) {
                ends[i] = UINT64_MAX;
                if (calls[i * 2].reply)
                        r = check_refusals(e, &calls[i * 2 + 1], 1);
                if (r >= 0 && calls[i * 2].reply && agent_reply_position(calls[i * 2].reply, &ends[i]) < 0)
                        r = agent_client_misfit(e->client, -EPROTO, "guest-file-seek");
        }
        agent_calls_done(calls, ELEMENTSOF(calls));
        return r;
}

/* What is left in the files when the command has ended. What it has left running may go on writing there, without end. */
static int drain(Exec *e) {
        uint64_t ends[2];
        int64_t n = find_ends(e, ends);

        for (n = n < 0 ? n : 1; n > 0 && !e->mute && (e->n_read[0] < ends[0] || e->n_read[1] < ends[1]);) {
                AgentCall calls[] = { read_call(e->handles[0]), read_call(e->handles[1]) };

                n = agent_client_calls(e->client, calls, ELEMENTSOF(calls));
                n = n < 0 ? n : check_refusals(e, calls, ELEMENTSOF(calls));
                n = n < 0 ? n : take_output(e, calls);
                agent_calls_done(calls, ELEMENTSOF(calls));
        }
        return n < 0 ? (int) n : 0;
}

/* ---- input ---- */

static bool is_readable(int fd) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return poll(&p, 1, 0) > 0;
}

/* One read(2) of at most max bytes, behind what has been read already. Returns 0 or -errno. */
static int read_input(Exec *e, size_t max) {
        char *grown = realloc(e->input, e->n_input + max);
        ssize_t n;

        if (!grown)
                return log_oom();
        e->input = grown;
        n = read(e->job->in, e->input + e->n_input, max);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
                return log_error_errno(EIO, "Cannot read the command's input: %s.", strerror(errno));
        e->input_ended = n == 0;
        e->n_input += n > 0 ? (size_t) n : 0;
        return 0;
}

/* What is there at once. */
static int gather(Exec *e) {
        int r = 0;

        while (r >= 0 && !e->input_ended && e->n_input < GATHER_MAX && is_readable(e->job->in))
                r = read_input(e, FEED_MAX);
        return r;
}

/* All there will be: what goes with the command has to be whole. Returns as exec_run(). */
static int gather_all(Exec *e) {
        int r = 0;

        agent_client_release(e->client);
        while (r >= 0 && !e->input_ended) {
                struct pollfd p[2] = { { .fd = e->job->in, .events = POLLIN }, { .fd = interrupt_fd(), .events = POLLIN } };
                uint64_t left = time_left(e);
                struct timespec timeout = { (time_t) (left / SECOND), (long) (left % SECOND * 1000) };

                if (left == 0)
                        return log_timeout(e);
                if (ppoll(p, 2, e->job->timeout > 0 ? &timeout : NULL, NULL) < 0 && errno != EINTR)
                        return -errno;
                if (p[1].revents != 0)
                        return 128 + interrupt_take();
                r = p[0].revents != 0 ? read_input(e, FEED_MAX) : 0;
                if (r >= 0 && e->n_input > WHOLE_INPUT_MAX)
                        return log_error_errno(EFBIG, "The agent of guest %s takes at most %d MiB of input at once%s; copy it there with vxm cp.",
                                e->job->guest, WHOLE_INPUT_MAX / 1024 / 1024,
                                e->system == AGENT_SYSTEM_WINDOWS ? "" : ", and nothing can be written in /tmp there");
        }
        return r;
}

static int run_script(Exec *e, const char *what, const char *script, AgentStatus *ret) {
        const Number pid = number_of(e->pid);

        return agent_exec(e->client, what, (const char *const[]){ "/bin/sh", "-c", script, "vxm", e->prefix, pid.text, NULL }, ret);
}

/* Where it cannot be made, as nothing can be written there, the input goes with the command as on Windows. */
static int make_pipe(Exec *e) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        int r;

        e->piped = true; /* also half a one is removed */
        r = run_script(e, "Cannot make a pipe for the input", EXEC_SCRIPT_PIPE, &status);
        if (r < 0)
                return r;
        if (status.status != 0)
                return gather_all(e);
        e->feed = FEED_IDLE;
        return 0;
}

static int send_portion(Exec *e) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const Number pid = number_of(e->pid);
        json_t *arguments = agent_exec_arguments(
                (const char *const[]){ "/bin/sh", "-c", EXEC_SCRIPT_FEED, "vxm", e->prefix, pid.text, NULL }, e->input, e->n_input);
        int r = arguments ? agent_client_call(e->client, "Cannot send input", "guest-exec", arguments, &reply) : log_oom();

        if (r < 0)
                return r;
        r = agent_reply_pid(reply, &e->feeder);
        if (r < 0)
                return agent_client_misfit(e->client, r, "guest-exec");
        e->n_input = 0;
        e->feed = FEED_SENT;
        return 0;
}

/* That it cannot be told may mean that the command has ended just now: the next look() tells. */
static int end_input(Exec *e) {
        _cleanup_(agent_status_done) AgentStatus status = {};

        e->feed = FEED_NONE;
        return run_script(e, "Cannot end the input", EXEC_SCRIPT_END, &status);
}

/* Sends what there is of the input. Returns 1 when something has happened. */
static int feed(Exec *e) {
        int r;

        if (e->feed != FEED_IDLE || e->kills > 0)
                return 0;
        if (e->n_input == 0 && !e->input_ended && is_readable(e->job->in) && read_input(e, FEED_MAX) < 0)
                return end(e, STATUS_FAILED);
        if (e->n_input == 0 && !e->input_ended)
                return 0;
        r = e->n_input > 0 ? send_portion(e) : end_input(e);
        return r < 0 ? r : 1;
}

/* ---- the beginning ---- */

static int ask_system(Exec *e) {
        AgentCall call = { .command = "guest-get-osinfo" };
        int r = agent_client_calls(e->client, &call, 1);

        if (r >= 0)
                e->system = agent_reply_system(call.reply);
        agent_calls_done(&call, 1);
        return r;
}

static int start(Exec *e, const char *const words[]) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        bool whole = e->n_input > 0 && e->feed == FEED_NONE;
        json_t *arguments = agent_exec_arguments(words, whole ? e->input : NULL, e->n_input);
        int r;

        if (!arguments)
                return log_error_errno(EINVAL, "The command is not UTF-8, which is all that the guest agent takes; use vxm cp, and a script.");
        /* Or a process might run that nobody knows of. */
        agent_client_set_interruptible(e->client, false);
        r = agent_client_call(e->client, "Cannot run a command", "guest-exec", arguments, &reply);
        agent_client_set_interruptible(e->client, true);
        if (r < 0)
                return r;
        r = agent_reply_pid(reply, &e->pid);
        if (r < 0)
                return agent_client_misfit(e->client, r, "guest-exec");
        e->n_input = whole ? 0 : e->n_input;
        return 0;
}

static int join(const char *const words[], char **ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && words[i]; i++)
                r = list_append(ret, " ", "%s", words[i]);
        return r < 0 ? log_oom() : 0;
}

static int start_posix(Exec *e) {
        _cleanup_(freep) char *line = NULL;
        _cleanup_(freep) const char **words = NULL;
        size_t n = 0, given = 0;
        int r = 0;

        if (e->job->in >= 0)
                r = gather(e);
        if (r >= 0 && e->job->in >= 0 && !e->input_ended)
                r = make_pipe(e);
        r = r != 0 ? r : join(e->job->words, &line);
        if (r != 0)
                return r;
        while (e->job->words[given])
                given++;
        words = calloc(given + 10, sizeof *words);
        if (!words)
                return log_oom();
        words[n++] = "/bin/sh";
        words[n++] = "-c";
        words[n++] = EXEC_SCRIPT_RUN;
        words[n++] = "vxm";
        words[n++] = e->prefix;
        words[n++] = e->feed == FEED_IDLE ? "pipe" : "";
        if (e->job->exact)
                memcpy(words + n, e->job->words, given * sizeof *words);
        else
                memcpy(words + n, (const char *const[]){ "/bin/sh", "-c", line }, 3 * sizeof *words);
        return start(e, words);
}

static int ask_page(Exec *e) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        int r = agent_exec(e->client, "Cannot ask for the code page", (const char *const[]){ "cmd.exe", "/d", "/c", "chcp", NULL }, &status);

        if (r >= 0 && status.n_out > 0)
                e->page = code_page_parse(status.out, status.n_out);
        return r;
}

static int write_batch(Exec *e, const char *line) {
        _cleanup_(freep) char *text = NULL, *bytes = NULL;
        size_t size;
        int r;

        if (format(&text, "@echo off\r\n%s\r\n", line) < 0)
                return log_oom();
        r = code_page_encode(e->page, text, &bytes, &size);
        if (r == -EILSEQ)
                return log_error_errno(r, "The command has characters that code page %u of guest %s has not.", e->page, e->job->guest);
        if (r == -ENOPKG)
                return log_error_errno(E_LACKS, "iconv lacks CP%u, the code page of guest %s; install glibc-gconv-extra.", e->page,
                        e->job->guest);
        return r < 0 ? log_oom() : batch_write(e->client, bytes, size, &e->batch);
}

/* What is a line of its own in a file would end the command otherwise, and quotes would be the agent's. */
static int start_windows(Exec *e) {
        _cleanup_(freep) char *line = NULL;
        bool batch;
        int r = join(e->job->words, &line);

        if (r >= 0 && e->job->in >= 0)
                r = gather_all(e);
        batch = r == 0 && !e->job->exact && strpbrk(line, "\"\r\n");
        if (r == 0 && (batch || !e->job->raw))
                r = ask_page(e);
        if (r != 0)
                return r;
        if (e->job->exact)
                return start(e, e->job->words);
        if (!batch)
                return start(e, (const char *const[]){ "cmd.exe", "/d", "/s", "/c", line, NULL });
        r = write_batch(e, line);
        return r < 0 ? r : start(e, (const char *const[]){ "cmd.exe", "/d", "/c", e->batch, NULL });
}

/* ---- while it runs, and its end ---- */

/* Asks for everything at once. Returns 1 when something has happened. */
static int look(Exec *e) {
        AgentCall calls[4] = { status_call(e->pid) };
        bool feeding = e->feed == FEED_SENT;
        size_t n = 1;
        int64_t moved = 0;
        int r;

        if (e->streams) {
                calls[n++] = read_call(e->handles[0]);
                calls[n++] = read_call(e->handles[1]);
        }
        if (feeding)
                calls[n++] = status_call(e->feeder);
        r = agent_client_calls(e->client, calls, n);
        r = r < 0 ? r : check_refusals(e, calls, n);
        if (r >= 0) {
                agent_status_done(&e->status);
                r = agent_reply_status(calls[0].reply, &e->status);
                r = r < 0 ? agent_client_misfit(e->client, r, "guest-exec-status") : 0;
        }
        if (r >= 0 && feeding) {
                _cleanup_(agent_status_done) AgentStatus fed = {};

                r = agent_reply_status(calls[n - 1].reply, &fed);
                r = r < 0 ? agent_client_misfit(e->client, r, "guest-exec-status") : 0;
                if (r >= 0 && fed.exited) {
                        e->feed = fed.status == 0 ? FEED_IDLE : FEED_NONE; /* nobody reads any more */
                        moved = 1;
                }
        }
        if (r >= 0 && e->streams)
                moved += take_output(e, calls + 1);
        agent_calls_done(calls, n);
        return r < 0 ? r : moved < 0 ? (int) moved : moved > 0;
}

static int pause_for(Exec *e) {
        uint64_t wait = (now_usec() - e->news_at) / 8;
        bool reads = e->feed == FEED_IDLE && e->kills == 0;
        struct pollfd p[2] = { { .fd = interrupt_fd(), .events = POLLIN }, { .fd = reads ? e->job->in : -EBADF, .events = POLLIN } };
        struct timespec timeout;

        wait = wait < MSEC ? MSEC : wait > WAIT_MAX ? WAIT_MAX : wait;
        if (e->kills == 0 && wait > time_left(e))
                wait = time_left(e);
        if (wait >= RELEASE_FROM)
                agent_client_release(e->client);
        timeout = (struct timespec){ (time_t) (wait / SECOND), (long) (wait % SECOND * 1000) };
        return ppoll(p, 2, &timeout, NULL) < 0 && errno != EINTR ? -errno : 0;
}

static int step(Exec *e) {
        int r, fed;

        if (interrupt_pending())
                return end_by_signal(e);
        r = look(e);
        if (r == -EINTR)
                return end_by_signal(e);
        if (r < 0 || e->status.exited)
                return r;
        fed = feed(e);
        if (fed < 0)
                return fed == -EINTR ? end_by_signal(e) : fed;
        if (r + fed > 0)
                e->news_at = now_usec();
        if (!e->streams && e->system == AGENT_SYSTEM_POSIX && now_usec() - e->started >= STREAM_AFTER && e->kills == 0)
                r = open_streams(e);
        if (r >= 0 && e->streams && e->kills == 0)
                r = balance(e);
        if (r == -EINTR)
                return end_by_signal(e);
        r = r < 0 ? r : check_time(e);
        return r < 0 ? r : pause_for(e);
}

static int follow(Exec *e) {
        int r = 0;

        e->news_at = now_usec();
        while (r >= 0 && !e->status.exited)
                r = step(e);
        return r;
}

static int show_captured(Exec *e, const char *out, size_t n_out) {
        int r = put_text(e, e->job->out, out, n_out);

        r = r < 0 ? r : put_text(e, e->job->err, e->status.err, e->status.n_err);
        if (r >= 0 && e->status.cut)
                r = log_error_errno(EFBIG, "The command has written more than %d MiB, of which the rest is lost; have it write to a file, and "
                                           "fetch that with vxm cp.",
                        AGENT_CAPTURE_MAX / 1024 / 1024);
        return r;
}

/* What the command has written, as far as it has not been shown yet. */
static int finish_output(Exec *e) {
        const char kind = e->status.n_out > 0 ? e->status.out[0] : '\0';
        int r;

        if (e->system == AGENT_SYSTEM_WINDOWS)
                return show_captured(e, e->status.out, e->status.n_out);
        if (!e->streams && kind == EXEC_OUTPUT_FOLLOWS)
                return show_captured(e, e->status.out + 1, e->status.n_out - 1);
        if (!e->streams && kind == EXEC_OUTPUT_FILES) {
                r = open_streams(e);
                if (r < 0)
                        return r;
        }
        if (e->streams)
                return drain(e);
        if (kind != '\0' || e->end_status == 0)
                return log_error_errno(EPROTO, "The shell in guest %s that ran the command has been killed, or is none.", e->job->guest);
        return 0;
}

/* What has been made in the guest is removed, a command of which nobody would hear any more is ended; that it cannot be is no failure
 * of the command's. */
static void tidy(Exec *e, bool ended) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        bool left = e->pid != 0 && (e->streams || !ended || e->status.n_out == 0 || e->status.out[0] != EXEC_OUTPUT_FOLLOWS);
        int priority = log_get_max_priority();

        log_set_max_priority(-1);
        if (e->pid != 0 && !e->status.exited)
                (void) send_kill(e, "KILL");
        agent_client_set_interruptible(e->client, false);
        if (e->streams)
                (void) close_handles(e, e->handles, 2);
        if (e->system == AGENT_SYSTEM_POSIX && (left || e->piped))
                (void) run_script(e, "", EXEC_SCRIPT_CLEAN, &status);
        if (e->batch)
                batch_remove(e->client, e->batch);
        log_set_max_priority(priority);
}

static int make_prefix(Exec *e) {
        uint64_t number[2];

        if (getrandom(number, sizeof number, 0) != sizeof number)
                return log_error_errno(errno, "Cannot get random numbers: %s.", strerror(errno));
        (void) snprintf(e->prefix, sizeof e->prefix, "%.100s/vxm-%016llx%016llx", e->job->tmp ? e->job->tmp : "/tmp",
                (unsigned long long) number[0], (unsigned long long) number[1]);
        return 0;
}

int exec_run(const ExecJob *job) {
        _cleanup_(exec_done) Exec e = { .job = job };
        int r;

        e.client = agent_client_new(job->sockets, job->guest);
        if (!e.client)
                return log_oom();
        if (job->timeout > 0)
                agent_client_set_patience(e.client, job->timeout);
        r = make_prefix(&e);
        r = r < 0 ? r : ask_system(&e);
        e.started = now_usec();
        if (r >= 0 && interrupt_pending())
                r = -EINTR;
        if (r >= 0)
                r = e.system == AGENT_SYSTEM_WINDOWS ? start_windows(&e) : start_posix(&e);
        if (r == 0) {
                if (job->timeout > 0)
                        agent_client_set_patience(e.client, job->timeout + END_PATIENCE);
                r = follow(&e);
                r = r < 0 ? r : finish_output(&e);
        }
        if (r == -EINTR)
                r = 0, e.end_status = 128 + interrupt_take();
        if (r != -ECONNRESET && r != -EPROTO && r != -E_BUSY && r != -ENOTCONN)
                tidy(&e, r >= 0);
        return r != 0 ? r : e.end_status != 0 ? e.end_status : e.status.status;
}
