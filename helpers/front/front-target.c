/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm called as @TARGET: runs a command there, or tells a guest what to do. */

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "exec-run.h"
#include "exit-status.h"
#include "guest-files.h"
#include "guest-socket.h"
#include "interrupt.h"
#include "life.h"
#include "log.h"
#include "parse.h"
#include "root.h"
#include "target.h"
#include "verb.h"

enum {
        NAMES_MAX = 64 * 1024, /* bytes of what docker says of its containers */
};

bool target_is_guest(const char *target) {
        return !streq(target, "spirit") && !streq(target, "docker");
}

int target_check(const char *sockets, const char *target) {
        _cleanup_(guest_files_done) GuestFiles files = {};
        _cleanup_(closep) int root = -EBADF;
        _cleanup_(freep) char *directory = NULL;

        if (!target_is_guest(target))
                return 0;
        if (format(&directory, "%s/%s", sockets, target) < 0)
                return log_oom();
        if (guest_name_is_valid(target) && access(directory, F_OK) == 0)
                return 0; /* it runs, whatever has become of its file */
        root = root_open("/");
        if (guest_name_is_valid(target) && root >= 0 && guest_files_find(root, GUEST_FILES, target, &files) >= 0)
                return 0;
        return log_error_errno(E_CONFIG, "There is no guest “%s”; `vxm list` shows those there are.", target);
}

static int join(int argc, char *const argv[], char **ret) {
        int r = 0;

        for (int i = 0; r >= 0 && i < argc; i++)
                r = list_append(ret, " ", "%s", argv[i]);
        return r;
}

/* ---- this machine ---- */

/* Without a line: a shell to work in. */
static int run_here(const char *line) {
        const char *shell = getenv("SHELL");

        if (isempty(shell) || shell[0] != '/')
                shell = "/bin/sh";
        if (line)
                (void) execl(shell, shell, "-c", line, NULL);
        else
                (void) execl(shell, shell, NULL);
        return exit_status(log_error_errno(errno, "Cannot run %s: %s.", shell, strerror(errno)));
}

/* ---- containers ---- */

extern char **environ;

/* What a program says, at most NAMES_MAX bytes. Returns 0; -ENOENT: there is no such program; -EIO: it has failed. */
static int capture(char *const argv[], char **ret) {
        posix_spawn_file_actions_t actions;
        int pipe_fd[2], status, r;
        pid_t pid;

        if (pipe2(pipe_fd, O_CLOEXEC) < 0)
                return -errno;
        r = -posix_spawn_file_actions_init(&actions);
        r = r < 0 ? r : -posix_spawn_file_actions_adddup2(&actions, pipe_fd[1], STDOUT_FILENO);
        r = r < 0 ? r : -posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        close(pipe_fd[1]);
        if (r >= 0) {
                r = read_full(pipe_fd[0], NAMES_MAX, ret, NULL);
                close(pipe_fd[0]);
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
                return r < 0 ? r : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
        }
        close(pipe_fd[0]);
        return r;
}

/* docker, or podman. */
static int find_engine(const char **ret, char **ret_names) {
        static const char *const engines[] = { "docker", "podman" };

        for (size_t i = 0; i < ELEMENTSOF(engines); i++) {
                char *argv[] = { (char *) engines[i], (char *) "ps", (char *) "--format", (char *) "{{.Names}}", NULL };
                int r = capture(argv, ret_names);

                *ret = engines[i];
                if (r == -ENOENT)
                        continue;
                return r < 0 ? log_error_errno(E_LACKS, "“%s ps” fails; see whether it works for you by itself.", engines[i]) : 0;
        }
        return log_error_errno(E_LACKS, "There is neither docker nor podman; install one of them.");
}

static size_t count_names(const char *names) {
        size_t n = 0;

        for (const char *p = names; *p; p++)
                n += *p != '\n' && (p == names || p[-1] == '\n');
        return n;
}

static bool has_name(const char *names, const char *word, size_t n) {
        for (const char *line = names; n > 0 && *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (strcspn(line, "\n") == n && strncmp(line, word, n) == 0)
                        return true;
        return false;
}

/* The line begins with a container's name; or the only one that runs is meant. */
static int run_in_container(const char *line) {
        _cleanup_(freep) char *names = NULL, *container = NULL;
        size_t n = strcspn(line, " \t");
        const char *engine;
        int r;

        r = find_engine(&engine, &names);
        if (r < 0)
                return exit_status(r);
        if (has_name(names, line, n)) {
                container = strndup(line, n);
                line += n + strspn(line + n, " \t");
        } else if (count_names(names) == 1)
                container = strndup(names, strcspn(names, "\n"));
        else
                return exit_status(log_error_errno(E_CONFIG, "%s; write @docker CONTAINER COMMAND, see %s ps.",
                        count_names(names) == 0 ? "No container runs" : "Several containers run", engine));
        if (!container)
                return exit_status(log_oom());
        if (*line == '\0')
                return fprintf(stderr, "vxm: expected a command for container %s.\n", container), STATUS_USAGE;
        (void) execlp(engine, engine, "exec", "-i", container, "sh", "-c", line, NULL);
        return exit_status(log_error_errno(errno, "Cannot run %s: %s.", engine, strerror(errno)));
}

/* ---- guests ---- */

static bool cut_short;

bool target_was_cut_short(void) {
        return cut_short;
}

static int run_in_guest(const char *root, const char *guest, const char *line) {
        _cleanup_(freep) char *sockets = NULL;
        const char *const words[] = { line, NULL };
        ExecJob job = { .guest = guest, .words = words, .in = isatty(STDIN_FILENO) ? -1 : STDIN_FILENO, .out = STDOUT_FILENO,
                .err = STDERR_FILENO };
        int r = exec_sockets(root, guest, &sockets);

        if (r < 0)
                return exit_status(r);
        r = interrupt_catch();
        if (r < 0)
                return exit_status(log_error_errno(r, "Cannot catch signals: %s.", strerror(-r)));
        job.sockets = sockets;
        r = exec_run(&job);
        cut_short = r < 0;
        return r < 0 ? exit_status(r) : r;
}

/* What @GUEST takes beside commands, and what follows it. */
static const struct {
        const char *option, *action;
        bool tag;
        LifeVerb verb;
} verbs[] = {
        { "--pause", NULL, false, LIFE_PAUSE },
        { "--resume", NULL, false, LIFE_RESUME },
        { "--status", NULL, false, LIFE_STATUS },
        { "--snapshot", "list", false, LIFE_SNAPSHOTS },
        { "--snapshot", "save", true, LIFE_SNAPSHOT_SAVE },
        { "--snapshot", "load", true, LIFE_SNAPSHOT_LOAD },
        { "--snapshot", "delete", true, LIFE_SNAPSHOT_DELETE },
};

/* Returns an exit status; -ENOENT: these words are none of ours. */
static int tell_guest(const char *guest, int argc, char *argv[]) {
        bool option = false;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                int n = 1 + (verbs[i].action != NULL) + verbs[i].tag;

                if (!streq(verbs[i].option, argv[0]))
                        continue;
                option = true;
                if (argc == n && (!verbs[i].action || streq(verbs[i].action, argv[1])))
                        return exit_status(life_run(verbs[i].verb, guest, verbs[i].tag ? argv[2] : NULL, false));
        }
        if (!option)
                return -ENOENT;
        fprintf(stderr, "vxm: expected @%s --pause, --resume, --status, --snapshot list, or --snapshot save|load|delete TAG.\n", guest);
        return STATUS_USAGE;
}

int target_line(const char *sockets, const char *target, const char *line) {
        return streq(target, "spirit") ? run_here(line) :
               streq(target, "docker") ? run_in_container(line) :
                                         run_in_guest(sockets, target, line);
}

int target_words(const char *sockets, const char *target, int argc, char *argv[]) {
        _cleanup_(freep) char *line = NULL;
        bool guest = target_is_guest(target);
        int r;

        if (argc == 0 && streq(target, "spirit"))
                return run_here(NULL);
        if (argc == 0)
                return fprintf(stderr, "vxm: expected a command behind @%s; see man vxm.\n", target), STATUS_USAGE;
        r = guest && startswith(argv[0], "--") ? tell_guest(target, argc, argv) : -ENOENT;
        if (r != -ENOENT)
                return r;
        if (guest && startswith(argv[0], "--"))
                return fprintf(stderr, "vxm: @%s takes no %s in a line of vxm shell; write vxm exec %s %s ….\n", target, argv[0], target, argv[0]),
                       STATUS_USAGE;
        if (join(argc, argv, &line) < 0)
                return exit_status(log_oom());
        return target_line(sockets, target, line);
}

/* The options of vxm exec, and “--”. */
static int exec_words(const char *guest, int argc, char *argv[]) {
        _cleanup_(freep) char **words = calloc((size_t) argc + 3, sizeof *words);

        if (!words)
                return exit_status(log_oom());
        words[0] = (char *) "exec";
        words[1] = (char *) guest;
        memcpy(words + 2, argv, (size_t) argc * sizeof *argv);
        return verb_exec(argc + 2, words);
}

int verb_target(const char *target, int argc, char *argv[]) {
        bool guest = target_is_guest(target);
        int r = -ENOENT;

        if (guest && argc > 0 && startswith(argv[0], "--")) {
                r = tell_guest(target, argc, argv);
                r = r == -ENOENT ? exec_words(target, argc, argv) : r;
        }
        return r == -ENOENT ? target_words(GUEST_SOCKETS, target, argc, argv) : r;
}
