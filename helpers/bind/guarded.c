/* SPDX-License-Identifier: BSD-3-Clause */
/* Child processes with a deadline. */

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "guarded.h"
#include "root.h"

enum {
        KILL_USEC = 1000000,    /* how long a killed process has to vanish before it counts as stuck */
        STACK_SIZE = 64 * 1024, /* of a child in our memory */
};

/* What a child process is to do, and for whom. */
typedef struct Order {
        pid_t parent;
        int (*call)(void *userdata);
        void *userdata;
} Order;

/* Waits until the process has ended; false: usec have passed. Looks at no errno, which a child in our memory shares: poll(2)
 * can fail for want of memory, or by a signal's handler, and is asked again. */
static bool wait_end(int pidfd, uint64_t usec) {
        uint64_t end;

        if (__builtin_add_overflow(now_usec(), usec, &end))
                end = UINT64_MAX;
        for (;;) {
                struct pollfd p = { .fd = pidfd, .events = POLLIN };
                uint64_t now = now_usec(), left = end > now ? end - now : 0;
                struct timespec t = { .tv_sec = (time_t) (left / 1000000), .tv_nsec = (long) (left % 1000000 * 1000) };
                int r = ppoll(&p, 1, &t, NULL);

                if (r >= 0 || left == 0)
                        return r > 0;
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

        (void) kill(pid, SIGKILL);
        if (wait_end(pidfd, KILL_USEC)) {
                (void) result_of(pidfd);
                return -ETIMEDOUT;
        }
        (void) read_start_time(root, pid, &stuck.start_time);
        *ret_stuck = stuck;
        return -ETIMEDOUT;
}

/* Runs in the child, and returns its exit status. The child goes with its parent: were it left alone, its write would come
 * after the undo, which knows nothing of it. */
static int run_child(void *order) {
        const Order *o = order;
        int null, r;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return errno & 0xff;
        if (getppid() != o->parent)
                return ECANCELED;
        /* One that is stuck must not keep the pipes open whose end our caller waits for. */
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
                (void) dup2(null, fd);
        r = o->call(o->userdata);
        return r < 0 ? -r & 0xff : 0; /* errno values are below 134 */
}

/* Past the deadline the child is killed, and does not come back to its code, wherever it is: what it has of our memory can be
 * used again. */
static int watch_child(pid_t pid, int pidfd, uint64_t deadline, GuardedStuck *ret_stuck) {
        return wait_end(pidfd, deadline) ? result_of(pidfd) : give_up(pid, pidfd, ret_stuck);
}

int guarded_call(int (*call)(void *userdata), void *userdata, uint64_t deadline, GuardedStuck *ret_stuck) {
        Order order = { getpid(), call, userdata };
        _cleanup_(closep) int pidfd = -EBADF;
        pid_t pid;

        *ret_stuck = (GuardedStuck){};
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(run_child(&order));

        pidfd = pidfd_open(pid, 0);
        return pidfd < 0 ? -errno : watch_child(pid, pidfd, deadline, ret_stuck);
}

int guarded_short_call(int (*call)(void *userdata), void *userdata, uint64_t deadline, GuardedStuck *ret_stuck) {
        static char stack[STACK_SIZE];
        Order order = { getpid(), call, userdata };
        _cleanup_(closep) int pidfd = -EBADF;
        pid_t pid;

        *ret_stuck = (GuardedStuck){};
        pid = clone(run_child, stack + sizeof stack, CLONE_VM | CLONE_PIDFD | SIGCHLD, &order, &pidfd);
        return pid < 0 ? -errno : watch_child(pid, pidfd, deadline, ret_stuck);
}

bool guarded_is_stuck(int root, const GuardedStuck *stuck) {
        uint64_t start_time;

        return stuck->pid > 0 && read_start_time(root, stuck->pid, &start_time) >= 0 && start_time == stuck->start_time;
}
