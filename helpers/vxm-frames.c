/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-frames: the memory in which a guest leaves its frames for Looking Glass: a node of kvmfr, or a file in memory.
 *
 * Started by vxm-frames@.service, one instance a guest, for guests with LookingGlass=: once to make or give (ExecStart=), once to
 * remove or take back (ExecStopPost=, with --release, idempotent). Makes a file in /run/vxm/looking-glass or changes owner, group
 * and mode of one node /dev/kvmfr*, and writes its record in /run/vxm/frames, nothing else. Never looks at a frame. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cli.h"
#include "exit-status.h"
#include "frames-record.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "qemu-facts.h"
#include "root.h"

/* Of kvmfr.h in Looking Glass: how many bytes a node has. There is nothing in sysfs that would tell. */
#define KVMFR_GET_SIZE _IO('u', 0x44)

#define MIB (UINT64_C(1) << 20)

/* Who gets at the frames: the guest's user writes them, the one at the desktop reads. If they are one, nobody else is let in;
 * else the group is the guest's user's own, which vxm-user@ has made for it and nobody else is in. */
typedef struct Access {
        uid_t uid;
        gid_t gid;
        mode_t mode;
} Access;

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

static int find_access(const Guest *g, Access *ret) {
        uid_t uid;
        int r = guest_user_get(g, &uid, &ret->gid);

        ret->uid = uid;
        ret->mode = 0600;
        if (r < 0 || !g->looking_glass_user || streq(g->looking_glass_user, g->user))
                return r;
        ret->mode = 0660;
        r = guest_user_find(g->looking_glass_user, &ret->uid, NULL);
        return r < 0 ? log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                               "There is no user %s any more, whom %s names; correct [Display] LookingGlassUser=.",
                               g->looking_glass_user, g->file)
                     : 0;
}

/* ---- which memory ---- */

/* Looks at one node. Returns 1 and *ret: it can be had; 0: it is too small, another guest's, or none of kvmfr's; -errno. */
static int look_at_node(int root, const Guest *g, const char *name, Frames *ret) {
        _cleanup_(freep) char *path = NULL, *holder = NULL;
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;
        long size;
        int r;

        if (format(&path, "/dev/%s", name) < 0)
                return log_oom();
        fd = root_openat(root, path + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
                return 0;
        size = ioctl(fd, KVMFR_GET_SIZE, 0);
        if (size < 0 || (uint64_t) size < g->looking_glass) {
                log_info("%s has %ld MiB; [Display] LookingGlass= asks for %" PRIu64 ", see static_size_mb of the module kvmfr.",
                        path, size < 0 ? 0 : size / (long) MIB, g->looking_glass / MIB);
                return 0;
        }
        r = frames_record_holder(root, g->name, path, &holder);
        if (r < 0)
                return log_error_errno(r, "Cannot read /run/vxm/frames/%s: %s.", holder ? holder : "", strerror(-r));
        if (r > 0)
                return 0;
        *ret = (Frames){ TAKE_PTR(path), g->looking_glass, true, st.st_rdev, st.st_uid, st.st_gid, st.st_mode & 07777 };
        return 1;
}

/* The first that can be had. virtiofsd maps all of a guest's memory by its files, and ends when one of them is no file that
 * could be asked for its size, so a guest with shares has none. */
static int find_node(int root, const Guest *g, Frames *ret) {
        char **names = NULL;
        size_t n = 0;
        int r = g->n_shares > 0 ? 0 : root_list(root, "dev", &names, &n);

        if (r < 0 && r != -ENOENT)
                return log_error_errno(r, "Cannot list /dev: %s.", strerror(-r));
        r = 0;
        for (size_t i = 0; r == 0 && i < n; i++)
                if (startswith(names[i], "kvmfr"))
                        r = look_at_node(root, g, names[i], ret);
        strings_free(names, n);
        return r;
}

static int plan(int root, const Guest *g, Frames *ret) {
        int r = find_node(root, g, ret);

        if (r != 0)
                return r < 0 ? r : 0;
        ret->size = g->looking_glass;
        return format(&ret->path, FRAMES_DIRECTORY "/%s", g->name) < 0 ? log_oom() : 0;
}

/* ---- making and giving ---- */

static int cannot(const Frames *f, const char *what, int error) {
        return log_error_errno(error, "Cannot %s %s: %s.", what, f->path, strerror(abs(error)));
}

static int allow(const Frames *f, int fd, const Access *access) {
        /* The mode last: whoever has it before the owner changes is root. */
        if (fchown(fd, access->uid, access->gid) < 0 || fchmod(fd, access->mode) < 0)
                return cannot(f, "give", -errno);
        return 0;
}

/* All of it is reserved: a guest that finds no page when it draws would be killed. */
static int make_file(int root, const Frames *f, const Access *access) {
        _cleanup_(closep) int directory = root_openat(root, FRAMES_DIRECTORY + 1, O_PATH | O_DIRECTORY), fd = -EBADF;
        int r;

        if (directory < 0)
                return cannot(f, "make", directory);
        (void) unlinkat(directory, arg_guest, 0); /* what a kill left behind */
        fd = openat(directory, arg_guest, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return cannot(f, "make", -errno);
        r = posix_fallocate(fd, 0, (off_t) f->size);
        if (r == ENOSPC || r == ENOMEM)
                return log_event_errno(E_LACKS, MESSAGE_MEMORY_SHORT, NULL,
                        "/run has no room for %" PRIu64 " MiB of frames; free some memory, or run mount -o remount,size=… /run.",
                        f->size / MIB);
        return r != 0 ? cannot(f, "reserve", -r) : allow(f, fd, access);
}

static int give_node(int root, const Frames *f, const Access *access) {
        _cleanup_(closep) int fd = root_openat(root, f->path + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0)
                return cannot(f, "open", fd);
        if (fstat(fd, &st) < 0 || st.st_rdev != f->number)
                return cannot(f, "give", -ENODEV);
        return allow(f, fd, access);
}

static int remove_file(int root, const Frames *f) {
        _cleanup_(closep) int directory = root_openat(root, FRAMES_DIRECTORY + 1, O_PATH | O_DIRECTORY);

        if (directory < 0)
                return directory == -ENOENT ? 0 : directory;
        if (unlinkat(directory, strrchr(f->path, '/') + 1, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return 1;
}

/* What an earlier run has noted and not undone goes on, as it was then. */
static int save_record(int root, Frames *f) {
        _cleanup_(frames_done) Frames before = {};
        int r = frames_record_load(root, arg_guest, &before);

        if (r >= 0 && before.is_node && f->is_node && streq(before.path, f->path) && before.number == f->number) {
                f->uid = before.uid;
                f->gid = before.gid;
                f->mode = before.mode;
        } else if (r >= 0 && before.is_node) {
                return log_event_errno(E_BUSY, MESSAGE_FRAMES_FAILED, NULL,
                        "%s has not been taken back from the guest yet; run %s --release %s.", before.path,
                        program_invocation_name, arg_guest);
        } else if (r >= 0 && f->is_node) {
                /* Then nobody would remove the file, which its record is to be written over. */
                r = remove_file(root, &before);
                if (r < 0)
                        return cannot(&before, "remove", r);
        } else if (r < 0 && r != -ENOENT) {
                return log_error_errno(r, "Cannot read /run/vxm/frames/%s: %s.", arg_guest, strerror(-r));
        }
        r = frames_record_save(root, arg_guest, f);
        return r < 0 ? log_error_errno(r, "Cannot write the undo record /run/vxm/frames/%s: %s; nothing has been made.",
                               arg_guest, strerror(-r))
                     : 0;
}

static int act(int root, const Guest *g, Frames *f, const Access *access) {
        const char *reader = g->looking_glass_user ? g->looking_glass_user : g->user;
        int r = save_record(root, f);

        r = r < 0 ? r : f->is_node ? give_node(root, f, access) : make_file(root, f, access);
        if (r >= 0)
                log_event(LOG_INFO, MESSAGE_FRAMES_MADE, NULL, "%s is for the guest's frames, %" PRIu64
                          " MiB; %s sees them: looking-glass-client -f %s",
                        f->path, f->size / MIB, reader, f->path);
        return r;
}

static void print_plan(const Guest *g, const Frames *f) {
        const char *reader = g->looking_glass_user ? g->looking_glass_user : g->user;

        printf("%s   %s, %" PRIu64 " MiB, from %s to %s\n", f->is_node ? "give " : "make ", f->path, f->size / MIB, g->user, reader);
}

static int give(int root) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(frames_done) Frames frames = {};
        _cleanup_(closep) int lock = -EBADF;
        Access access;
        int r;

        r = guest_load(root, arg_guest, &g);
        r = r < 0 ? r : qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_WITHOUT_NETWORK, &facts);
        if (r < 0 || g->looking_glass == 0)
                return r;
        if (!arg_dry_run) {
                r = find_access(g, &access);
                r = r < 0 ? r : one_shot_lock(root, "frames", arg_dry_run, &lock);
        }
        r = r < 0 ? r : plan(root, g, &frames);
        if (r < 0)
                return r;
        return arg_dry_run ? print_plan(g, &frames), 0 : act(root, g, &frames, &access);
}

/* ---- the way back ---- */

/* A node that is gone, or is another device's now, has nothing to be given back. */
static int take_back(int root, const Frames *f) {
        _cleanup_(closep) int fd = root_openat(root, f->path + 1, O_PATH | O_NOFOLLOW);
        _cleanup_(freep) char *self = NULL;
        struct stat st;

        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != f->number)
                return 0;
        if (format(&self, "/proc/self/fd/%d", fd) < 0)
                return -ENOMEM;
        /* The mode first: what only root may do then, it may before it has the node again. */
        if (chmod(self, f->mode) < 0 || fchownat(fd, "", f->uid, f->gid, AT_EMPTY_PATH) < 0)
                return -errno;
        return 1;
}

static int forget_record(int root) {
        int r = frames_record_forget(root, arg_guest);

        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/frames/%s: %s.", arg_guest, strerror(-r)) : 0;
}

static int undo(int root, const Frames *f) {
        int r = f->is_node ? take_back(root, f) : remove_file(root, f);

        if (r < 0)
                return log_event_errno(r, MESSAGE_FRAMES_FAILED, NULL, "Cannot %s %s: %s; try again: %s --release %s",
                        f->is_node ? "take back" : "remove", f->path, strerror(-r), program_invocation_name, arg_guest);
        if (r > 0)
                log_event(LOG_INFO, MESSAGE_FRAMES_REMOVED, NULL, "%s is %s.", f->path,
                        f->is_node ? "back with the host" : "removed");
        return forget_record(root);
}

static int release(int root) {
        _cleanup_(frames_done) Frames frames = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = one_shot_lock(root, "frames", arg_dry_run, &lock);
        if (r < 0)
                return r;
        r = frames_record_load(root, arg_guest, &frames);
        if (r == -ENOENT)
                return arg_dry_run ? 0 : forget_record(root);
        if (r < 0)
                return log_error_errno(r,
                        "Cannot read the undo record /run/vxm/frames/%s: %s; correct it, then try again: %s --release %s",
                        arg_guest, strerror(-r), program_invocation_name, arg_guest);
        if (!arg_dry_run)
                return undo(root, &frames);
        if (frames.is_node)
                printf("chown   %s to uid %u, gid %u, mode %o\n", frames.path, frames.uid, frames.gid, frames.mode);
        else
                printf("remove  %s\n", frames.path);
        return 0;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "take back what an earlier run made or gave, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print the step, and do not do it", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-frames", "Makes the memory that Looking Glass reads a guest's frames from.", "GUEST", 1,
                options, .root_alone = "goes with --dry-run; the memory made would be this machine's." };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, give, release });
}
