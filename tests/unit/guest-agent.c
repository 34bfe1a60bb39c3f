/* SPDX-License-Identifier: BSD-3-Clause */
/* Agents get the socket that they listen on from us, as from systemd: so it is there before they are. */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "guest-agent.h"

static int listen_in(const char *directory) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        assert_true(snprintf(address.sun_path, sizeof address.sun_path, "%s/agent", directory) < (int) sizeof address.sun_path);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(fd, 1), 0);
        return fd;
}

/* ready: a descriptor that becomes the agent's fourth, -1: none. */
static void start(Fixture *f, const char *name, char *const argv[], int ready, GuestAgent *ret) {
        int listener, null;

        fixture_directory(f, name);
        assert_int_equal(format(&ret->directory, "%s/%s", f->path, name), 0);
        ret->f = f;
        listener = listen_in(ret->directory);
        ret->pid = fork();
        if (ret->pid == 0) {
                char pid[16];

                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) snprintf(pid, sizeof pid, "%d", (int) getpid());
                (void) setenv("LISTEN_PID", pid, 1);
                (void) setenv("LISTEN_FDS", "1", 1);
                null = open("/dev/null", O_RDWR);
                (void) dup2(listener, 3);
                if (ready >= 0)
                        (void) dup2(ready, 4);
                (void) dup2(null, STDOUT_FILENO);
                (void) dup2(null, STDERR_FILENO);
                (void) execvp(argv[0], argv);
                _exit(127);
        }
        assert_true(ret->pid > 0);
        close(listener);
}

void guest_agent_start(Fixture *f, const char *name, GuestAgent *ret) {
        char state[128], pidfile[160];
        char *argv[] = { (char *) "qemu-ga", (char *) "--method", (char *) "unix-listen", (char *) "--path", (char *) "unused",
                (char *) "--statedir", state, (char *) "--pidfile", pidfile, NULL };

        if (access("/usr/sbin/qemu-ga", X_OK) < 0 && access("/usr/bin/qemu-ga", X_OK) < 0)
                skip();
        (void) snprintf(state, sizeof state, "%s/%s", f->path, name);
        (void) snprintf(pidfile, sizeof pidfile, "%s/pid", state);
        if (access("/usr/sbin/qemu-ga", X_OK) == 0)
                argv[0] = (char *) "/usr/sbin/qemu-ga";
        start(f, name, argv, -1, ret);
}

/* Whose patience is tested does not wait for Python to begin. */
void guest_agent_start_hostile(Fixture *f, const char *name, const char *scenario, GuestAgent *ret) {
        char *argv[] = { (char *) "python3", (char *) VXM_UNIT "/hostile-agent.py", (char *) scenario, NULL };
        int ready[2];
        char byte;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        start(f, name, argv, ready[1], ret);
        close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
}

void guest_agent_stop(GuestAgent *a) {
        kill(a->pid, SIGKILL);
        waitpid(a->pid, NULL, 0);
        free(a->directory);
}
