/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges disks and shares before the guest starts. */

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "conf.h"
#include "disk-check.h"
#include "disk-image.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "guest-files.h"
#include "guest-user.h"
#include "host-disks.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "proc-text.h"
#include "qcow2-header.h"
#include "root.h"
#include "sysfs.h"
#include "user-access.h"

static int refuse_path(const Guest *g, const char *section, const char *name, const char *path, const char *why) {
        return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                "%s: [%s %s] Path=%s%s.", g->file, section, name, path, why);
}

static int refuse(const Guest *g, const GuestDisk *d, const char *why) {
        return refuse_path(g, guest_disk_section(d), d->name, d->path, why);
}

static int refuse_disk(const Guest *g, const GuestDisk *d, int error, const char *why, const char *next) {
        return log_event_errno(error, MESSAGE_DISK_REFUSED, FIELDS("VXM_DISK", d->name, "CONFIG_FILE", g->file),
                "%s: [%s %s] %s %s; %s.", g->file, guest_disk_section(d), d->name, d->path, why, next);
}

/* ---- images, and who else has them ---- */

static bool is_same_file(int root, const char *path, const struct stat *st) {
        _cleanup_(closep) int fd = root_openat(root, path + 1, O_PATH);
        struct stat other;

        return fd >= 0 && fstat(fd, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* Two paths to one image. */
static int check_twins(int root, const Guest *g, const GuestDisk *d, const struct stat *st) {
        for (const GuestDisk *other = g->disks; other < d; other++)
                if (other->path && !(other->read_only && d->read_only) && is_same_file(root, other->path, st))
                        return log_event_errno(E_CONFIG, MESSAGE_DISK_REFUSED,
                                FIELDS("VXM_DISK", d->name, "CONFIG_FILE", g->file),
                                "%s: [%s %s] and [%s %s] are one image, %s; give each its own.", g->file,
                                guest_disk_section(other), other->name, guest_disk_section(d), d->name, d->path);
        return 0;
}

/* A header may name further files, which QEMU would open as well: those of another guest, if the image comes from somewhere
 * else. No key allows that. */
static int check_header(int root, const Guest *g, const GuestDisk *d) {
        _cleanup_(closep) int fd = root_openat(root, d->path + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        uint8_t header[QCOW2_HEADER_SIZE];
        _cleanup_(freep) char *next = NULL;
        ssize_t n;

        if (d->format != DISK_QCOW2 || fd < 0) /* who may not read it leaves it to the guest's user */
                return 0;
        n = pread(fd, header, sizeof header, 0);
        if (n < 0)
                return log_error_errno(errno, "Cannot read %s: %m.", d->path);
        switch (qcow2_header_kind(header, (size_t) n)) {
        case QCOW2_NONE: /* QEMU says so */
        case QCOW2_ALONE:
                return 0;
        case QCOW2_BACKED:
                if (format(&next, "if you trust it, make it one image: qemu-img rebase -f qcow2 -b '' '%s'", d->path) < 0)
                        return log_oom();
                return refuse_disk(g, d, E_CONFIG, "stands on a backing file, which QEMU would open, too", next);
        case QCOW2_DATA_ELSEWHERE:
                if (format(&next, "if you trust it, make it one image: qemu-img convert -O qcow2 '%s' NEW", d->path) < 0)
                        return log_oom();
                return refuse_disk(g, d, E_CONFIG, "has its data in another file, which QEMU would open, too", next);
        }
        return -EINVAL;
}

/* What the host has an image for is no lock on it. */
static int refuse_host_file(const Guest *g, const GuestDisk *d, const char *use, const char *command, const char *name) {
        _cleanup_(freep) char *why = NULL, *next = NULL;

        if (format(&why, "is in use by the host: %s", use) < 0 ||
                format(&next, "end that first (%s %s), set ReadOnly=yes, or give this guest a copy", command, name) < 0)
                return log_oom();
        return refuse_disk(g, d, E_BUSY, why, next);
}

static int check_loops(int root, const Guest *g, const GuestDisk *d, const struct stat *st) {
        char **names = NULL;
        size_t n = 0;
        int r = 0;

        if (root_list(root, "sys/block", &names, &n) < 0)
                return 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *path = NULL, *file = NULL, *use = NULL, *node = NULL;

                if (!startswith(names[i], "loop"))
                        continue;
                if (format(&path, "sys/block/%s/loop/backing_file", names[i]) < 0)
                        r = log_oom();
                else if (root_read(root, path, &file) < 0 || file[0] != '/' || !is_same_file(root, file, st))
                        continue;
                else if (format(&use, "%s stands on it, and may be mounted", names[i]) < 0 ||
                        format(&node, "/dev/%s", names[i]) < 0)
                        r = log_oom();
                else
                        r = refuse_host_file(g, d, use, "umount, then losetup -d", node);
        }
        strings_free(names, n);
        return r;
}

static int check_swaps(int root, const Guest *g, const GuestDisk *d, const struct stat *st) {
        _cleanup_(freep) char *text = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        if (root_read(root, "proc/swaps", &text) < 0) /* not to be seen by the guest's own unit */
                return 0;
        r = swaps_parse(text, &names, &n);
        if (r < 0)
                r = log_error_errno(r, "Cannot read what the host swaps to: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (names[i][0] == '/' && is_same_file(root, names[i], st))
                        r = refuse_host_file(g, d, "swap", "swapoff", names[i]);
        strings_free(names, n);
        return r;
}

/* Two systems that write to one file system destroy it. */
static int check_host_file(int root, const Guest *g, const GuestDisk *d, const struct stat *st) {
        int r;

        if (d->read_only)
                return 0;
        r = check_loops(root, g, d, st);
        return r < 0 ? r : check_swaps(root, g, d, st);
}

/* Whether a guest's file names the image, and the guest runs. */
static bool has_image(int root, const char *name, const struct stat *st) {
        _cleanup_(guest_freep) Guest *g = NULL;

        if (!guest_runs(root, name) || guest_load(root, name, &g) < 0)
                return false;
        for (size_t i = 0; i < g->n_disks; i++)
                if (g->disks[i].path && is_same_file(root, g->disks[i].path, st))
                        return true;
        return false;
}

/* The guest that has the image; *ret stays NULL when it is none of vxm's. */
static void find_user(int root, const Guest *g, const struct stat *st, char **ret) {
        int previous = log_get_max_priority();
        char **names = NULL;
        size_t n = 0;

        /* What is wrong with another guest's file is not this guest's affair. */
        log_set_max_priority(-1);
        if (guest_files_list(root, &names, &n) >= 0)
                for (size_t i = 0; i < n && !*ret; i++)
                        if (!streq(names[i], g->name) && has_image(root, names[i], st))
                                *ret = strdup(names[i]);
        log_set_max_priority(previous);
        strings_free(names, n);
}

/* QEMU marks what it does with an image, and what it suffers others to do, by locks on bytes of it (its
 * block/file-posix.c): 100 for reading, 101 for writing; 200 for no other reader, 201 for no other writer. They are the
 * same since 2.10. */
static bool is_locked(int fd, off_t byte) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

        return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int check_locks(int root, const Guest *g, const GuestDisk *d, const struct stat *st) {
        _cleanup_(closep) int fd = root_openat(root, d->path + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        _cleanup_(freep) char *user = NULL, *next = NULL, *why = NULL;
        int r;

        /* Who may not read it cannot see locks; but another guest that runs with it has it, and QEMU itself looks
         * again. */
        if (fd >= 0 && !(is_locked(fd, 101) || is_locked(fd, 200) || (!d->read_only && is_locked(fd, 201))))
                return 0;
        find_user(root, g, st, &user);
        if (fd < 0 && !user)
                return 0;
        r = user ? format(&why, "is in use by guest %s", user)
                 : format(&why, "is in use by a program that is none of vxm's guests");
        if (r >= 0)
                r = user ? format(&next, "stop that first (systemctl stop vxm-guest@%s), or give this guest a copy",
                                   user)
                         : format(&next, "end that first; `fuser -v %s` shows it", d->path);
        return r < 0 ? log_oom() : refuse_disk(g, d, E_BUSY, why, next);
}

/* ---- block devices ---- */

void disk_node_done(DiskNode *node) {
        free(node->device);
        free(node->node);
        *node = (DiskNode){};
}

/* What a captured tree can tell: the name that the path's last link leads to. */
static int find_in_tree(int root, const GuestDisk *d, DiskNode *ret) {
        _cleanup_(freep) char *name = NULL, *link = NULL;
        int r;

        r = root_readlink_name(root, d->path + 1, &name);
        if (r == -EINVAL)
                r = free_and_strdup(&name, path_name(d->path));
        r = r < 0 ? r : format(&link, "sys/class/block/%s", name);
        r = r < 0 ? r : sysfs_resolve(root, link, &ret->device);
        return r < 0 ? r : format(&ret->node, "/dev/%s", name);
}

static int find_by_number(int root, int fd, dev_t number, DiskNode *ret) {
        _cleanup_(freep) char *link = NULL, *self = NULL;
        int r;

        r = format(&link, "sys/dev/block/%u:%u", major(number), minor(number));
        r = r < 0 ? r : sysfs_resolve(root, link, &ret->device);
        r = r < 0 ? r : format(&self, "proc/self/fd/%d", fd);
        return r < 0 ? r : root_readlink(root, self, &ret->node);
}

int disk_node_find(int root, const GuestDisk *d, DiskNode *ret, int *ret_fd) {
        _cleanup_(closep) int fd = root_openat(root, d->path + 1, O_PATH);
        _cleanup_(disk_node_done) DiskNode node = {};
        struct stat st;
        int r;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISBLK(st.st_mode)) {
                node.number = st.st_rdev;
                node.uid = st.st_uid;
                r = find_by_number(root, fd, st.st_rdev, &node);
        } else
                r = root_is_this_machine(root) ? -ENODEV : find_in_tree(root, d, &node);
        if (r < 0)
                return r;

        *ret = node;
        node = (DiskNode){};
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* The names of real disks go by the order in which they are found: what is sdb today may be the system's disk tomorrow.
 */
static int check_name(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        _cleanup_(freep) char *why = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        if (!streq(d->path, node->node) || path_is_within(node->device, "devices/virtual"))
                return 0;
        r = root_list(root, "dev/disk/by-id", &names, &n);
        for (size_t i = 0; r >= 0 && i < n && !why; i++) {
                _cleanup_(freep) char *path = NULL, *target = NULL;

                if (format(&path, "dev/disk/by-id/%s", names[i]) >= 0 && root_readlink_name(root, path, &target) >= 0 &&
                        streq(target, path_name(node->node)))
                        (void) format(
                                &why, ": another disk may have this name after the next boot; write Path=/%s", path);
        }
        strings_free(names, n);
        return refuse(g, d,
                why ? why : ": another disk may have this name after the next boot; name it by a link in /dev/disk");
}

/* Device mapper, md and the like stand on a disk without a mount that would tell of it. */
static int check_holders(int root, const Guest *g, const GuestDisk *d, const char *device) {
        _cleanup_(freep) char *why = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, device, "holders", &names, &n);
        if (r >= 0 && n > 0)
                r = format(&why, "is in use by the host: %s stands on %s", names[0], path_name(device));
        strings_free(names, n);
        if (r < 0)
                return log_error_errno(r, "Cannot read what stands on %s: %s.", d->path, strerror(-r));
        return why ? refuse_disk(g, d, E_CONFIG, why, "name another disk") : 0;
}

static int check_all_holders(int root, const Guest *g, const GuestDisk *d, const char *device) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = check_holders(root, g, d, device);
        if (r >= 0 && sysfs_list(root, device, NULL, &names, &n) < 0)
                n = 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *part = NULL;

                if (!startswith(names[i], path_name(device))) /* partitions are called like their disk */
                        continue;
                r = format(&part, "%s/%s", device, names[i]);
                r = r < 0 ? log_oom() : check_holders(root, g, d, part);
        }
        strings_free(names, n);
        return r;
}

/* host_disks_read() follows what is mounted down to the disks; this is for what lies between: volumes, arrays, loops.
 */
static int find_mount(int root, const char *number, char **ret) {
        static const char *const paths[] = { "proc/1/mountinfo", "proc/self/mountinfo" };
        _cleanup_(mounts_done) Mounts mounts = {};
        unsigned major_number, minor_number;

        if (sscanf(number, "%u:%u", &major_number, &minor_number) != 2)
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(freep) char *text = NULL;

                if (root_read(root, paths[i], &text) >= 0 && mountinfo_parse(text, &mounts) < 0)
                        return -EINVAL;
        }
        for (size_t i = 0; i < mounts.n; i++)
                if (mounts.items[i].major == major_number && mounts.items[i].minor == minor_number)
                        return format(ret, "the file system on %s", mounts.items[i].point);
        return 0;
}

static int find_swap(int root, const char *node, char **ret) {
        _cleanup_(freep) char *text = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        if (root_read(root, "proc/swaps", &text) < 0)
                return 0;
        r = swaps_parse(text, &names, &n);
        if (r >= 0 && strings_contain(names, n, node))
                r = format(ret, "swap");
        strings_free(names, n);
        return r;
}

static int check_itself(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        _cleanup_(freep) char *number = NULL, *use = NULL, *why = NULL;
        int r;

        r = sysfs_read(root, node->device, "dev", &number);
        if (r == -ENOENT) /* a captured tree need not have it */
                return 0;
        r = r < 0 ? r : find_mount(root, number, &use);
        if (r >= 0 && !use)
                r = find_swap(root, node->node, &use);
        if (r < 0)
                return log_error_errno(r, "Cannot read what %s is used for: %s.", d->path, strerror(-r));
        if (!use)
                return 0;
        if (format(&why, "is in use by the host: %s", use) < 0)
                return log_oom();
        return refuse_disk(g, d, E_CONFIG, why, "unmount it, or name another disk");
}

static int check_host(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        _cleanup_(host_uses_done) HostUses uses = {};
        int r;

        r = host_disks_read(root, &uses);
        if (r < 0)
                return r;
        for (size_t i = 0; i < uses.n; i++) {
                _cleanup_(freep) char *why = NULL;

                if (!path_is_within(uses.items[i].path, node->device) &&
                        !path_is_within(node->device, uses.items[i].path))
                        continue;
                if (format(&why, "is in use by the host: %s", uses.items[i].text) < 0)
                        return log_oom();
                return refuse_disk(g, d, E_CONFIG, why, "unmount it, or name another disk");
        }
        r = check_itself(root, g, d, node);
        return r < 0 ? r : check_all_holders(root, g, d, node->device);
}

/* Other disks of this guest on the same block device. */
static int check_overlap(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        for (const GuestDisk *other = g->disks; other < d; other++) {
                _cleanup_(disk_node_done) DiskNode theirs = {};
                _cleanup_(closep) int fd = -EBADF;

                if (!guest_disk_is_node(other) || (other->read_only && d->read_only) ||
                        disk_node_find(root, other, &theirs, &fd) < 0)
                        continue;
                if (path_is_within(theirs.device, node->device) || path_is_within(node->device, theirs.device))
                        return log_event_errno(E_CONFIG, MESSAGE_DISK_REFUSED,
                                FIELDS("VXM_DISK", d->name, "CONFIG_FILE", g->file),
                                "%s: [%s %s] and [%s %s] are one block device, or one is part of the other; give each "
                                "its own.",
                                g->file, guest_disk_section(other), other->name, guest_disk_section(d), d->name);
        }
        return 0;
}

static int check_claim(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        _cleanup_(freep) char *holder = NULL, *why = NULL, *next = NULL;
        int r;

        r = disks_record_holder(root, g->name, node->device, &holder);
        if (r == 0 || r == -EACCES || r == -EPERM) /* not root: vxm-disks looks again */
                return 0;
        if (r < 0)
                return log_error_errno(r, "Cannot read the undo record /run/vxm/disks/%s: %s; correct or remove it.",
                        holder ? holder : "", strerror(-r));
        if (format(&why, "is in use by guest %s", holder) < 0 ||
                format(&next, "stop that first (systemctl stop vxm-guest@%s), or name another disk", holder) < 0)
                return log_oom();
        return refuse_disk(g, d, E_BUSY, why, next);
}

static int check_write_protection(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        _cleanup_(freep) char *text = NULL;

        if (d->read_only || sysfs_read(root, node->device, "ro", &text) < 0 || streq(text, "0"))
                return 0;
        return refuse(g, d, " is write-protected; set ReadOnly=yes");
}

int disk_node_judge(int root, const Guest *g, const GuestDisk *d, const DiskNode *node) {
        int r;

        r = check_host(root, g, d, node);
        r = r < 0 ? r : check_name(root, g, d, node);
        r = r < 0 ? r : check_claim(root, g, d, node);
        r = r < 0 ? r : check_overlap(root, g, d, node);
        return r < 0 ? r : check_write_protection(root, g, d, node);
}

int disk_node_claim(const Guest *g, const GuestDisk *d, int fd) {
        _cleanup_(closep) int claim = -EBADF;
        char path[32];

        /* An O_PATH descriptor is opened through /proc; O_EXCL on a block device is refused to all but one (open(2)).
         */
        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        claim = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
        if (claim >= 0)
                return 0;
        if (errno == EBUSY)
                return refuse_disk(g, d, E_BUSY,
                        "is in use by the host: the kernel has it or a part of it mounted, or something stands on it",
                        "see `lsblk`, or name another disk");
        if (errno == ENOMEDIUM)
                return refuse_disk(g, d, E_CONFIG, "has no medium in it", "put one in");
        return log_error_errno(errno, "Cannot open %s: %m.", d->path);
}

static int check_node(int root, const Guest *g, const GuestDisk *d) {
        _cleanup_(disk_node_done) DiskNode node = {};
        _cleanup_(closep) int fd = -EBADF;
        int r;

        r = disk_node_find(root, d, &node, &fd);
        if (r == -ENODEV)
                return refuse(g, d, " is no block device; name one, or move the image out of /dev");
        if (r < 0)
                return log_error_errno(r, "%s: [%s %s] Path=%s: cannot find it in /sys: %s.", g->file,
                        guest_disk_section(d), d->name, d->path, strerror(-r));
        return disk_node_judge(root, g, d, &node);
}

/* ---- access of the guest's own user ---- */

/* What vxm-disks prepares, and what the guest's unit opens, stands in drop-ins that are as old as the last daemon-reload. */
static int refuse_stale(const Guest *g, const GuestDisk *d, const char *what) {
        _cleanup_(freep) char *why = NULL;

        if (format(&why,
                    "%s: the guest file may have changed since the units were made; run systemctl daemon-reload, then "
                    "start again",
                    what) < 0)
                return log_oom();
        return refuse(g, d, why);
}

static bool user_is_missing(const Guest *g) {
        uid_t uid;

        return !guest_has_named_user(g) && guest_user_find(g->user, &uid, NULL) == -ENOENT;
}

/* What has to come first: nothing can be given to a user that is not there, and the guest's start makes it only when all is well. */
static int format_step(const Guest *g, char **ret, const char *step, const char *path) {
        bool missing = user_is_missing(g);

        return format(ret, "%s%s%s%s '%s', and let that user into the directories above",
                missing ? "make that user first (systemd-sysusers --inline 'u " : "", missing ? g->user : "", missing ? " -'), then " : "",
                step, path);
}

static int refuse_access(const Guest *g, const GuestDisk *d, const char *reason) {
        _cleanup_(freep) char *why = NULL, *step = NULL, *next = NULL;
        int r;

        if (d->read_only && user_is_missing(g))
                r = format(&next, "put it where all may read it, such as /var/lib/vxm/images");
        else {
                r = format(&step, "chown %s", g->user);
                r = r < 0 ? r : format_step(g, &next, step, d->path);
        }
        if (r < 0 || format(&why, " cannot be %s by the guest's user: %s; %s", d->read_only ? "read" : "read and written", reason, next) < 0)
                return log_oom();
        return refuse(g, d, why);
}

static int refuse_share_access(const Guest *g, const GuestShare *s) {
        _cleanup_(freep) char *why = NULL, *step = NULL, *next = NULL;

        if (format(&step, "setfacl -m u:%s:%s", g->user, s->read_only ? "rx" : "rwx") < 0 || format_step(g, &next, step, s->path) < 0 ||
                format(&why, " cannot be %s by the guest's user; %s%s", s->read_only ? "read" : "read and written", next,
                        s->read_only ? "" : ", or set ReadOnly=yes") < 0)
                return log_oom();
        return refuse_path(g, "Share", s->name, s->path, why);
}

static int check_access(const Guest *g, const GuestDisk *d, const struct stat *st) {
        if (guest_disk_is_node(d) && st->st_uid != geteuid())
                return refuse_stale(g, d, " has not been given to the guest's user");
        if (access(d->path, d->read_only ? R_OK : R_OK | W_OK) == 0)
                return 0;
        if (errno == EROFS)
                return refuse_stale(g, d,
                        " is read-only to the guest (if its file system is that to all, set ReadOnly=yes)");
        return refuse_access(g, d, strerror(errno));
}

static int check_share_access(const Guest *g, const GuestShare *s) {
        /* EROFS is this unit's own: to the guest's QEMU all but its disks is read-only. It comes after the permissions.
         */
        if (access(s->path, s->read_only ? R_OK | X_OK : R_OK | W_OK | X_OK) == 0 || errno == EROFS)
                return 0;
        if (errno != EACCES)
                return log_error_errno(errno, "%s: [Share %s] Path=%s: %m.", g->file, s->name, s->path);
        return refuse_share_access(g, s);
}

/* ---- the same, before that user can look itself ---- */

/* Who judges may not become the guest's user. One that is not made yet will own nothing, and be in no group. What cannot be told is left to
 * that user: it looks at last. Returns 1, 0 and what stands in the way in *ret_where, or -ENOMEM. */
static int user_will_reach(int root, const Guest *g, const char *path, int wanted, char **ret_where) {
        _cleanup_(user_ids_done) UserIds user = {};
        int r;

        if (!root_is_this_machine(root))
                return 1;
        r = user_ids_find(g->user, &user);
        if (r == -ENOENT && !guest_has_named_user(g)) {
                user.uid = (uid_t) -1;
                r = 0;
        }
        r = r < 0 ? r : user_may(root, path, &user, wanted, ret_where);
        return r < 0 && r != -ENOMEM ? 1 : r;
}

int disk_judge_access(int root, const Guest *g, const GuestDisk *d) {
        _cleanup_(freep) char *where = NULL, *reason = NULL;
        int r;

        /* What somebody has put into the guest's own directory systemd gives to the guest (StateDirectory=). */
        if (guest_disk_is_own(g, d))
                return 0;
        r = user_will_reach(root, g, d->path, d->read_only ? R_OK : R_OK | W_OK, &where);
        if (r > 0)
                return 0;
        if (r < 0 || format(&reason, "owner and mode of %s forbid it", where) < 0)
                return log_oom();
        return refuse_access(g, d, reason);
}

/* An image that is to be made will be its own, but has to be reached. */
static int judge_new_image(int root, const Guest *g, const GuestDisk *d) {
        _cleanup_(freep) char *where = NULL, *directory = NULL, *reason = NULL;
        int r;

        r = disk_image_judge(root, g, d);
        if (r < 0 || guest_disk_is_own(g, d))
                return r;
        directory = strndup(d->path, (size_t) (strrchr(d->path, '/') - d->path));
        r = !directory ? -ENOMEM : user_will_reach(root, g, isempty(directory) ? "/" : directory, X_OK, &where);
        if (r > 0)
                return 0;
        if (r < 0 ||
                format(&reason,
                        " is to be where the guest's user may not enter: owner and mode of %s forbid it; let that user "
                        "into the directory, or leave out Path=, so that it goes to /var/lib/vxm/guests",
                        where) < 0)
                return log_oom();
        return refuse(g, d, reason);
}

static int judge_share_access(int root, const Guest *g, const GuestShare *s) {
        _cleanup_(freep) char *where = NULL;
        int r;

        r = user_will_reach(root, g, s->path, s->read_only ? R_OK | X_OK : R_OK | W_OK | X_OK, &where);
        return r < 0 ? log_oom() : r == 0 ? refuse_share_access(g, s) : 0;
}

/* ---- all of them ---- */

static int check_disk(int root, const Guest *g, const GuestDisk *d, bool prepared) {
        _cleanup_(closep) int fd = root_openat(root, d->path + 1, O_PATH);
        _cleanup_(freep) char *why = NULL;
        struct stat st;
        int r;

        if (fd == -ENOENT && d->size > 0 && !(prepared && guest_disk_needs_root(g, d)))
                return prepared ? 0 : judge_new_image(root, g, d);
        if (fd == -ENOENT && prepared && guest_disk_needs_root(g, d))
                return refuse_stale(g, d, " has not been made, or is gone");
        if (fd == -EACCES) /* who may not look without privileges lets others look, as the doctor has to */
                return prepared ? refuse_access(g, d, strerror(EACCES)) : 0;
        if (fd < 0) {
                if (format(&why, ": %s; put the file there or correct the path", strerror(-fd)) < 0)
                        return log_oom();
                return refuse(g, d, why);
        }
        if (fstat(fd, &st) < 0)
                return log_error_errno(errno, "Cannot look at %s: %m.", d->path);
        if (guest_disk_is_node(d))
                return prepared ? check_access(g, d, &st) : check_node(root, g, d);
        if (S_ISBLK(st.st_mode))
                return refuse(g, d,
                        " leads to a block device; name that by a path in /dev, such as a link in /dev/disk/by-id");
        if (!S_ISREG(st.st_mode))
                return refuse(g, d, " is neither a regular file nor a block device; name one");
        r = check_twins(root, g, d, &st);
        r = r < 0 ? r : check_header(root, g, d);
        r = r < 0 ? r : check_host_file(root, g, d, &st);
        if (r >= 0 && (prepared || !guest_runs(root, g->name))) /* who asks about a guest that runs finds its own locks */
                r = check_locks(root, g, d, &st);
        return r < 0 ? r : prepared ? check_access(g, d, &st) : disk_judge_access(root, g, d);
}

static int check_share(int root, const Guest *g, const GuestShare *s, bool prepared) {
        _cleanup_(closep) int fd = root_openat(root, s->path + 1, O_PATH);
        struct stat st;

        if (!root_exists(root, VIRTIOFSD_PATH + 1))
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "%s is missing, which serves [Share %s]; install it (Debian 13: virtiofsd).", VIRTIOFSD_PATH,
                        s->name);
        if (fd < 0 && fd != -EACCES)
                return refuse_path(g, "Share", s->name, s->path,
                        fd == -ENOENT ? ": there is no such directory; make it or correct the path"
                                      : ": it cannot be opened; correct the path");
        if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)))
                return refuse_path(g, "Share", s->name, s->path, " is no directory; name one");
        return prepared ? check_share_access(g, s) : fd < 0 ? 0 : judge_share_access(root, g, s);
}

int disks_check(int root, const Guest *g, bool prepared) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_disks; i++)
                if (g->disks[i].path)
                        r = check_disk(root, g, &g->disks[i], prepared);
        for (size_t i = 0; r >= 0 && i < g->n_shares; i++)
                r = check_share(root, g, &g->shares[i], prepared);
        return r;
}
