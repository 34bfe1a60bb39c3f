/* SPDX-License-Identifier: BSD-3-Clause */
/* Talks to a guest's agent. */

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "agent-client.h"
#include "base64.h"
#include "exit-status.h"
#include "guest-files.h"
#include "guest-socket.h"
#include "interrupt.h"
#include "life-session.h"
#include "life.h"
#include "lines.h"
#include "log.h"
#include "root.h"

#define SECOND UINT64_C(1000000)
#define SYNC_TIMEOUT (10 * SECOND) /* others are let in after their SLICE; the agent itself answers within milliseconds */
#define CALL_TIMEOUT (30 * SECOND) /* a guest that writes 1 MiB to a slow disk, or starts a program while it swaps */
#define GRACE (2 * SECOND)         /* an answer on its way is waited for when a signal comes: what it holds would be lost */
#define SLICE (1 * SECOND)         /* who uses the socket for so long lets others in: asking for power off waits 3 s */

enum {
        LINE_MAX_BYTES = 2 * 1024 * 1024,          /* what AGENT_READ_MAX becomes in base64, and more */
        STATUS_LINE_MAX_BYTES = 48 * 1024 * 1024, /* twice AGENT_CAPTURE_MAX in base64 */
};

struct AgentClient {
        char *guest, *sockets;
        int fd;
        LineBuffer lines;
        uint64_t connected_at, patience;
        int64_t sync_id;
        bool synced, interruptible;
};

AgentClient *agent_client_new(const char *sockets, const char *guest) {
        AgentClient *c = calloc(1, sizeof *c);

        if (!c)
                return NULL;
        c->fd = -EBADF;
        c->interruptible = true;
        c->patience = UINT64_MAX;
        if (free_and_strdup(&c->guest, guest) < 0 || free_and_strdup(&c->sockets, sockets) < 0)
                return agent_client_free(c);
        return c;
}

AgentClient *agent_client_free(AgentClient *c) {
        if (!c)
                return NULL;
        agent_client_release(c);
        free(c->guest);
        free(c->sockets);
        free(c);
        return NULL;
}

const char *agent_client_guest(const AgentClient *c) {
        return c->guest;
}

void agent_client_set_patience(AgentClient *c, uint64_t usec) {
        c->patience = usec;
}

void agent_client_set_interruptible(AgentClient *c, bool interruptible) {
        c->interruptible = interruptible;
}

void agent_client_release(AgentClient *c) {
        closep(&c->fd);
        c->fd = -EBADF;
        c->synced = false;
        lines_done(&c->lines);
}

void agent_calls_done(AgentCall calls[], size_t n) {
        for (size_t i = 0; i < n; i++) {
                json_decref(calls[i].arguments);
                json_decref(calls[i].reply);
                free(calls[i].refusal);
                calls[i] = (AgentCall){ .command = calls[i].command };
        }
}

/* ---- what goes wrong ---- */

static int explain_absence(const AgentClient *c) {
        _cleanup_(guest_files_done) GuestFiles files = {};
        _cleanup_(closep) int root = root_open("/");

        if (root >= 0 && guest_files_find(root, GUEST_FILES, c->guest, &files) == -ENOENT)
                return log_error_errno(E_CONFIG, "There is no guest “%s”; `vxm list` shows those there are.", c->guest);
        return log_error_errno(ENOTCONN, "Guest %s does not run; start it with vxm start %s.", c->guest, c->guest);
}

/* Why the guest may be silent, as QEMU tells it. */
typedef struct Silence {
        const GuestState *state; /* NULL: QEMU cannot be asked */
        int open;                /* whether a program in the guest has the agent's port open: 1, 0, or -1 */
} Silence;

static Silence look_into_silence(const AgentClient *c) {
        _cleanup_(life_closep) LifeSession *s = NULL;
        _cleanup_(json_decrefp) json_t *devices = NULL;
        int priority = log_get_max_priority(), r;
        Silence silence = { .open = -1 };
        const json_t *device;
        size_t i;

        log_set_max_priority(-1);
        r = life_open(c->sockets, c->guest, &s);
        r = r < 0 ? r : life_ask_state(s, &silence.state);
        r = r < 0 ? r : life_call(s, "", "query-chardev", NULL, &devices);
        log_set_max_priority(priority);
        json_array_foreach(devices, i, device)
                if (r >= 0 && streq_ptr(json_get_string(device, "label"), "agent"))
                        silence.open = json_is_true(json_object_get(device, "frontend-open"));
        return silence;
}

static int explain_silence(const AgentClient *c, uint64_t waited) {
        Silence silence = look_into_silence(c);
        const char *next = "the guest boots or hangs, or somebody else talks to its agent all the time";

        if (silence.state && !streq(silence.state->name, "running"))
                return log_error_errno(E_BUSY, "The agent of guest %s does not answer, as the guest is %s; see vxm status %s.", c->guest,
                        silence.state->text, c->guest);
        if (c->synced)
                return log_error_errno(E_BUSY, "The agent of guest %s has not answered within %.1f s: the guest hangs, or is very busy.",
                        c->guest, (double) waited / (double) SECOND);
        if (silence.open == 0)
                return log_error_errno(E_LACKS, "No guest agent runs in guest %s: wait until it has booted, or install qemu-guest-agent there, and start it.", c->guest);
        return log_error_errno(E_BUSY, "The agent of guest %s does not answer within %.1f s: %s%s.", c->guest,
                (double) waited / (double) SECOND, silence.open < 0 ? "none runs in the guest, " : "", next);
}

static int explain(const AgentClient *c, int r, uint64_t waited) {
        switch (r) {
        case -EINTR:
                return r;
        case -ENOENT:
        case -ECONNREFUSED:
                return explain_absence(c);
        case -EACCES:
                return log_error_errno(r, "You may not talk to guest %s; only root, the guest's own user and members of the group vxm may.",
                        c->guest);
        case -EAGAIN:
                return log_error_errno(E_BUSY, "Others wait for the agent of guest %s already; try again.", c->guest);
        case -EPERM:
                return log_error_errno(r, "It is not guest %s that listens at %s/agent; stop the guest, it has been tampered with.",
                        c->guest, c->sockets);
        case -EPROTO:
                return log_error_errno(r, "What the agent of guest %s says is no answer; something else speaks in its place, or is broken.",
                        c->guest);
        case -ECONNRESET:
        case -EPIPE:
                return log_error_errno(ECONNRESET, "QEMU of guest %s has hung up; see vxm status %s.", c->guest, c->guest);
        case -ETIMEDOUT:
                return explain_silence(c, waited);
        default:
                return log_error_errno(r, "Cannot talk to the agent of guest %s: %s.", c->guest, strerror(-r));
        }
}

int agent_client_misfit(AgentClient *c, int r, const char *command) {
        agent_client_release(c);
        return r == -EPROTO ? log_error_errno(r, "The agent of guest %s answers %s with what is no answer to it.", c->guest, command) :
               r == -ENOMEM ? log_oom() :
                              log_error_errno(r, "%s in guest %s: %s.", command, c->guest, strerror(-r));
}

/* ---- the conversation ---- */

/* All commands, a line each; the arguments are used up. The byte 0xff makes the agent drop what a caller before us has left
 * half-said. */
static int say(AgentClient *c, AgentCall calls[], size_t n, char **ret, size_t *ret_size) {
        FILE *f = open_memstream(ret, ret_size);
        int r = f ? 0 : -ENOMEM;

        if (f && !c->synced)
                fprintf(f, "\xff{\"execute\": \"guest-sync-delimited\", \"arguments\": {\"id\": %lld}}\n", (long long) c->sync_id);
        for (size_t i = 0; i < n; i++) {
                json_t *arguments = TAKE_PTR(calls[i].arguments), *command = json_pack("{s:s}", "execute", calls[i].command);

                if (arguments && json_object_set_new(command, "arguments", arguments) < 0)
                        r = -ENOMEM;
                if (r >= 0 && json_dumpf(command, f, JSON_COMPACT) < 0)
                        r = -ENOMEM;
                if (f)
                        fputc('\n', f);
                json_decref(command);
        }
        return f && fclose(f) != 0 && r >= 0 ? -ENOMEM : r;
}

/* Takes the answers out of what has been read. */
static int listen_to(AgentClient *c, AgentCall calls[], size_t n, size_t *answered) {
        char *next;
        size_t size;
        int r;

        while (*answered < n && (next = lines_next(&c->lines, &size))) {
                _cleanup_(freep) char *line = next;

                if (!c->synced) {
                        c->synced = agent_reply_answers_sync(line, size, c->sync_id);
                        continue;
                }
                r = agent_reply_parse(line, size, &calls[*answered].reply, &calls[*answered].refusal);
                if (r < 0)
                        return r;
                *answered += (size_t) r;
        }
        return 0;
}

static int write_some(AgentClient *c, const char *text, size_t size, size_t *written) {
        ssize_t n = send(c->fd, text + *written, size - *written, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        *written += (size_t) n;
        return 0;
}

/* Waits until something can be read, or written if want_write; -ETIMEDOUT, -EINTR. */
static int wait_for(const AgentClient *c, bool want_write, bool interruptible, uint64_t deadline, short *ret_events) {
        struct pollfd p[2] = { { .fd = c->fd, .events = (short) (POLLIN | (want_write ? POLLOUT : 0)) },
                { .fd = interruptible ? interrupt_fd() : -EBADF, .events = POLLIN } };
        uint64_t now = now_usec();

        if (now >= deadline) /* also when it has always something else to say */
                return -ETIMEDOUT;
        if (poll(p, 2, (int) ((deadline - now) / 1000 + 1)) < 0 && errno != EINTR)
                return -errno;
        if (p[1].revents != 0)
                return -EINTR;
        *ret_events = p[0].revents;
        return 0;
}

static uint64_t within(const AgentClient *c, uint64_t usual) {
        return c->patience < usual ? c->patience : usual;
}

static int exchange(AgentClient *c, const char *text, size_t size, AgentCall calls[], size_t n) {
        uint64_t deadline = now_usec() + within(c, c->synced ? CALL_TIMEOUT : SYNC_TIMEOUT);
        size_t written = 0, answered = 0;
        bool interrupted = false;
        int r = 0;

        while (r >= 0 && answered < n) {
                bool was_synced = c->synced;
                short events = 0;

                r = wait_for(c, written < size, c->interruptible && !interrupted, deadline, &events);
                if (r == -EINTR) {
                        interrupted = true;
                        deadline = deadline < now_usec() + GRACE ? deadline : now_usec() + GRACE;
                        r = 0;
                        continue;
                }
                if (r >= 0 && (events & POLLOUT))
                        r = write_some(c, text, size, &written);
                if (r >= 0 && (events & (POLLIN | POLLHUP | POLLERR))) {
                        ssize_t got = lines_read(&c->lines, c->fd);

                        r = got == -EAGAIN ? 0 : got == 0 ? -ECONNRESET : got == -EMSGSIZE ? -EPROTO : got < 0 ? (int) got : 0;
                }
                r = r < 0 ? r : listen_to(c, calls, n, &answered);
                if (c->synced && !was_synced && !interrupted)
                        deadline = now_usec() + within(c, CALL_TIMEOUT);
        }
        return r == -ETIMEDOUT && interrupted ? -EINTR : r;
}

static int connect_client(AgentClient *c) {
        uint32_t number;
        int r;

        if (getrandom(&number, sizeof number, 0) != sizeof number)
                return -errno;
        c->sync_id = number & INT32_MAX;
        do
                r = guest_socket_connect(c->sockets, "agent", within(c, SYNC_TIMEOUT), NULL);
        while (r == -EINTR && !c->interruptible);
        c->connected_at = now_usec();
        if (r < 0)
                return r == -EINPROGRESS ? -EAGAIN : r;
        c->fd = r;
        return 0;
}

static size_t longest_line(const AgentCall calls[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (streq(calls[i].command, "guest-exec-status"))
                        return STATUS_LINE_MAX_BYTES;
        return LINE_MAX_BYTES;
}

int agent_client_calls(AgentClient *c, AgentCall calls[], size_t n) {
        _cleanup_(freep) char *text = NULL;
        uint64_t start = now_usec();
        size_t size = 0;
        int r = 0;

        if (c->fd >= 0 && start - c->connected_at > SLICE)
                agent_client_release(c);
        if (c->fd < 0)
                r = connect_client(c);
        c->lines.max = longest_line(calls, n);
        r = r < 0 ? r : say(c, calls, n, &text, &size);
        r = r < 0 ? r : exchange(c, text, size, calls, n);
        if (r >= 0)
                return 0;
        r = explain(c, r, now_usec() - start);
        agent_client_release(c);
        return r;
}

int agent_client_call(AgentClient *c, const char *what, const char *command, json_t *arguments, json_t **ret) {
        AgentCall call = { .command = command, .arguments = arguments };
        int r = agent_client_calls(c, &call, 1);

        if (r >= 0 && call.refusal)
                r = log_error_errno(ECANCELED, "%s: the agent of guest %s says: %s.", what, c->guest, call.refusal);
        if (r >= 0 && ret)
                *ret = TAKE_PTR(call.reply);
        agent_calls_done(&call, 1);
        return r;
}

/* ---- files and processes ---- */

/* Arguments could not be built of somebody's words. */
static int refuse_words(const char *what) {
        return log_error_errno(EINVAL, "%s: a name or word in it is not UTF-8, which is all that the guest agent takes.", what);
}

int agent_open(AgentClient *c, const char *path, const char *mode, int64_t *ret_handle) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        _cleanup_(freep) char *what = NULL;
        json_t *arguments = json_pack("{s:s,s:s}", "path", path, "mode", mode);
        int r;

        if (format(&what, "Cannot open %s", path) < 0)
                return json_decref(arguments), log_oom();
        (void) text_clean(what); /* a name may come from the guest */
        if (!arguments)
                return refuse_words(what);
        r = agent_client_call(c, what, "guest-file-open", arguments, &reply);
        if (r < 0)
                return r;
        r = agent_reply_handle(reply, ret_handle);
        return r < 0 ? agent_client_misfit(c, r, "guest-file-open") : 0;
}

int agent_read(AgentClient *c, int64_t handle, char **ret, size_t *ret_size) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        json_t *arguments = json_pack("{s:I,s:i}", "handle", (json_int_t) handle, "count", AGENT_READ_MAX);
        int r = arguments ? agent_client_call(c, "Cannot read", "guest-file-read", arguments, &reply) : log_oom();

        if (r < 0)
                return r;
        r = agent_reply_read(reply, ret, ret_size);
        return r < 0 ? agent_client_misfit(c, r, "guest-file-read") : 0;
}

int agent_write(AgentClient *c, int64_t handle, const void *data, size_t size) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        _cleanup_(freep) char *text = NULL;
        json_t *arguments;
        int r = base64_encode(data, size, &text);

        arguments = r < 0 ? NULL : json_pack("{s:I,s:s}", "handle", (json_int_t) handle, "buf-b64", text);
        r = arguments ? agent_client_call(c, "Cannot write", "guest-file-write", arguments, &reply) : log_oom();
        if (r < 0)
                return r;
        r = agent_reply_written(reply, size);
        return r < 0 ? agent_client_misfit(c, r, "guest-file-write") : 0;
}

int agent_close(AgentClient *c, int64_t handle) {
        AgentCall calls[] = { { .command = "guest-file-flush", .arguments = json_pack("{s:I}", "handle", (json_int_t) handle) },
                { .command = "guest-file-close", .arguments = json_pack("{s:I}", "handle", (json_int_t) handle) } };
        const char *refusal;
        int r = agent_client_calls(c, calls, ELEMENTSOF(calls));

        refusal = calls[0].refusal ? calls[0].refusal : calls[1].refusal;
        if (r >= 0 && refusal)
                r = log_error_errno(ECANCELED, "Cannot finish a file: the agent of guest %s says: %s.", c->guest, refusal);
        agent_calls_done(calls, ELEMENTSOF(calls));
        return r;
}

json_t *agent_exec_arguments(const char *const words[], const void *input, size_t input_size) {
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s,s:[],s:b}", "path", words[0], "arg", "capture-output", 1);
        _cleanup_(freep) char *text = NULL;
        json_t *list = json_object_get(arguments, "arg");

        for (size_t i = 1; list && words[i]; i++)
                if (json_array_append_new(list, json_string(words[i])) < 0)
                        return NULL;
        if (!list || (input && (base64_encode(input, input_size, &text) < 0 ||
                                       json_object_set_new(arguments, "input-data", json_string(text)) < 0)))
                return NULL;
        return TAKE_PTR(arguments);
}

static int exec_status(AgentClient *c, const char *what, int64_t pid, AgentStatus *ret) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        json_t *arguments = json_pack("{s:I}", "pid", (json_int_t) pid);
        int r = arguments ? agent_client_call(c, what, "guest-exec-status", arguments, &reply) : log_oom();

        if (r < 0)
                return r;
        r = agent_reply_status(reply, ret);
        return r < 0 ? agent_client_misfit(c, r, "guest-exec-status") : 0;
}

int agent_exec(AgentClient *c, const char *what, const char *const words[], AgentStatus *ret) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        json_t *arguments = agent_exec_arguments(words, NULL, 0);
        uint64_t start = now_usec();
        int64_t pid;
        int r = arguments ? agent_client_call(c, what, "guest-exec", arguments, &reply) : refuse_words(what);

        if (r < 0)
                return r;
        r = agent_reply_pid(reply, &pid);
        if (r < 0)
                return agent_client_misfit(c, r, "guest-exec");
        for (uint64_t wait = 1;; wait = wait < 100 ? wait * 2 : wait) {
                agent_status_done(ret);
                r = exec_status(c, what, pid, ret);
                if (r < 0 || ret->exited)
                        return r;
                if (c->interruptible && interrupt_pending())
                        return -EINTR;
                if (now_usec() - start > CALL_TIMEOUT)
                        return log_error_errno(E_BUSY, "%s: guest %s has not done it within %d s.", what, c->guest,
                                (int) (CALL_TIMEOUT / SECOND));
                (void) poll(NULL, 0, (int) wait);
        }
}
