/* SPDX-License-Identifier: BSD-3-Clause */
/* Copying is reading from one of three kinds of ends and writing to another one: a file here, a file in a guest, a stream. */

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "agent-client.h"
#include "batch.h"
#include "copy.h"
#include "exec-run.h"
#include "exit-status.h"
#include "interrupt.h"
#include "log.h"
#include "parse.h"
#include "whole-file.h"

enum {
        PORTION = AGENT_READ_MAX,
        PROGRESS_FROM = 4 * 1024 * 1024, /* smaller files are there before anybody wonders */
        PATH_MAX_BYTES = 4096,
        MODE_USUAL = 0644,
        PATIENCE_LEFT = 2 * 1000 * 1000, /* µs */
};

typedef struct Copy Copy;

typedef struct Side {
        Copy *copy;
        const struct SideKind *kind;
        const CopyEnd *end;
        AgentClient *client;
        AgentSystem system;
        int fd;
        WholeFile file; /* of this machine, to be written */
        int64_t handle;
        bool is_open;
        char *target, *temporary; /* in a guest: what it becomes, and what it is till then */
        unsigned mode;            /* of the file that is read */
} Side;

typedef struct SideKind {
        int (*open_source)(Side *s);
        int (*read)(Side *s, char **ret, size_t *ret_size); /* *ret_size is 0 at the end */
        int (*open_target)(Side *s, const char *name);      /* name: what it is called in a directory */
        int (*write)(Side *s, const char *data, size_t size);
        int (*finish)(Side *s, unsigned mode); /* from here on the target is what was written */
        void (*abandon)(Side *s);
} SideKind;

struct Copy {
        Side from, to;
        uint64_t done, size, shown_at; /* size is 0 when it is not known */
        bool progress;
        uint32_t number;
};

int copy_end_parse(const char *text, CopyEnd *ret) {
        const char *colon = strchr(text, ':'), *slash = strchr(text, '/'), *path = text;
        CopyEnd e = {};

        if (colon && colon > text && (!slash || slash > colon)) {
                path = colon + 1;
                if ((size_t) (colon - text) != STRLEN("spirit") || strncmp(text, "spirit", STRLEN("spirit")) != 0) {
                        e.guest = strndup(text, (size_t) (colon - text));
                        if (!e.guest)
                                return -ENOMEM;
                }
        }
        e.path = strdup(path);
        if (isempty(e.path) || strlen(e.path) > PATH_MAX_BYTES) {
                bool empty = e.path != NULL;

                copy_end_done(&e);
                return empty ? -EINVAL : -ENOMEM;
        }
        *ret = e;
        return 0;
}

void copy_end_done(CopyEnd *e) {
        free(e->guest);
        free(e->path);
        *e = (CopyEnd){};
}

static void release(Copy *c) {
        if (c->from.client)
                agent_client_release(c->from.client);
        if (c->to.client)
                agent_client_release(c->to.client);
}

/* Waits for a descriptor; others may talk to the agents meanwhile. */
static int wait_fd(Copy *c, int fd, short events) {
        struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = interrupt_fd(), .events = POLLIN } };

        if (poll(p, 2, 0) < 0 && errno != EINTR)
                return -errno;
        while (p[0].revents == 0 && p[1].revents == 0) {
                release(c);
                if (poll(p, 2, -1) < 0 && errno != EINTR)
                        return -errno;
        }
        return p[1].revents != 0 ? -EINTR : 0;
}

/* ---- streams, and files of this machine ---- */

static int stream_open(Side *s) {
        s->fd = s->end->stream;
        return 0;
}

static int stream_open_target(Side *s, const char *name) {
        (void) name;
        return stream_open(s);
}

static const char *name_of(const Side *s) {
        return s->end->path ? s->end->path : "a pipe";
}

/* Who writes may have been cut short: waits until all of them have ended. */
static int ask_verdict(Side *s) {
        char byte;
        int r = wait_fd(s->copy, s->end->verdict, POLLIN);

        if (r < 0)
                return r;
        return read(s->end->verdict, &byte, 1) == 0 ? 0 : log_error_errno(ECANCELED, "What has come is not all, and has been thrown away.");
}

static int stream_read(Side *s, char **ret, size_t *ret_size) {
        char *data = malloc(PORTION);
        ssize_t n = -1;
        int r = data ? 0 : log_oom();

        while (r >= 0 && n < 0) {
                r = wait_fd(s->copy, s->fd, POLLIN);
                n = r < 0 ? -1 : read(s->fd, data, PORTION);
                if (r >= 0 && n < 0 && errno != EINTR && errno != EAGAIN)
                        r = log_error_errno(EIO, "Cannot read %s: %s.", name_of(s), strerror(errno)); /* never a number that means an agent */
        }
        if (r >= 0 && n == 0 && s->end->verdict > 0)
                r = ask_verdict(s);
        if (r < 0) {
                free(data);
                return r;
        }
        *ret = data;
        *ret_size = (size_t) n;
        return 0;
}

static int stream_write(Side *s, const char *data, size_t size) {
        for (size_t n; size > 0; data += n, size -= n) {
                int r = wait_fd(s->copy, s->fd, POLLOUT);
                ssize_t written = r < 0 ? 0 : write(s->fd, data, size < PIPE_BUF ? size : PIPE_BUF);

                if (written < 0 && errno == EPIPE)
                        return -EPIPE; /* whoever reads has enough */
                if (written < 0 && errno != EINTR && errno != EAGAIN)
                        return log_error_errno(EIO, "Cannot write %s: %s.", name_of(s), strerror(errno));
                if (r < 0)
                        return r;
                n = written < 0 ? 0 : (size_t) written;
        }
        return 0;
}

static int stream_finish(Side *s, unsigned mode) {
        (void) s;
        (void) mode;
        return 0;
}

static void stream_abandon(Side *s) {
        (void) s;
}

static const SideKind stream_kind = { stream_open, stream_read, stream_open_target, stream_write, stream_finish, stream_abandon };

/* Of a pipe with a name, opening waits for the other end; others may talk to the agents meanwhile. */
static int host_open_source(Side *s) {
        struct stat st;

        release(s->copy);
        s->fd = open(s->end->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (s->fd < 0 && errno == EINTR)
                return -EINTR;
        if (s->fd < 0 || fstat(s->fd, &st) < 0)
                return log_error_errno(errno, "Cannot open %s: %s.", s->end->path, strerror(errno));
        s->is_open = true;
        if (S_ISDIR(st.st_mode))
                return log_error_errno(EISDIR, "%s is a directory; vxm cp copies files, so pack it first, with tar say.", s->end->path);
        s->mode = st.st_mode & 0777;
        s->copy->size = S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0;
        return 0;
}

static int refuse_target(const Side *s, int r) {
        return log_error_errno(r, "Cannot write %s: %s.", s->file.target ? s->file.target : s->end->path, strerror(-r));
}

static int host_open_target(Side *s, const char *name) {
        int r = whole_file_find(&s->file, s->end->path, name);

        if (r < 0)
                return refuse_target(s, r);
        if (whole_file_is_in_place(&s->file))
                release(s->copy);
        r = whole_file_open(&s->file);
        s->fd = s->file.fd;
        return r < 0 && r != -EINTR ? refuse_target(s, r) : r;
}

static int host_finish(Side *s, unsigned mode) {
        int r = whole_file_finish(&s->file, mode);

        return r < 0 ? refuse_target(s, r) : 0;
}

static const SideKind host_kind = { host_open_source, stream_read, host_open_target, stream_write, host_finish, stream_abandon };

/* ---- files in a guest ---- */

static int check_status(const Side *s, const char *what, AgentStatus *status) {
        if (status->status == 0)
                return 0;
        return log_error_errno(EIO, "%s in guest %s: %s.", what, s->end->guest, agent_status_why(status, "refused"));
}

/* Runs a shell script in the guest; what it says on standard error is why it fails. *ret (or NULL) is its output. */
static int guest_script(Side *s, const char *what, const char *const words[], char **ret) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        int r = agent_exec(s->client, what, words, &status);

        r = r < 0 ? r : check_status(s, what, &status);
        if (r < 0)
                return r;
        if (ret)
                *ret = TAKE_PTR(status.out);
        return 0;
}

static int guest_meet(Side *s) {
        AgentCall call = { .command = "guest-get-osinfo" };
        int r = agent_client_calls(s->client, &call, 1);

        if (r >= 0)
                s->system = agent_reply_system(call.reply);
        agent_calls_done(&call, 1);
        return r;
}

static int guest_open_source(Side *s) {
        static const char script[] =
                "[ -e \"$1\" ] || { echo \"$1 is not there\" >&2; exit 1; }\n"
                "[ ! -d \"$1\" ] || { echo \"$1 is a directory; pack it first, with tar say\" >&2; exit 1; }\n"
                "[ -f \"$1\" ] || { echo \"$1 is no regular file\" >&2; exit 1; }\n"
                "stat -L -c '%a %s' -- \"$1\" 2>/dev/null || :";
        _cleanup_(freep) char *facts = NULL;
        unsigned long long size;
        unsigned mode;
        int r;

        s->mode = MODE_USUAL;
        r = guest_meet(s);
        if (r >= 0 && s->system == AGENT_SYSTEM_POSIX)
                r = guest_script(s, "Cannot read", (const char *const[]){ "/bin/sh", "-c", script, "vxm", s->end->path, NULL }, &facts);
        if (facts && sscanf(facts, "%4o %20llu", &mode, &size) == 2) {
                s->mode = mode & 0777;
                s->copy->size = size;
        }
        r = r < 0 ? r : agent_open(s->client, s->end->path, "r", &s->handle);
        s->is_open = r >= 0;
        return r;
}

static int guest_read(Side *s, char **ret, size_t *ret_size) {
        return agent_read(s->client, s->handle, ret, ret_size);
}

/* The new file is there before the agent opens it, which would let everybody write to it. */
static int find_posix_target(Side *s, const char *name) {
        static const char script[] =
                "t=$1\n"
                "case $t in -*) t=./$t ;; esac\n"
                "[ ! -d \"$t\" ] || t=${t%/}/$2\n"
                "[ ! -L \"$t\" ] || t=$(readlink -f \"$t\") || { echo \"$1 is a link that leads nowhere\" >&2; exit 1; }\n"
                "[ ! -d \"$t\" ] || { echo \"$t is a directory\" >&2; exit 1; }\n"
                "[ ! -e \"$t\" ] || [ -f \"$t\" ] || { echo \"$t is no regular file\" >&2; exit 1; }\n"
                "umask 077\n"
                "set -C\n"
                ": >\"$t.vxm-$3\" && printf %s \"$t\"";
        char number[16];
        int r;

        (void) snprintf(number, sizeof number, "%08x", s->copy->number);
        r = guest_script(s, "Cannot write", (const char *const[]){ "/bin/sh", "-c", script, "vxm", s->end->path, name, number, NULL },
                &s->target);
        if (r >= 0 && (isempty(s->target) || strlen(s->target) > 2 * PATH_MAX_BYTES || !utf8_is_valid(s->target)))
                return log_error_errno(EPROTO, "Guest %s gives a name that is none.", s->end->guest);
        return r;
}

/* The name may be whatever somebody has called a file elsewhere. */
static int check_windows_target(const char *path, const char *name) {
        _cleanup_(freep) char *whole = NULL;
        bool bad = strchr(path, '"') || name[strcspn(name, "\\/:*?\"<>|")] != '\0';

        if (format(&whole, "%s%s", path, name) < 0)
                return log_oom();
        for (const char *c = whole; *c; c++)
                bad = bad || (unsigned char) *c < ' ';
        return bad ? log_error_errno(EINVAL, "%s is no name for a file on Windows; give the copy another one.", text_clean(whole)) : 0;
}

/* cmd.exe has no program for these, so knows them itself: “move” and “del”. To them, a slash begins an option. */
static int run_builtin(Side *s, const char *what, const char *builtin, const char *path, const char *other, AgentStatus *ret) {
        _cleanup_(freep) char *line = NULL;
        int r = list_append(&line, " ", "%s", builtin);

        r = r < 0 ? r : batch_quote(&line, path);
        if (r >= 0 && other)
                r = batch_quote(&line, other);
        return r < 0 ? log_error_errno(r, "%s in guest %s: %s.", what, s->end->guest, strerror(-r)) : batch_run(s->client, what, line, ret);
}

static int refuse_directory(Side *s) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        _cleanup_(freep) char *line = NULL, *within = NULL;
        int r;

        if (format(&within, "%s\\*", s->target) < 0 || list_append(&line, "", "if exist") < 0 || batch_quote(&line, within) < 0 ||
                list_append(&line, " ", "exit 3") < 0)
                return log_oom();
        r = batch_run(s->client, "Cannot write", line, &status);
        if (r >= 0 && status.status == 3)
                return log_error_errno(EISDIR, "%s in guest %s is a directory; put a backslash behind it.", s->target, s->end->guest);
        return r;
}

static int find_windows_target(Side *s, const char *name) {
        const char *path = s->end->path, last = path[strlen(path) - 1];
        bool within = last == '\\' || last == '/';
        int r = check_windows_target(path, within ? name : "");

        if (r < 0)
                return r;
        if (format(&s->target, "%s%s", path, within ? name : "") < 0)
                return log_oom();
        for (char *slash = s->target; (slash = strchr(slash, '/'));)
                *slash = '\\';
        return within ? 0 : refuse_directory(s);
}

static int make_temporary(Side *s, const char *name) {
        int r = s->system == AGENT_SYSTEM_WINDOWS ? find_windows_target(s, name) : find_posix_target(s, name);

        if (r < 0)
                return r;
        if (format(&s->temporary, "%s.vxm-%08x", s->target, s->copy->number) < 0)
                return log_oom();
        r = agent_open(s->client, s->temporary, "w", &s->handle);
        s->is_open = r >= 0;
        return r;
}

static int guest_open_target(Side *s, const char *name) {
        int r = guest_meet(s);

        if (r < 0)
                return r;
        agent_client_set_interruptible(s->client, false); /* or a file might be there that nobody knows of */
        r = make_temporary(s, name);
        agent_client_set_interruptible(s->client, true);
        return r;
}

static int guest_write(Side *s, const char *data, size_t size) {
        return agent_write(s->client, s->handle, data, size);
}

static int move_windows_file(Side *s) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        int r = run_builtin(s, "Cannot rename a file", "move /y", s->temporary, s->target, &status);

        return r < 0 ? r : check_status(s, "Cannot rename a file", &status);
}

/* A file that is there already keeps its mode and its owner. */
static int guest_finish(Side *s, unsigned mode) {
        static const char script[] =
                "m=$(stat -c %a \"$1\" 2>/dev/null) || m=$3\n"
                "o=$(stat -c %u:%g \"$1\" 2>/dev/null) && chown \"$o\" \"$2\"\n"
                "chmod \"$m\" \"$2\" && exec mv -f -- \"$2\" \"$1\"";
        char text[16];
        int r;

        s->is_open = false;
        r = agent_close(s->client, s->handle);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof text, "%o", mode);
        if (s->system == AGENT_SYSTEM_WINDOWS)
                r = move_windows_file(s);
        else
                r = guest_script(s, "Cannot rename a file",
                        (const char *const[]){ "/bin/sh", "-c", script, "vxm", s->target, s->temporary, text, NULL }, NULL);
        if (r >= 0)
                free(TAKE_PTR(s->temporary));
        return r;
}

static void guest_abandon(Side *s) {
        _cleanup_(agent_status_done) AgentStatus status = {};

        if (!s->temporary)
                return;
        if (s->is_open)
                (void) agent_close(s->client, s->handle);
        s->is_open = false;
        if (s->system == AGENT_SYSTEM_WINDOWS)
                (void) run_builtin(s, "Cannot remove a file", "del", s->temporary, NULL, &status);
        else
                (void) agent_exec(s->client, "Cannot remove a file", (const char *const[]){ "rm", "-f", "--", s->temporary, NULL }, &status);
}

static const SideKind guest_kind = { guest_open_source, guest_read, guest_open_target, guest_write, guest_finish, guest_abandon };

/* ---- the copy ---- */

static void side_done(Side *s) {
        if (s->is_open && s->kind == &guest_kind && !s->temporary)
                (void) agent_close(s->client, s->handle);
        if (s->is_open && s->kind == &host_kind)
                close(s->fd);
        whole_file_done(&s->file);
        free(s->target);
        free(s->temporary);
}

static int side_begin(Copy *c, Side *s, const char *sockets, const CopyEnd *end, AgentClient *shared) {
        _cleanup_(freep) char *directory = NULL;
        int r;

        *s = (Side){ .copy = c, .end = end, .fd = -EBADF, .file.fd = -EBADF, .mode = MODE_USUAL,
                .kind = end->guest ? &guest_kind : end->path ? &host_kind : &stream_kind };
        if (!end->guest)
                return 0;
        r = exec_sockets(sockets, end->guest, &directory);
        if (r < 0)
                return r;
        s->client = shared ? shared : agent_client_new(directory, end->guest);
        return s->client ? 0 : log_oom();
}

static void show_progress(Copy *c, bool last) {
        uint64_t now = now_usec();

        if (!c->progress || c->done < PROGRESS_FROM || (!last && now - c->shown_at < 200000))
                return;
        c->shown_at = now;
        if (last)
                fprintf(stderr, "\r\033[K");
        else if (c->size > 0)
                fprintf(stderr, "\r\033[K%.1f of %.1f MiB", (double) c->done / 1048576, (double) c->size / 1048576);
        else
                fprintf(stderr, "\r\033[K%.1f MiB", (double) c->done / 1048576);
}

static int pump(Copy *c) {
        for (;;) {
                _cleanup_(freep) char *data = NULL;
                size_t size = 0;
                int r = interrupt_pending() ? -EINTR : c->from.kind->read(&c->from, &data, &size);

                if (r < 0 || size == 0)
                        return r;
                r = c->to.kind->write(&c->to, data, size);
                if (r < 0)
                        return r;
                c->done += size;
                show_progress(c, false);
        }
}

/* Elsewhere than on Windows, a backslash is a character as any other. */
static const char *base_name(const Side *s) {
        const char *name = s->end->path ? s->end->path : "input", *slash = strrchr(name, '/'), *backslash = strrchr(name, '\\');
        bool windows = s->end->guest && s->system == AGENT_SYSTEM_WINDOWS;

        name = slash ? slash + 1 : name;
        return windows && backslash && backslash >= name ? backslash + 1 : name;
}

static int run(Copy *c) {
        int r;

        r = c->from.kind->open_source(&c->from);
        r = r < 0 ? r : c->to.kind->open_target(&c->to, base_name(&c->from));
        r = r < 0 ? r : pump(c);
        show_progress(c, true);
        return r < 0 ? r : c->to.kind->finish(&c->to, c->from.mode);
}

static void prepare_end(AgentClient *client, int r) {
        if (!client)
                return;
        agent_client_set_interruptible(client, false);
        if (r == -E_BUSY || r == -EPROTO)
                agent_client_set_patience(client, PATIENCE_LEFT);
}

/* What is left to be done is done in spite of signals; by a guest that has been silent, soon or not at all. What it has against that
 * would be one message too many. */
static void finish_sides(Copy *c, int r) {
        int priority = log_get_max_priority();

        log_set_max_priority(-1);
        prepare_end(c->from.client, r);
        prepare_end(c->to.client, r);
        if (r < 0)
                c->to.kind->abandon(&c->to);
        side_done(&c->from);
        side_done(&c->to);
        log_set_max_priority(priority);
}

int copy_file(const char *sockets, const CopyEnd *from, const CopyEnd *to, bool progress) {
        Copy c = { .progress = progress && isatty(STDERR_FILENO) };
        int r;

        if (getrandom(&c.number, sizeof c.number, 0) != sizeof c.number)
                return log_error_errno(errno, "Cannot get random numbers: %s.", strerror(errno));
        r = side_begin(&c, &c.from, sockets, from, NULL);
        /* One guest has one client: two would wait for each other. */
        r = r < 0 ? r : side_begin(&c, &c.to, sockets, to, from->guest && streq_ptr(from->guest, to->guest) ? c.from.client : NULL);
        if (r >= 0) {
                int number;

                r = run(&c);
                number = r == -EINTR ? interrupt_take() : 0;
                finish_sides(&c, r);
                r = r == -EINTR ? 128 + number : r == -EPIPE ? 128 + SIGPIPE : r;
        }
        if (c.to.client != c.from.client)
                agent_client_free(c.to.client);
        agent_client_free(c.from.client);
        return r;
}
