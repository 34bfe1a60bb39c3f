/* SPDX-License-Identifier: BSD-3-Clause */
/* Child processes with a deadline. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "guarded.h"
#include "root.h"

enum {
        KILL_USEC = 1000000, /* how long a killed process has to vanish before it counts as stuck */
};

/* Waits until the process has ended. Returns 1, 0 when usec have passed, or -errno. */
static int wait_end(int pidfd, uint64_t usec) {
        uint64_t end;

        if (__builtin_add_overflow(now_usec(), usec, &end))
                end = UINT64_MAX;
        for (;;) {
                struct pollfd p = { .fd = pidfd, .events = POLLIN };
                uint64_t now = now_usec(), left = end > now ? end - now : 0;
                struct timespec t = { .tv_sec = (time_t) (left / 1000000), .tv_nsec = (long) (left % 1000000 * 1000) };
                int r = ppoll(&p, 1, &t, NULL);

                if (r >= 0)
                        return r > 0;
                if (errno != EINTR)
                        return -errno;
        }
}

static int result_of(int pidfd) {
        siginfo_t info = {};

        if (waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED) < 0)
                return -errno;
        return info.si_code == CLD_EXITED ? -info.si_status : -EIO;
}

/* Field 22 of /proc/PID/stat; the command's name before it may hold anything, but ends with the last parenthesis. */
static int read_start_time(int root, pid_t pid, uint64_t *ret) {
        _cleanup_(freep) char *text = NULL;
        char path[48], *s;
        unsigned long long value;
        int r;

        (void) snprintf(path, sizeof path, "proc/%d/stat", pid);
        r = root_read(root, path, &text);
        if (r < 0)
                return r;
        s = strrchr(text, ')');
        for (int field = 2; s && field < 22; field++)
                s = strchr(s + 1, ' ');
        if (!s || sscanf(s, " %llu", &value) != 1)
                return -EBADMSG;
        *ret = value;
        return 0;
}

static int give_up(pid_t pid, int pidfd, GuardedStuck *ret_stuck) {
        _cleanup_(closep) int root = root_open("/");
        GuardedStuck stuck = { .pid = pid };
        int r;

        (void) kill(pid, SIGKILL);
        r = wait_end(pidfd, KILL_USEC);
        if (r > 0) {
                (void) result_of(pidfd);
                return -ETIMEDOUT;
        }
        (void) read_start_time(root, pid, &stuck.start_time);
        *ret_stuck = stuck;
        return -ETIMEDOUT;
}

/* The child goes with its parent: were it left alone, its write would come after the undo, which knows nothing of it. */
static void run_child(pid_t parent, int (*call)(void *userdata), void *userdata) __attribute__((noreturn));

static void run_child(pid_t parent, int (*call)(void *userdata), void *userdata) {
        int null, r;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                _exit(errno & 0xff);
        if (getppid() != parent)
                _exit(ECANCELED);
        /* One that is stuck must not keep the pipes open whose end our caller waits for. */
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
                (void) dup2(null, fd);
        r = call(userdata);
        _exit(r < 0 ? -r & 0xff : 0); /* errno values are below 134 */
}

int guarded_call(int (*call)(void *userdata), void *userdata, uint64_t deadline, GuardedStuck *ret_stuck) {
        _cleanup_(closep) int pidfd = -EBADF;
        pid_t parent = getpid(), pid;
        int r;

        *ret_stuck = (GuardedStuck){};
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                run_child(parent, call, userdata);

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return -errno;
        r = wait_end(pidfd, deadline);
        if (r == 0)
                return give_up(pid, pidfd, ret_stuck);
        return r < 0 ? r : result_of(pidfd);
}

bool guarded_is_stuck(int root, const GuardedStuck *stuck) {
        uint64_t start_time;

        return stuck->pid > 0 && read_start_time(root, stuck->pid, &start_time) >= 0 && start_time == stuck->start_time;
}
