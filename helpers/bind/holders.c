/* SPDX-License-Identifier: BSD-3-Clause */
/* The census of open device nodes, from /proc. Only reads. */

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "holders.h"
#include "proc-text.h"
#include "root.h"
#include "sysfs.h"

enum {
        PIDS_MAX = 4 * 1024 * 1024, /* PID_MAX_LIMIT of the kernel */
};

typedef struct Census {
        int root;
        int proc;
        bool live;         /* /proc is the kernel's, and no captured tree */
        bool counts_files; /* the size of /proc/PID/fd is the number of open files there: Linux 6.2 */
        unsigned long own; /* our process */
        const DeviceNodes *nodes;
        Holders *holders;
} Census;

static void holder_done(Holder *h) {
        free(h->command);
        free(h->unit);
        free(h->user_unit);
        free(h->session);
        free(h->node);
}

void holders_done(Holders *l) {
        for (size_t i = 0; i < l->n; i++)
                holder_done(&l->items[i]);
        free(l->items);
        *l = (Holders){};
}

/* ---- one open file ---- */

static const DeviceNode *node_of_number(const DeviceNodes *l, dev_t number, bool block) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].number != 0 && l->items[i].number == number && l->items[i].block == block)
                        return &l->items[i];
        return NULL;
}

static bool all_have_numbers(const DeviceNodes *l) {
        for (size_t i = 0; i < l->n; i++)
                if (l->items[i].number == 0)
                        return false;
        return true;
}

static const DeviceNode *node_of_path(const DeviceNodes *l, const char *path) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].path, path))
                        return &l->items[i];
        return NULL;
}

/* The node that an entry of /proc/PID/fd leads to, if it is one of ours. By its number, because in a container the path may
 * be another one. live: the link leads to an open file; in a captured tree it would lead out of the tree. */
static const DeviceNode *node_of_fd(const DeviceNodes *l, int directory, const char *fd, bool live) {
        char target[PATH_MAX];
        struct statx st;
        ssize_t n;

        /* DONT_SYNC, or a file server that hangs would hang us. */
        if (live && statx(directory, fd, AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0) {
                const DeviceNode *node;

                if (!S_ISCHR(st.stx_mode) && !S_ISBLK(st.stx_mode))
                        return NULL;
                node = node_of_number(l, makedev(st.stx_rdev_major, st.stx_rdev_minor), S_ISBLK(st.stx_mode));
                if (node || all_have_numbers(l))
                        return node;
        }
        n = readlinkat(directory, fd, target, sizeof target - 1);
        if (n <= 0) /* closed by now */
                return NULL;
        target[n] = '\0';
        return node_of_path(l, target);
}

/* ---- one process ---- */

static int read_command(int root, unsigned long pid, char **ret) {
        _cleanup_(freep) char *path = NULL, *command = NULL;
        int r;

        r = format(&path, "proc/%lu/comm", pid);
        r = r < 0 ? r : root_read(root, path, &command);
        if (r < 0)
                return r;
        text_clean(command);
        *ret = TAKE_PTR(command);
        return 0;
}

static int read_units(int root, unsigned long pid, CgroupUnits *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        int r;

        r = format(&path, "proc/%lu/cgroup", pid);
        r = r < 0 ? r : root_read(root, path, &text);
        if (r == -ENOENT) /* a kernel without control groups, or a tree without this file */
                return 0;
        return r < 0 ? r : cgroup_parse(text, ret);
}

static int add_holder(Census *c, unsigned long pid, const DeviceNode *node) {
        _cleanup_(cgroup_units_done) CgroupUnits units = {};
        _cleanup_(holder_done) Holder h = { .pid = (pid_t) pid };
        Holder *slot;
        int r;

        for (size_t i = c->holders->n; i > 0 && c->holders->items[i - 1].pid == h.pid; i--)
                if (streq(c->holders->items[i - 1].node, node->path))
                        return 0;

        r = read_command(c->root, pid, &h.command);
        r = r < 0 ? r : read_units(c->root, pid, &units);
        r = r < 0 ? r : free_and_strdup(&h.node, node->path);
        if (r < 0)
                return r;
        h.unit = TAKE_PTR(units.unit);
        h.user_unit = TAKE_PTR(units.user_unit);
        h.session = TAKE_PTR(units.session);

        slot = ARRAY_GROW(c->holders->items, c->holders->n);
        if (!slot)
                return -ENOMEM;
        c->holders->n++;
        *slot = h;
        h = (Holder){};
        return 0;
}

static bool is_live(int fd) {
        struct statfs fs;

        return fstatfs(fd, &fs) == 0 && (unsigned long) fs.f_type == PROC_SUPER_MAGIC;
}

/* We have files open ourselves, and an older kernel says 0 of us, too. */
static bool counts_files(int proc) {
        struct stat st;

        return fstatat(proc, "self/fd", &st, 0) == 0 && st.st_size > 0;
}

/* A process that ends meanwhile holds nothing any more. */
static bool has_ended(int error) {
        return error == -ENOENT || error == -ESRCH;
}

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

static int look_into_directory(Census *c, unsigned long pid, int fd) {
        _cleanup_(closedirp) DIR *d = fdopendir(fd);
        int r = 0;

        if (!d) {
                close(fd);
                return -ENOMEM;
        }
        for (struct dirent *e; r >= 0 && (errno = 0, e = readdir(d));) {
                const DeviceNode *node;

                if (!isdigit((unsigned char) *e->d_name))
                        continue;
                node = node_of_fd(c->nodes, dirfd(d), e->d_name, c->live);
                if (node)
                        r = add_holder(c, pid, node);
        }
        return r < 0 ? r : -errno;
}

/* The kernel's /proc has no links on this way that could lead elsewhere. */
static int open_fd_directory(const Census *c, const char *path) {
        int fd;

        if (!c->live)
                return root_openat(c->root, path, O_RDONLY | O_DIRECTORY);
        fd = openat(c->proc, path + STRLEN("proc/"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Threads of the kernel, most of all processes, have no files open. */
static bool has_no_files(const Census *c, const char *path) {
        struct stat st;

        return c->counts_files && fstatat(c->proc, path + STRLEN("proc/"), &st, 0) == 0 && st.st_size == 0;
}

static int look_into(Census *c, unsigned long pid) {
        char path[48];
        int r;

        (void) snprintf(path, sizeof path, "proc/%lu/fd", pid);
        if (pid == c->own || has_no_files(c, path))
                return 0;
        r = open_fd_directory(c, path);
        r = r < 0 ? r : look_into_directory(c, pid, r);
        if (r == -EACCES || r == -EPERM) {
                c->holders->n_unseen++;
                return 0;
        }
        return has_ended(r) ? 0 : r;
}

/* ---- the whole ---- */

/* These listen for devices that come and go, and close what is gone. Whoever else has a mixer open may not. */
static bool is_sound_server(const char *command) {
        static const char *const names[] = { "pipewire", "pipewire-media-", "pulseaudio", "wireplumber" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(command, names[i]))
                        return true;
        return false;
}

/* logind closes the descriptors that it has handed to a session when the session or the device goes; and so does systemd,
 * which keeps copies of them for logind to survive a restart (sd_pid_notify_with_fds(3)). */
static bool is_session_keeper(const Holder *h) {
        return h->pid == 1 || streq_ptr(h->unit, "systemd-logind.service");
}

static void judge_yields(Holders *l) {
        for (size_t i = 0; i < l->n; i++) {
                bool only_controls = true;

                for (size_t j = 0; j < l->n; j++)
                        if (l->items[j].pid == l->items[i].pid)
                                only_controls &= !!startswith(l->items[j].node, "/dev/snd/control");
                l->items[i].yields = (only_controls && is_sound_server(l->items[i].command)) || is_session_keeper(&l->items[i]);
        }
}

static int compare_holders(const void *a, const void *b) {
        const Holder *x = a, *y = b;

        return x->pid != y->pid ? (x->pid > y->pid ? 1 : -1) : strcmp(x->node, y->node);
}

static int look_into_all(Census *c) {
        _cleanup_(closep) int proc = root_openat(c->root, "proc", O_PATH | O_DIRECTORY);
        char **names = NULL;
        size_t n = 0;
        int r;

        if (proc == -ENOENT)
                return 0;
        c->proc = proc;
        c->live = proc >= 0 && is_live(proc);
        c->counts_files = c->live && counts_files(proc);
        c->own = c->live ? (unsigned long) getpid() : 0;
        r = root_list(c->root, "proc", &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                unsigned long pid;

                if (!isdigit((unsigned char) *names[i]))
                        continue;
                pid = strtoul(names[i], NULL, 10);
                if (pid > 0 && pid <= PIDS_MAX)
                        r = look_into(c, pid);
        }
        strings_free(names, n);
        return r;
}

int holders_of_nodes(int root, const DeviceNodes *nodes, Holders *ret) {
        _cleanup_(holders_done) Holders l = {};
        int r;

        /* Reading all of /proc takes long: not for devices that nobody can open. */
        r = nodes->n > 0 ? look_into_all(&(Census){ .root = root, .nodes = nodes, .holders = &l }) : 0;
        if (r < 0)
                return r;
        if (l.n > 0)
                qsort(l.items, l.n, sizeof *l.items, compare_holders);
        judge_yields(&l);

        *ret = l;
        l = (Holders){};
        return 0;
}

int holders_find(int root, const PciFunction functions[], size_t n_functions, Holders *ret) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = {};
        int r;

        r = device_nodes_find(root, functions, n_functions, &nodes);
        return r < 0 ? r : holders_of_nodes(root, &nodes, ret);
}

int holder_describe(const Holder *h, char **ret) {
        const char *unit = h->user_unit ? h->user_unit : h->unit;
        bool has_session = h->session, has_unit = unit && !h->session; /* a session's unit only repeats its id */

        has_unit |= !!h->user_unit;
        return format(ret, "%s (pid %d%s%s%s%s) has %s open", h->command, (int) h->pid, has_session ? ", session " : "",
                has_session ? h->session : "", has_unit ? ", unit " : "", has_unit ? unit : "", h->node);
}
