/* SPDX-License-Identifier: BSD-3-Clause */
/* Pipelines across machines. */

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "copy.h"
#include "exit-status.h"
#include "interrupt.h"
#include "log.h"
#include "shell-run.h"
#include "target.h"

typedef enum StepKind {
        STEP_COMMAND,
        STEP_READ,  /* a file to its output */
        STEP_WRITE, /* its input to a file */
} StepKind;

typedef struct Step {
        StepKind kind;
        const ShellPart *part;
        pid_t pid;
} Step;

/* Where a step says that what it has written is not all, and where who writes it into a file hears that. */
typedef struct Verdict {
        int hear, say;
} Verdict;

enum {
        STEPS_MAX = SHELL_STAGES_MAX + 2,
};

static const char *target_of(const ShellPart *part) {
        return part->target ? part->target : "spirit";
}

/* Returns an exit status. *ret_short: by a failure, not all has been copied. */
static int copy_step(const char *sockets, const Step *s, const Verdict *verdict, bool *ret_short) {
        const char *target = target_of(s->part);
        CopyEnd file = { .guest = streq(target, "spirit") ? NULL : s->part->target, .path = s->part->text };
        CopyEnd stream = { .stream = s->kind == STEP_READ ? STDOUT_FILENO : STDIN_FILENO, .verdict = verdict->hear };
        int r = interrupt_catch();

        if (r < 0)
                return exit_status(log_error_errno(r, "Cannot catch signals: %s.", strerror(-r)));
        r = s->kind == STEP_READ ? copy_file(sockets, &file, &stream, false) : copy_file(sockets, &stream, &file, false);
        *ret_short = r < 0;
        return r < 0 ? exit_status(r) : r;
}

/* “@demo --pause”: of such lines the words count. */
static int option_step(const char *sockets, const ShellPart *part) {
        char *words[8];
        int n = 0, r = 1;

        for (const char *p = part->text; r > 0 && n < (int) ELEMENTSOF(words);) {
                r = shell_word(&p, &words[n]);
                n += r > 0;
        }
        return r < 0 ? exit_status(log_oom()) : target_words(sockets, part->target, n, words);
}

static int run_step(const char *sockets, const Step *s, const Verdict *verdict, bool *ret_short) {
        const char *target = target_of(s->part);
        int status;

        *ret_short = false;
        if (s->kind != STEP_COMMAND)
                return copy_step(sockets, s, verdict, ret_short);
        if (s->part->target && startswith(s->part->text, "--"))
                return option_step(sockets, s->part);
        status = target_line(sockets, target, s->part->text);
        *ret_short = target_was_cut_short();
        return status;
}

static int run_child(const char *sockets, const Step *s, int in, int out, Verdict *verdict) {
        static const int signals[] = { SIGINT, SIGQUIT, SIGPIPE };
        bool is_short;
        int status;

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) signal(signals[i], SIG_DFL);
        if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
                return exit_status(log_error_errno(errno, "Cannot connect commands: %s.", strerror(errno)));
        if (s->kind == STEP_WRITE)
                closep(&verdict->say);
        status = run_step(sockets, s, verdict, &is_short);
        if (is_short && s->kind != STEP_WRITE && verdict->say >= 0)
                (void) !write(verdict->say, "!", 1);
        return status;
}

/* A container has no files of its own that we could read: its commands have. */
static int check(const char *sockets, const ShellLine *line) {
        const ShellPart *files[] = { &line->input, &line->output };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < line->n; i++)
                r = target_check(sockets, target_of(&line->stages[i]));
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(files); i++) {
                r = files[i]->text ? target_check(sockets, target_of(files[i])) : 0;
                if (r >= 0 && files[i]->text && streq(target_of(files[i]), "docker"))
                        r = log_error_errno(E_CONFIG, "Files in a container are read and written by commands there, such as cat.");
        }
        return r;
}

static size_t plan(const ShellLine *line, Step steps[static STEPS_MAX]) {
        size_t n = 0;

        if (line->input.text)
                steps[n++] = (Step){ .kind = STEP_READ, .part = &line->input };
        for (size_t i = 0; i < line->n; i++)
                steps[n++] = (Step){ .kind = STEP_COMMAND, .part = &line->stages[i] };
        if (line->output.text)
                steps[n++] = (Step){ .kind = STEP_WRITE, .part = &line->output };
        return n;
}

static int start_step(const char *sockets, Step *s, int in, int out, int other, Verdict *verdict) {
        fflush(stdout);
        s->pid = fork();
        if (s->pid < 0)
                return log_error_errno(errno, "Cannot start a process: %s.", strerror(errno));
        if (s->pid == 0) {
                int status;

                if (other >= 0)
                        close(other); /* the reader's end, or a writer would not see that nobody reads */
                status = run_child(sockets, s, in, out, verdict);
                fflush(stdout);
                _exit(status);
        }
        return 0;
}

static int start_all(const char *sockets, Step steps[], size_t n, int input, Verdict *verdict) {
        _cleanup_(closep) int in = -EBADF;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                int ends[2] = { -EBADF, -EBADF };

                if (i + 1 < n && pipe2(ends, O_CLOEXEC) < 0)
                        return log_error_errno(errno, "Cannot connect commands: %s.", strerror(errno));
                r = start_step(sockets, &steps[i], i == 0 ? input : in, ends[1], ends[0], verdict);
                if (ends[1] >= 0)
                        close(ends[1]);
                closep(&in);
                in = ends[0];
        }
        return r;
}

static int wait_all(const Step steps[], size_t n) {
        int failed = 0;

        for (size_t i = 0; i < n && steps[i].pid > 0; i++) {
                int status = 0;

                while (waitpid(steps[i].pid, &status, 0) < 0 && errno == EINTR)
                        ;
                status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
                failed = status != 0 ? status : failed;
        }
        return failed;
}

static int verdict_open(Verdict *v) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        *v = (Verdict){ ends[0], ends[1] };
        return 0;
}

static void verdict_done(Verdict *v) {
        closep(&v->hear);
        closep(&v->say);
}

int shell_run(const char *sockets, const ShellLine *line, int input) {
        Step steps[STEPS_MAX];
        void (*interrupt)(int), (*quit)(int);
        _cleanup_(verdict_done) Verdict verdict = { -EBADF, -EBADF };
        size_t n = plan(line, steps);
        int r, status;

        if (line->n == 0)
                return 0;
        r = check(sockets, line);
        if (r < 0)
                return exit_status(r);
        if (line->output.text && verdict_open(&verdict) < 0)
                return exit_status(log_error_errno(errno, "Cannot connect commands: %s.", strerror(errno)));
        interrupt = signal(SIGINT, SIG_IGN); /* Ctrl-C reaches the commands, which end */
        quit = signal(SIGQUIT, SIG_IGN);
        r = start_all(sockets, steps, n, input, &verdict);
        closep(&verdict.say);
        status = wait_all(steps, n);
        (void) signal(SIGINT, interrupt);
        (void) signal(SIGQUIT, quit);
        return r < 0 ? exit_status(r) : status;
}
