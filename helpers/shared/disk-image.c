/* SPDX-License-Identifier: BSD-3-Clause */
/* Images of disks, made at the guest's first start: in its own directory by vxm-qemu, as the guest's user; elsewhere by
 * vxm-disks, as root, who only goes into directories that nobody else can put anything into. */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "conf.h"
#include "disk-image.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "log.h"
#include "messages.h"
#include "qcow2-header.h"
#include "root.h"

enum {
        IMAGE_FD = 3, /* where qemu-img finds the image */
        SOURCE_FD = 4,
        SAID_MAX = 64 * 1024,
};

#define IMAGE "/proc/self/fd/3"
#define SOURCE "/proc/self/fd/4"

static int refuse(const Guest *g, const GuestDisk *d, int error, const char *what, const char *next) {
        return log_event_errno(error, error == E_LACKS ? MESSAGE_HOST_LACKS : MESSAGE_GUEST_FILE_INVALID,
                FIELDS("CONFIG_FILE", g->file), "%s: [Disk %s] %s cannot be made: %s; %s.", g->file, d->name, d->path,
                what, next);
}

/* The directory of a path, and in *ret_name what it is called there. Returns a descriptor or -errno. */
static int open_directory(int root, const char *path, int flags, const char **ret_name) {
        const char *slash = strrchr(path, '/');
        _cleanup_(freep) char *directory = NULL;

        *ret_name = slash + 1;
        directory = slash == path ? strdup("/") : strndup(path, (size_t) (slash - path));
        if (!directory)
                return -ENOMEM;
        return root_openat(root, directory[1] ? directory + 1 : ".", flags | O_DIRECTORY);
}

/* Room for a raw image is taken at once; a qcow2 image grows. */
static int judge_room(const Guest *g, const GuestDisk *d, int directory) {
        _cleanup_(freep) char *what = NULL;
        struct statvfs fs;
        uint64_t room;

        if (d->format != DISK_RAW || fstatvfs(directory, &fs) < 0)
                return 0;
        room = (uint64_t) fs.f_bavail * fs.f_frsize;
        if (room >= d->size)
                return 0;
        if (format(&what, "it needs %" PRIu64 "M, and %" PRIu64 "M are free there", d->size >> 20, room >> 20) < 0)
                return log_oom();
        return refuse(g, d, E_CONFIG, what,
                "make room, choose a smaller Size=, or Format=qcow2, which grows as it is filled");
}

/* In a directory of somebody else's, root might be led astray. */
static int judge_owner(const Guest *g, const GuestDisk *d, int directory) {
        struct stat st;

        if (fstat(directory, &st) < 0)
                return 0;
        if (st.st_uid == 0 && (st.st_mode & 022) == 0)
                return 0;
        return refuse(g, d, E_CONFIG, "its directory is not root's alone",
                "make the image yourself (qemu-img create), or leave out Path=, so that it goes to "
                "/var/lib/vxm/guests");
}

int disk_image_judge(int root, const Guest *g, const GuestDisk *d) {
        bool own = guest_disk_is_own(g, d);
        _cleanup_(closep) int directory = -EBADF;
        const char *name;
        int r;

        if (d->format == DISK_QCOW2 && !root_exists(root, QEMU_IMG_PATH + 1))
                return refuse(g, d, E_LACKS, QEMU_IMG_PATH " is missing", "install it (Debian: qemu-utils)");
        /* The guest's own directory is made when it starts for the first time, on the file system of this one. */
        directory = open_directory(root, d->path, O_PATH, &name);
        if (directory == -ENOENT && own) {
                directory = root_openat(root, "var/lib/vxm/guests", O_PATH | O_DIRECTORY);
                if (directory < 0)
                        return 0;
        }
        if (directory < 0)
                return refuse(g, d, E_CONFIG, directory == -ENOENT ? "its directory is missing" : strerror(-directory),
                        "make the directory or correct Path=");
        /* A captured tree belongs to whoever captured it. */
        r = own || !root_is_this_machine(root) ? 0 : judge_owner(g, d, directory);
        return r < 0 ? r : judge_room(g, d, directory);
}

/* What qemu-img gets open. */
typedef struct Opened {
        int image;
        int source; /* -EBADF: none */
        int said;   /* where it complains */
} Opened;

static bool put_at(int fd, int wanted) {
        return fd == wanted ? fcntl(fd, F_SETFD, 0) >= 0 : dup2(fd, wanted) >= 0;
}

static void exec_qemu_img(const Opened *o, const char *const argv[]) __attribute__((noreturn));

/* In the child; only calls that are safe after fork(2). Whoever waits for it may have signals blocked, which is nothing to it. */
static void exec_qemu_img(const Opened *o, const char *const argv[]) {
        int source = o->source == IMAGE_FD ? dup(o->source) : o->source; /* it would be overwritten */
        sigset_t none;

        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        if (!put_at(o->said, STDERR_FILENO) || !put_at(o->image, IMAGE_FD) || (source >= 0 && !put_at(source, SOURCE_FD)))
                _exit(1);
        execv(QEMU_IMG_PATH, (char *const *) argv);
        dprintf(STDERR_FILENO, "Cannot execute %s: %s\n", QEMU_IMG_PATH, strerror(errno));
        _exit(1);
}

static int wait_for(pid_t child) {
        int status;

        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM))
                return -EINTR;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* What qemu-img says of a failure is the reason of it, and comes in *ret_said, a line: there is none where nobody could read it. */
static int run_qemu_img(int image, int source, const char *const argv[], char **ret_said) {
        _cleanup_(closep) int reader = -EBADF, writer = -EBADF;
        _cleanup_(freep) char *said = NULL;
        int ends[2], r;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        reader = ends[0];
        writer = ends[1];
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0)
                exec_qemu_img(&(Opened){ image, source, writer }, argv);
        close(TAKE_FD(writer));
        (void) read_full(reader, SAID_MAX, &said, NULL);
        close(TAKE_FD(reader)); /* who has more to say is not listened to */
        r = wait_for(child);
        if (r != -EIO || isempty(said))
                return r;
        if (strstr(said, "No space left on device"))
                return -ENOSPC;
        said[strcspn(said, "\n")] = '\0';
        *ret_said = text_clean(TAKE_PTR(said));
        return r;
}

static int fill_qcow2(int image, uint64_t size, char **ret_said) {
        char bytes[24];
        const char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", IMAGE, bytes, NULL };

        (void) snprintf(bytes, sizeof bytes, "%" PRIu64, size);
        return run_qemu_img(image, -EBADF, argv, ret_said);
}

static const char *format_name(DiskFormat format) {
        return format == DISK_QCOW2 ? "qcow2" : "raw";
}

/* A bar that moves is for terminals. */
static int fill_from(int image, const GuestDisk *d, const DiskSource *source, char **ret_said) {
        char bytes[24];
        const char *const convert[] = { "qemu-img", "convert", isatty(STDOUT_FILENO) ? "-p" : "-q", "-f", format_name(source->format), "-O",
                format_name(d->format), SOURCE, IMAGE, NULL };
        const char *const resize[] = { "qemu-img", "resize", "-q", "-f", format_name(d->format), IMAGE, bytes, NULL };
        int r;

        (void) snprintf(bytes, sizeof bytes, "%" PRIu64, d->size);
        r = run_qemu_img(image, source->fd, convert, ret_said);
        return r < 0 || d->size == 0 ? r : run_qemu_img(image, -EBADF, resize, ret_said);
}

/* All of it is reserved, so that the guest is not stopped half-way by a host without room; where the file system cannot do
 * that, it is not. What the guest discards goes back to the host, unless Discard=no keeps it. */
static int fill_raw(int image, uint64_t size) {
        if (fallocate(image, 0, 0, (off_t) size) == 0)
                return 0;
        if (errno != EOPNOTSUPP)
                return -errno;
        return ftruncate(image, (off_t) size) < 0 ? -errno : 0;
}

/* Never over anything: linkat(2) does not. */
static int give_name(int image, int directory, const char *name) {
        char path[32];

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", image);
        if (linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) < 0)
                return -errno;
        return fsync(directory) < 0 ? -errno : 0;
}

static int make(int directory, const char *name, const GuestDisk *d, const DiskSource *source, uid_t uid, gid_t gid, char **ret_said) {
        _cleanup_(closep) int image = -EBADF;
        int r;

        image = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (image < 0)
                return -errno;
        r = source ? fill_from(image, d, source, ret_said)
                   : d->format == DISK_QCOW2 ? fill_qcow2(image, d->size, ret_said) : fill_raw(image, d->size);
        /* Not before: qemu-img opens it once more, and vxm-disks may not write to what is not root's. */
        if (r >= 0 && uid != (uid_t) -1 && fchown(image, uid, gid) < 0)
                r = -errno;
        if (r >= 0 && fsync(image) < 0)
                r = -errno;
        return r < 0 ? r : give_name(image, directory, name);
}

static int refuse_full(const Guest *g, const GuestDisk *d) {
        _cleanup_(freep) char *what = NULL;
        int n = (int) (strrchr(d->path, '/') - d->path);

        if (format(&what, "there is no room left in %.*s", n > 0 ? n : 1, d->path) < 0)
                return log_oom();
        return refuse(g, d, -ENOSPC, what, "make room, then try again");
}

/* Tells what came of it, in the words for people. said: what qemu-img says of it, or NULL. */
static int tell(const Guest *g, const GuestDisk *d, int r, const char *said) {
        if (r == -EINTR)
                return r;
        if (r == -EOPNOTSUPP || r == -EISDIR) /* open(2) on O_TMPFILE */
                return refuse(g, d, r, "the file system there cannot make a file without a name",
                        "make the image yourself: qemu-img create");
        if (r == -ENOSPC)
                return refuse_full(g, d);
        if (r < 0)
                return refuse(g, d, r, said ? said : strerror(-r), "no image has been made");
        log_event(LOG_INFO, MESSAGE_DISK_MADE, FIELDS("VXM_DISK", d->name), "[Disk %s] %s is new: %" PRIu64 "M, %s.",
                d->name, d->path, d->size >> 20, d->format == DISK_QCOW2 ? "qcow2" : "raw");
        return 1;
}

int disk_image_make(int root, const Guest *g, const GuestDisk *d, uid_t uid, gid_t gid) {
        _cleanup_(closep) int directory = -EBADF;
        _cleanup_(freep) char *said = NULL;
        const char *name;
        int r;

        if (root_exists(root, d->path + 1))
                return 0;
        directory = open_directory(root, d->path, O_RDONLY, &name);
        r = directory < 0 ? directory : make(directory, name, d, NULL, uid, gid, &said);
        return r == -EEXIST ? 0 /* somebody was faster */ : tell(g, d, r, said);
}

/* How large the disk in a source is. Returns 0; -E_CONFIG, logged. */
static int judge_source(const Guest *g, const GuestDisk *d, const DiskSource *source, uint64_t *ret_size) {
        uint8_t header[QCOW2_HEADER_SIZE];
        ssize_t n = pread(source->fd, header, sizeof header, 0);
        struct stat st;

        if (n < 0 || fstat(source->fd, &st) < 0)
                return refuse(g, d, errno, strerror(errno), "no image has been made");
        *ret_size = (uint64_t) st.st_size;
        if (source->format != DISK_QCOW2)
                return 0;
        switch (qcow2_header_kind(header, (size_t) n)) {
        case QCOW2_ALONE:
                *ret_size = qcow2_header_disk_size(header);
                return 0;
        case QCOW2_NONE:
                return refuse(g, d, E_CONFIG, "what it is to begin as is no qcow2 image", "correct Format= in [Download]");
        default:
                return refuse(g, d, E_CONFIG, "what it is to begin as leads to other files", "take another one");
        }
}

int disk_image_make_from(int root, const Guest *g, const GuestDisk *d, const DiskSource *source) {
        _cleanup_(closep) int directory = -EBADF;
        _cleanup_(freep) char *what = NULL, *said = NULL;
        const char *name;
        uint64_t size = 0;
        int r;

        r = judge_source(g, d, source, &size);
        if (r < 0)
                return r;
        if (d->size > 0 && size > d->size) {
                if (format(&what, "%s is a disk of %" PRIu64 "M", source->name, (size + (1 << 20) - 1) >> 20) < 0)
                        return log_oom();
                return refuse(g, d, E_CONFIG, what, "choose a Size= that is as large at least");
        }
        directory = open_directory(root, d->path, O_RDONLY, &name);
        r = directory < 0 ? directory : make(directory, name, d, source, (uid_t) -1, (gid_t) -1, &said);
        return tell(g, d, r, said);
}

int disk_images_make_own(int root, const Guest *g) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (g->disks[i].size > 0 && guest_disk_is_own(g, &g->disks[i]))
                        r = disk_image_make(root, g, &g->disks[i], (uid_t) -1, (gid_t) -1);
        return r < 0 ? r : 0;
}
