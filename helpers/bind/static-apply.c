/* SPDX-License-Identifier: BSD-3-Clause */
/* The acting half of static binding.
 *
 * Whoever changes the files has to have the initramfs made anew, or it goes on with the old ones. So a note that this is due is
 * made before the first change and removed after the last success; a run that finds one makes the initramfs whatever else there
 * is to do. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "exit-status.h"
#include "log.h"
#include "masked-spawn.h"
#include "messages.h"
#include "root.h"
#include "static-apply.h"

#define LOCK "run/vxm/static" /* a directory of root's */

enum {
        PATHS_MAX = 8, /* more than static_paths has */
};

/* One path as it is, and as it should be. */
typedef struct Change {
        const char *path;
        const StaticFile *wanted; /* NULL: nothing is to be there */
        StaticFile found;         /* neither content nor target: nothing is there */
} Change;

typedef struct Changes {
        Change items[PATHS_MAX];
        size_t n; /* only those that differ */
} Changes;

static void changes_done(Changes *c) {
        for (size_t i = 0; i < c->n; i++) {
                free(c->items[i].found.content);
                free(c->items[i].found.target);
        }
        *c = (Changes){};
}

static const StaticTool static_tools[] = {
        { "/usr/sbin/update-initramfs", { "update-initramfs", "-u", "-k", "all" } },
        { "/usr/bin/mkinitcpio", { "mkinitcpio", "-P" } },
        { "/usr/bin/dracut", { "dracut", "--regenerate-all", "--force" } },
};

const StaticTool *static_tool_find(int root) {
        for (size_t i = 0; i < ELEMENTSOF(static_tools); i++)
                if (root_exists(root, static_tools[i].program + 1))
                        return &static_tools[i];
        return NULL;
}

static int read_found(int root, const char *path, StaticFile *ret) {
        StaticFile f = { .path = path };
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        int r;

        r = root_readlink(root, path, &f.target);
        if (r >= 0) {
                *ret = f;
                return 0;
        }
        fd = root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
        if (fd == -ENOENT || fd == -ENOTDIR) {
                *ret = f;
                return 0;
        }
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        f.mode = st.st_mode & 07777;
        r = read_full(fd, ROOT_FILE_MAX, &f.content, NULL);
        if (r >= 0)
                *ret = f;
        return r;
}

static const StaticFile *find_wanted(const StaticFiles *wanted, const char *path) {
        for (size_t i = 0; i < wanted->n; i++)
                if (streq(wanted->items[i].path, path))
                        return &wanted->items[i];
        return NULL;
}

static bool is_as_wanted(const StaticFile *found, const StaticFile *wanted) {
        if (!wanted)
                return !found->content && !found->target;
        return streq_ptr(found->content, wanted->content) && streq_ptr(found->target, wanted->target);
}

/* A link in its place is systemctl's, too; it leads to our unit whoever made it. */
static bool is_ours(const StaticFile *found) {
        if (found->target)
                return streq(found->path, STATIC_WANTS);
        return !found->content || startswith(found->content, STATIC_HEADER);
}

static int find_changes(int root, const StaticFiles *wanted, Changes *ret) {
        _cleanup_(changes_done) Changes c = {};

        for (size_t i = 0; static_paths[i]; i++) {
                Change *change = &c.items[c.n];
                int r;

                change->path = static_paths[i];
                change->wanted = find_wanted(wanted, static_paths[i]);
                r = read_found(root, static_paths[i], &change->found);
                if (r < 0)
                        return log_error_errno(r, "Cannot read /%s: %s.", static_paths[i], strerror(-r));
                c.n++;
                if (!is_ours(&change->found))
                        return log_event_errno(E_CONFIG, MESSAGE_STATIC_FAILED, NULL,
                                "/%s was not made by vxm; move it away, then try again. Nothing has been changed.",
                                static_paths[i]);
                if (is_as_wanted(&change->found, change->wanted)) {
                        free(change->found.content);
                        free(change->found.target);
                        c.items[--c.n] = (Change){};
                }
        }
        *ret = c;
        c = (Changes){};
        return 0;
}

/* Opens the directory that path lies in, and makes it if it is not there. */
static int open_parent(int root, const char *path) {
        _cleanup_(freep) char *copy = strdup(path);
        const char *name;
        char *slash;
        int fd;

        if (!copy)
                return -ENOMEM;
        slash = strrchr(copy, '/');
        if (!slash)
                return root_openat(root, ".", O_RDONLY | O_DIRECTORY);
        *slash = '\0';
        fd = root_openat(root, copy, O_RDONLY | O_DIRECTORY);
        if (fd == -ENOENT) {
                _cleanup_(closep) int parent = open_parent(root, copy);

                slash = strrchr(copy, '/');
                name = slash ? slash + 1 : copy;
                if (parent < 0)
                        return parent;
                if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
                        return -errno;
                fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
        }
        return fd;
}

static int write_new(int directory, const char *name, const StaticFile *file) {
        _cleanup_(closep) int fd = -EBADF;
        int r;

        if (file->target)
                return symlinkat(file->target, directory, name) < 0 ? -errno : 0;
        fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file->mode);
        if (fd < 0)
                return -errno;
        r = write_full(fd, file->content, strlen(file->content));
        if (r < 0)
                return r;
        return fchmod(fd, file->mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Makes path be as file says; a file with neither content nor target is to be gone. Whoever reads it meanwhile sees either
 * all of the old or all of the new. The temporary name has no suffix that modprobe, udev or mkinitcpio would read. */
static int put(int root, const char *path, const StaticFile *file) {
        _cleanup_(closep) int directory = -EBADF;
        _cleanup_(freep) char *temporary = NULL;
        const char *name = strrchr(path, '/') + 1;
        int r;

        if (!file || (!file->content && !file->target)) {
                _cleanup_(closep) int fd = root_openat(root, path, O_PATH | O_NOFOLLOW);

                if (fd == -ENOENT)
                        return 0;
                directory = open_parent(root, path);
                if (directory < 0)
                        return directory;
                return unlinkat(directory, name, 0) < 0 && errno != ENOENT ? -errno : 0;
        }
        directory = open_parent(root, path);
        if (directory < 0)
                return directory;
        r = format(&temporary, ".%s.new", name);
        if (r < 0)
                return r;
        (void) unlinkat(directory, temporary, 0); /* what a kill left behind */
        r = write_new(directory, temporary, file);
        if (r >= 0 && renameat(directory, temporary, directory, name) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(directory, temporary, 0);
        return r;
}

static int set_pending(int root, bool pending) {
        static const StaticFile note = { .path = STATIC_PENDING, .mode = 0644, .content = (char *) "" };
        int r = put(root, STATIC_PENDING, pending ? &note : NULL);

        return r < 0 ? log_error_errno(r, "Cannot %s /" STATIC_PENDING ": %s.", pending ? "write" : "remove", strerror(-r)) : 0;
}

static int write_changes(int root, const Changes *c, size_t *ret_done) {
        for (size_t i = 0; i < c->n; i++) {
                int r = put(root, c->items[i].path, c->items[i].wanted);

                *ret_done = i + 1; /* the one that failed is put back, too */
                if (r < 0)
                        return log_error_errno(r, "Cannot %s /%s: %s.", c->items[i].wanted ? "write" : "remove",
                                c->items[i].path, strerror(-r));
        }
        return 0;
}

static void undo_changes(int root, const Changes *c, size_t done) {
        for (size_t i = done; i > 0; i--) {
                const Change *change = &c->items[i - 1];
                int r = put(root, change->path, &change->found);

                if (r < 0)
                        log_error_errno(r, "Cannot put /%s back as it was: %s.", change->path, strerror(-r));
        }
}

/* Who waits for it may have signals blocked, so that all can be put back; the tool itself ends by Ctrl-C. */
static int spawn(const StaticTool *tool, pid_t *ret) {
        static char *const environment[] = {
                (char *) "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                NULL,
        };
        sigset_t none;

        sigemptyset(&none);
        return spawn_with_mask(tool->program, (char *const *) tool->argv, environment, &none, ret);
}

/* What the tool says goes to where our messages go. */
static int run_tool(const StaticTool *tool) {
        int r, status;
        pid_t pid;

        r = spawn(tool, &pid);
        if (r < 0)
                return log_event_errno(r, MESSAGE_STATIC_FAILED, NULL, "Cannot run %s: %s.", tool->program, strerror(-r));
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return log_error_errno(errno, "Cannot wait for %s: %m.", tool->program);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        return log_event_errno(EIO, MESSAGE_STATIC_FAILED, NULL, "%s failed (%s %d); its messages tell why.", tool->program,
                WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static void command_line(const StaticTool *tool, char **ret) {
        size_t size;
        FILE *f = open_memstream(ret, &size);

        for (size_t i = 0; f && tool->argv[i]; i++)
                fprintf(f, "%s%s", i > 0 ? " " : "", tool->argv[i]);
        if (f)
                fclose(f);
}

/* Of two runs the second waits, and finds what the first has left. Nobody but root can open the directory, and so keep us waiting. */
static int lock(int root) {
        _cleanup_(closep) int parent = open_parent(root, LOCK), fd = -EBADF;
        const char *name = strrchr(LOCK, '/') + 1;

        if (parent < 0)
                return parent;
        if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || flock(fd, LOCK_EX) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* The unit's link is in no initramfs. */
static bool concerns_initramfs(int root, const Changes *c) {
        for (size_t i = 0; i < c->n; i++)
                if (!streq(c->items[i].path, STATIC_WANTS))
                        return true;
        return root_exists(root, STATIC_PENDING);
}

static int change_and_run(int root, const Changes *c, const StaticTool *tool) {
        _cleanup_(freep) char *command = NULL;
        size_t done = 0;
        int r;

        r = set_pending(root, true);
        if (r < 0)
                return r;
        r = write_changes(root, c, &done);
        if (r >= 0 && tool) {
                command_line(tool, &command);
                log_info("Making the initramfs anew, which takes a while: %s", command ? command : tool->program);
                r = run_tool(tool);
        }
        if (r < 0) {
                undo_changes(root, c, done);
                return log_event_errno(r, MESSAGE_STATIC_FAILED, NULL,
                        "All files are as before, but the initramfs may not be: remove what is in the way, then try again.");
        }
        return set_pending(root, false);
}

int static_apply(int root, const StaticFiles *wanted, const StaticTool *tool) {
        _cleanup_(changes_done) Changes changes = {};
        _cleanup_(closep) int fd = -EBADF;
        int r;

        fd = lock(root);
        if (fd < 0)
                return log_error_errno(fd, "Cannot lock /" LOCK ": %s.", strerror(-fd));
        r = find_changes(root, wanted, &changes);
        if (r < 0)
                return r;
        if (changes.n == 0 && !root_exists(root, STATIC_PENDING))
                return 0;
        if (!concerns_initramfs(root, &changes))
                tool = NULL;
        r = change_and_run(root, &changes, tool);
        return r < 0 ? r : 1;
}

static void print_change(const Change *c, FILE *f) {
        if (!c->wanted) {
                fprintf(f, "remove  /%s\n", c->path);
                return;
        }
        if (c->wanted->target) {
                fprintf(f, "link    /%s -> %s\n", c->path, c->wanted->target);
                return;
        }
        fprintf(f, "write   /%s\n", c->path);
        for (const char *line = c->wanted->content; *line;) {
                size_t n = strcspn(line, "\n");

                fprintf(f, "        %.*s\n", (int) n, line);
                line += n + (line[n] == '\n');
        }
}

int static_print(int root, const StaticFiles *wanted, const StaticTool *tool, FILE *f) {
        _cleanup_(changes_done) Changes changes = {};
        _cleanup_(freep) char *command = NULL;
        int r;

        r = find_changes(root, wanted, &changes);
        if (r < 0)
                return r;
        for (size_t i = 0; i < changes.n; i++)
                print_change(&changes.items[i], f);
        if (tool && concerns_initramfs(root, &changes)) {
                command_line(tool, &command);
                fprintf(f, "run     %s\n", command ? command : tool->program);
        }
        return 0;
}
