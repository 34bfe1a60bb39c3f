/* SPDX-License-Identifier: BSD-3-Clause */
/* inject: runs a command and disturbs it, or one of its children, at the Nth system call that changes the machine.
 *
 *     inject LIST 0 none COMMAND…      writes all such calls to the file LIST, one a line: number, process, call, what
 *     inject LIST N ACTION COMMAND…    and does ACTION at call N
 *
 * before     the process that makes the call is killed before the kernel does anything
 * after      it is killed when the kernel has done what was asked, before it could see the result
 * all        all processes are killed before it, as when the control group is
 * orphan     the command's first process is killed before it, and only when $INJECT_THEN has run (words, no shell) does
 *            the one that makes the call go on, if it still lives
 * a number   the call is not made, and fails with this errno
 *
 * The calls are counted over all processes in the order in which they are made, which "strace --inject" cannot: it counts
 * each process's alone. The end of the last process is waited for. The exit status is that of the command's first, or 128
 * and the signal. Needs root (a seccomp filter without no_new_privs), x86-64, and a
 * kernel from 4.8 on, see ptrace(2), PTRACE_EVENT_SECCOMP. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 512, TEXT_MAX = 256 };

/* Where to find what a call is about. */
typedef enum What { NOTHING, FD_DATA, FD, PATH_FIRST, PATH_SECOND } What;

static const struct Call {
        long number;
        const char *name;
        What what;
} calls[] = {
        { SYS_write, "write", FD_DATA },
        { SYS_pwrite64, "pwrite64", FD_DATA },
        { SYS_writev, "writev", FD },
        { SYS_sendmsg, "sendmsg", NOTHING }, /* to systemd, over the bus */
        { SYS_openat, "openat", PATH_SECOND }, /* of those, only the ones that make or empty a file */
        { SYS_rename, "rename", PATH_FIRST },
        { SYS_renameat, "renameat", PATH_SECOND },
        { SYS_renameat2, "renameat2", PATH_SECOND },
        { SYS_unlink, "unlink", PATH_FIRST },
        { SYS_unlinkat, "unlinkat", PATH_SECOND },
        { SYS_rmdir, "rmdir", PATH_FIRST },
        { SYS_mkdir, "mkdir", PATH_FIRST },
        { SYS_mkdirat, "mkdirat", PATH_SECOND },
        { SYS_linkat, "linkat", PATH_SECOND },
        { SYS_symlinkat, "symlinkat", PATH_FIRST },
        { SYS_mknodat, "mknodat", PATH_SECOND },
        { SYS_chmod, "chmod", PATH_FIRST },
        { SYS_fchmod, "fchmod", FD },
        { SYS_fchmodat, "fchmodat", PATH_SECOND },
        { SYS_chown, "chown", PATH_FIRST },
        { SYS_lchown, "lchown", PATH_FIRST },
        { SYS_fchown, "fchown", FD },
        { SYS_fchownat, "fchownat", PATH_SECOND },
        { SYS_truncate, "truncate", PATH_FIRST },
        { SYS_ftruncate, "ftruncate", FD },
        { SYS_fallocate, "fallocate", FD },
        { SYS_utimensat, "utimensat", PATH_SECOND },
        { SYS_setxattr, "setxattr", PATH_FIRST },
        { SYS_fsetxattr, "fsetxattr", FD },
        { SYS_mount, "mount", PATH_SECOND },
        { SYS_umount2, "umount2", PATH_FIRST },
        { SYS_ioctl, "ioctl", FD },
        { SYS_sched_setaffinity, "sched_setaffinity", NOTHING }, /* of the kernel's threads */
        { SYS_init_module, "init_module", NOTHING },
        { SYS_finit_module, "finit_module", FD },
        { SYS_delete_module, "delete_module", PATH_FIRST },
        { SYS_fork, "fork", NOTHING },
        { SYS_vfork, "vfork", NOTHING },
        { SYS_clone, "clone", NOTHING },
        { SYS_clone3, "clone3", NOTHING },
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static FILE *list;
static unsigned long point, count;
static const char *action;
static pid_t processes[PROCESSES_MAX], victim, orphan;
static unsigned n_processes;

static void die(const char *what) {
        perror(what);
        exit(EXIT_FAILURE);
}

/* Stops the process for its tracer at each of the calls; all others run at full speed. A filter cannot see what openat2(2) is
 * to do, which is why RestrictSUIDSGID= takes it away from services; so here it is missing, too. */
static void install_filter(void) {
        enum { FIRST = 7, ALLOW = FIRST + CALLS, TRACE, LACKS, LENGTH };
        struct sock_filter filter[LENGTH] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, ALLOW - 2),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, LACKS - 4, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, FIRST - 5),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC, TRACE - FIRST, ALLOW - FIRST),
                [ALLOW] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                [TRACE] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
                [LACKS] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        };
        struct sock_fprog program = { .len = LENGTH, .filter = filter };

        for (unsigned i = 0; i < CALLS; i++)
                filter[FIRST + i] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, CALLS - i, 0);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                die("cannot install the filter");
}

static void read_memory(pid_t pid, unsigned long address, void *buffer, size_t size) {
        struct iovec here = { buffer, size }, there = { (void *) address, size };

        /* A page at a time may be missing at the end of a string: what has been read stays. */
        while (size > 0 && process_vm_readv(pid, &here, 1, &there, 1, 0) < 0)
                here.iov_len = there.iov_len = size /= 2;
}

static void tell_fd(pid_t pid, long fd, char *text) {
        char path[64];
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%d/fd/%ld", pid, fd);
        n = readlink(path, text, TEXT_MAX - 1);
        text[n < 0 ? 0 : n] = 0;
}

static void append_data(pid_t pid, unsigned long address, unsigned long size, char *text) {
        char data[33] = {};
        size_t used = strlen(text);

        read_memory(pid, address, data, size < 32 ? size : 32);
        for (char *c = data; *c; c++)
                if (*c == '\n' || *c == '\t')
                        *c = '|';
        snprintf(text + used, TEXT_MAX - used, " < %s", data);
}

/* What the call is about, as text; returns 0 for one that changes nothing. */
static int describe(pid_t pid, const struct Call *call, const struct user_regs_struct *regs, char *text) {
        switch (call->what) {
        case NOTHING:
                return 1;
        case FD_DATA:
                if (regs->rdi == STDOUT_FILENO || regs->rdi == STDERR_FILENO)
                        return 0;
                tell_fd(pid, (long) regs->rdi, text);
                append_data(pid, regs->rsi, regs->rdx, text);
                return 1;
        case FD:
                tell_fd(pid, (long) regs->rdi, text);
                return regs->rdi != STDOUT_FILENO && regs->rdi != STDERR_FILENO;
        case PATH_FIRST:
                read_memory(pid, regs->rdi, text, TEXT_MAX - 1);
                return 1;
        case PATH_SECOND:
                read_memory(pid, regs->rsi, text, TEXT_MAX - 1);
                return 1;
        }
        return 0;
}

static const struct Call *find_call(long number) {
        for (unsigned i = 0; i < CALLS; i++)
                if (calls[i].number == number)
                        return &calls[i];
        return NULL;
}

static unsigned process_index(pid_t pid) {
        for (unsigned i = 0; i < n_processes; i++)
                if (processes[i] == pid)
                        return i;
        if (n_processes == PROCESSES_MAX) {
                fprintf(stderr, "inject: more than %d processes\n", PROCESSES_MAX);
                exit(EXIT_FAILURE);
        }
        processes[n_processes] = pid;
        return n_processes++;
}

static void kill_all(void) {
        for (unsigned i = 0; i < n_processes; i++)
                if (processes[i] > 0)
                        kill(processes[i], SIGKILL);
}

/* What systemd does when the first process has ended. */
static void run_then(void) {
        char *words[16], *text = getenv("INJECT_THEN"), *copy = text ? strdup(text) : NULL;
        unsigned n = 0;
        pid_t pid;

        for (char *word = copy ? strtok(copy, " ") : NULL; word && n < 15; word = strtok(NULL, " "))
                words[n++] = word;
        words[n] = NULL;
        if (n == 0)
                return;
        pid = fork();
        if (pid == 0) {
                execv(words[0], words);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, NULL, 0) != pid)
                die("INJECT_THEN");
        free(copy);
}

/* Returns how the process goes on: 0 for not yet. */
static int act(pid_t pid, struct user_regs_struct *regs) {
        if (strcmp(action, "before") == 0)
                kill(pid, SIGKILL);
        else if (strcmp(action, "all") == 0)
                kill_all();
        else if (strcmp(action, "after") == 0) {
                victim = pid;
                return PTRACE_SYSCALL;
        } else if (strcmp(action, "orphan") == 0 && pid != processes[0]) {
                kill(processes[0], SIGKILL);
                orphan = pid;
                return 0;
        } else {
                regs->orig_rax = (unsigned long long) -1;
                regs->rax = (unsigned long long) -atol(action);
                ptrace(PTRACE_SETREGS, pid, NULL, regs);
        }
        return PTRACE_CONT;
}

static int on_call(pid_t pid) {
        struct user_regs_struct regs;
        const struct Call *call;
        char text[TEXT_MAX] = {};

        if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
                return PTRACE_CONT; /* it has been killed */
        call = find_call((long) regs.orig_rax);
        if (!call || !describe(pid, call, &regs, text))
                return PTRACE_CONT;
        fprintf(list, "%lu\t%u\t%s\t%s\n", ++count, process_index(pid), call->name, text);
        return count == point ? act(pid, &regs) : PTRACE_CONT;
}

static void on_stop(pid_t pid, int status) {
        int known = 0, deliver = 0, resume = PTRACE_CONT, event = status >> 16;

        for (unsigned i = 0; i < n_processes; i++)
                known |= processes[i] == pid;
        process_index(pid);

        if (event == PTRACE_EVENT_SECCOMP)
                resume = on_call(pid);
        else if (pid == victim && event == 0 && WSTOPSIG(status) == (SIGTRAP | 0x80))
                kill(pid, SIGKILL); /* the call has been made */
        else if (pid == victim && event != 0)
                resume = PTRACE_SYSCALL; /* a child has been made, the call is not over yet */
        else if (event == 0 && WSTOPSIG(status) != SIGTRAP && !(WSTOPSIG(status) == SIGSTOP && !known))
                deliver = WSTOPSIG(status);
        if (resume != 0)
                ptrace(resume, pid, NULL, (long) deliver);
}

/* The first process is dead: the undo runs, then the orphan goes on. */
static void on_first_end(void) {
        if (!orphan)
                return;
        run_then();
        ptrace(PTRACE_CONT, orphan, NULL, 0L);
}

static int trace(pid_t first) {
        int status, result = EXIT_FAILURE;
        pid_t pid;

        while ((pid = waitpid(-1, &status, __WALL)) > 0) {
                if (WIFSTOPPED(status)) {
                        on_stop(pid, status);
                        continue;
                }
                processes[process_index(pid)] = -1; /* its number may come again */
                if (pid != first)
                        continue;
                result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                on_first_end();
        }
        return result;
}

int main(int argc, char *argv[]) {
        const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
        pid_t pid;

        if (argc < 5) {
                fprintf(stderr, "usage: inject LIST N ACTION COMMAND…\n");
                return 64;
        }
        point = strtoul(argv[2], NULL, 10);
        action = argv[3];
        list = fopen(argv[1], "we");
        if (!list)
                die(argv[1]);

        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                ptrace(PTRACE_TRACEME, 0, NULL, NULL);
                raise(SIGSTOP);
                install_filter();
                execv(argv[4], argv + 4);
                die(argv[4]);
        }
        process_index(pid);
        if (waitpid(pid, NULL, 0) != pid || ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0)
                die("ptrace");
        ptrace(PTRACE_CONT, pid, NULL, 0L);
        return trace(pid);
}
