/* SPDX-License-Identifier: BSD-3-Clause */
/* Follows mounted file systems and swap down to their disks: from mounts, and from what the file systems themselves have in
 * /sys/fs, which other mount namespaces cannot hide. Only reads. */

#include "host-disks.h"
#include "log.h"
#include "proc-text.h"
#include "root.h"
#include "sysfs.h"

enum {
        DEPTH_MAX = 16,   /* of block devices on block devices; LVM on LUKS on RAID is 3 */
        VISITS_MAX = 4096, /* in all: a captured tree may be knotted */
};

typedef struct Disks {
        int root;
        HostUses *uses;
        Mounts mounts;
        unsigned visits;
} Disks;

static void disks_done(Disks *d) {
        mounts_done(&d->mounts);
}

static int add_block(Disks *d, HostUseType type, const char *path, const char *what, unsigned depth);

/* Goes on with each link in a directory whose name starts with prefix. */
static int add_links(Disks *d, HostUseType type, const char *directory, const char *prefix, const char *what,
        unsigned depth) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(d->root, directory, NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *path = NULL;

                if (!startswith(names[i], prefix))
                        continue;
                r = format(&link, "sys/%s/%s", directory, names[i]);
                r = r < 0 ? r : sysfs_resolve(d->root, link, &path);
                if (r == -EINVAL) { /* a directory of the same prefix */
                        r = 0;
                        continue;
                }
                r = r < 0 ? r : add_block(d, type, path, what, depth);
        }
        strings_free(names, n);
        return r;
}

/* A virtual block device: device mapper, md, bcache and the like name those they stand on in “slaves”, a partition of one
 * in its parent's; NVMe with several paths to one disk has links to its controllers beside it. What has neither lies in
 * memory, in a file, or elsewhere in the network. */
static int add_virtual(Disks *d, HostUseType type, const char *path, const char *what, unsigned depth) {
        _cleanup_(freep) char *parent = NULL, *slaves = NULL;
        int r;

        if (path_is_within(path, "devices/virtual/nvme-subsystem")) {
                parent = strndup(path, path_front(path, 4));
                return parent ? add_links(d, type, parent, "nvme", what, depth) : -ENOMEM;
        }
        r = format(&slaves, "%s/slaves", path);
        r = r < 0 ? r : add_links(d, type, slaves, "", what, depth);
        if (r < 0)
                return r;

        slaves = (free(slaves), NULL);
        r = format(&slaves, "%.*s/slaves", (int) (path_name(path) - path - 1), path);
        return r < 0 ? r : add_links(d, type, slaves, "", what, depth);
}

static int add_block(Disks *d, HostUseType type, const char *path, const char *what, unsigned depth) {
        if (depth >= DEPTH_MAX || d->visits++ >= VISITS_MAX)
                return -ELOOP;
        if (path_is_within(path, "devices/virtual"))
                return add_virtual(d, type, path, what, depth + 1);
        return host_uses_add(d->root, d->uses, type, path, "%s (%s)", what, path_name(path));
}

/* By the kernel's name, with “!” for “/”. A disk that has been pulled out leaves its mounts behind. */
static int add_named(Disks *d, HostUseType type, const char *name, const char *what) {
        _cleanup_(freep) char *link = NULL, *path = NULL;
        int r;

        r = format(&link, "sys/class/block/%s", name);
        r = r < 0 ? r : sysfs_resolve(d->root, link, &path);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : add_block(d, type, path, what, 0);
}

/* What device mapper calls “vg-root”, the kernel calls “dm-3”. */
static int find_mapped(int root, const char *mapped, char **ret) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, "class/block", NULL, &names, &n);
        for (size_t i = 0; r >= 0 && !*ret && i < n; i++) {
                _cleanup_(freep) char *directory = NULL, *name = NULL;

                if (!startswith(names[i], "dm-"))
                        continue;
                r = format(&directory, "class/block/%s", names[i]);
                if (r >= 0 && sysfs_read(root, directory, "dm/name", &name) >= 0 && streq(name, mapped))
                        r = free_and_strdup(ret, names[i]);
        }
        strings_free(names, n);
        return r;
}

/* The kernel's name of a node in /dev; *ret stays NULL for what is no node there. */
static int name_of_node(int root, const char *node, char **ret) {
        _cleanup_(freep) char *name = NULL, *link = NULL;
        const char *below = startswith(node, "/dev/"), *mapped;
        int r;

        if (!below)
                return 0;
        r = root_readlink_name(root, node + 1, &link);
        if (r >= 0) {
                *ret = TAKE_PTR(link);
                return 0;
        }
        mapped = startswith(below, "mapper/");
        if (mapped)
                return find_mapped(root, mapped, ret);
        r = free_and_strdup(&name, below);
        if (r < 0)
                return r;
        for (char *c = name; *c; c++)
                if (*c == '/')
                        *c = '!';
        *ret = TAKE_PTR(name);
        return 0;
}

static int add_node(Disks *d, HostUseType type, const char *node, const char *what) {
        _cleanup_(freep) char *name = NULL;
        int r;

        r = name_of_node(d->root, node, &name);
        return r < 0 || !name ? r : add_named(d, type, name, what);
}

/* ---- file systems ---- */

/* Where to find a file system's other mounts: one device, one name for it. */
static bool is_same_device(const Mount *a, const Mount *b) {
        return a->major == b->major && a->minor == b->minor && (a->major > 0 || streq(a->source, b->source));
}

/* Of a file system that is mounted many times, the root or else the shortest place says most. */
static const Mount *best_mount(const Disks *d, const Mount *of) {
        const Mount *best = of;

        for (size_t i = 0; i < d->mounts.n; i++) {
                const Mount *m = &d->mounts.items[i];

                if (is_same_device(m, of) && strlen(m->point) < strlen(best->point))
                        best = m;
        }
        return best;
}

static int describe_mount(const Mount *m, char **ret) {
        return streq(m->point, "/") ? format(ret, "the root file system") : format(ret, "the file system on %s", m->point);
}

/* Whether udev's database knows a disk as a member of the pool. */
static int is_pool_member(int root, const char *disk, const char *pool, bool *ret) {
        _cleanup_(freep) char *directory = NULL, *number = NULL, *path = NULL, *database = NULL, *label = NULL;
        int r;

        *ret = false;
        r = format(&directory, "class/block/%s", disk);
        r = r < 0 ? r : sysfs_read(root, directory, "dev", &number);
        r = r < 0 ? r : format(&path, "run/udev/data/b%s", number);
        r = r < 0 ? r : root_read(root, path, &database);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = format(&label, "E:ID_FS_LABEL=%s\n", pool);
        if (r >= 0)
                *ret = strstr(database, "E:ID_FS_TYPE=zfs_member\n") && strstr(database, label);
        return r;
}

/* ZFS does not tell the kernel which disks it lies on. Where udev does not know either, it may be any. */
static int add_zfs(Disks *d, const Mount *m, HostUseType type, const char *what) {
        _cleanup_(freep) char *pool = strndup(m->source, strcspn(m->source, "/"));
        bool found = false;
        char **names = NULL;
        size_t n = 0;
        int r;

        r = pool ? sysfs_list(d->root, "class/block", NULL, &names, &n) : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                bool member;

                r = is_pool_member(d->root, names[i], pool, &member);
                if (r < 0 || !member)
                        continue;
                found = true;
                r = add_named(d, type, names[i], what);
        }
        for (size_t i = 0; r >= 0 && !found && i < n; i++)
                r = add_named(d, type, names[i], what);
        strings_free(names, n);
        return r;
}

static int add_mount(Disks *d, const Mount *m, HostUseType type, const char *what) {
        _cleanup_(freep) char *link = NULL, *path = NULL, *sources = NULL;
        int r;

        if (streq(m->type, "zfs"))
                return add_zfs(d, m, type, what);
        if (m->major > 0) {
                r = format(&link, "sys/dev/block/%u:%u", m->major, m->minor);
                r = r < 0 ? r : sysfs_resolve(d->root, link, &path);
                return r == -ENOENT ? 0 : r < 0 ? r : add_block(d, type, path, what, 0);
        }
        /* bcachefs has several, parted by colons. */
        sources = strdup(m->source);
        if (!sources)
                return -ENOMEM;
        r = 0;
        for (char *rest = sources, *source; r >= 0 && (source = strsep(&rest, ":"));)
                r = add_node(d, type, source, what);
        return r;
}

static int read_mounts(Disks *d) {
        static const char *const paths[] = { "proc/1/mountinfo", "proc/self/mountinfo" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(freep) char *text = NULL;

                r = root_read(d->root, paths[i], &text);
                /* Only root sees the mounts of PID 1; a captured tree may have none at all. */
                if (r == -ENOENT || r == -EACCES || r == -EPERM)
                        continue;
                r = r < 0 ? r : mountinfo_parse(text, &d->mounts);
                if (r < 0)
                        return log_error_errno(r, "Cannot read /%s: %s.", paths[i], strerror(-r));
        }
        return 0;
}

/* The root file system comes first. */
static int add_mounts(Disks *d, bool roots) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < d->mounts.n; i++) {
                const Mount *m = &d->mounts.items[i];
                _cleanup_(freep) char *what = NULL;

                if (best_mount(d, m) != m || streq(m->point, "/") != roots)
                        continue;
                r = describe_mount(m, &what);
                r = r < 0 ? r : add_mount(d, m, HOST_USE_FILE_SYSTEM, what);
                if (r < 0)
                        log_error_errno(r, "Cannot tell on which disk %s lies: %s.", what ? what : m->point, strerror(-r));
        }
        return r;
}

/* ---- what file systems say themselves ---- */

/* The mount of a btrfs names one of its devices. */
static int describe_btrfs(Disks *d, char *const *devices, size_t n, char **ret) {
        for (size_t i = 0; i < d->mounts.n; i++) {
                const Mount *m = &d->mounts.items[i];
                _cleanup_(freep) char *name = NULL;
                int r;

                if (!streq(m->type, "btrfs"))
                        continue;
                r = name_of_node(d->root, m->source, &name);
                if (r < 0)
                        return r;
                if (name && strings_contain(devices, n, name))
                        return describe_mount(best_mount(d, m), ret);
        }
        return format(ret, "a mounted file system");
}

static int add_btrfs(Disks *d, const char *id) {
        _cleanup_(freep) char *directory = NULL, *what = NULL;
        char **devices = NULL;
        size_t n = 0;
        int r;

        r = format(&directory, "fs/btrfs/%s/devices", id);
        r = r < 0 ? r : sysfs_list(d->root, directory, NULL, &devices, &n);
        if (r >= 0 && n > 0)
                r = describe_btrfs(d, devices, n, &what);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_named(d, HOST_USE_FILE_SYSTEM, devices[i], what);
        strings_free(devices, n);
        return r;
}

/* Whether all that a block device lies on is noted as a file system's already: then a mount has told more of it. */
static bool is_known(Disks *d, const char *name) {
        _cleanup_(host_uses_done) HostUses found = {};
        Disks probe = { .root = d->root, .uses = &found };

        if (add_named(&probe, HOST_USE_FILE_SYSTEM, name, "") < 0)
                return false;
        for (size_t i = 0; i < found.n; i++) {
                bool known = false;

                for (size_t j = 0; j < d->uses->n; j++)
                        known |= streq(d->uses->items[j].path, found.items[i].path);
                if (!known)
                        return false;
        }
        return true;
}

static int add_self_told(Disks *d) {
        static const char *const types[] = { "btrfs", "ext4", "f2fs", "xfs" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(types); i++) {
                _cleanup_(freep) char *directory = NULL;
                char **names = NULL;
                size_t n = 0;

                r = format(&directory, "fs/%s", types[i]);
                r = r < 0 ? r : sysfs_list(d->root, directory, NULL, &names, &n);
                for (size_t j = 0; r >= 0 && j < n; j++)
                        if (i == 0)
                                r = add_btrfs(d, names[j]);
                        else if (!is_known(d, names[j]))
                                r = add_named(d, HOST_USE_FILE_SYSTEM, names[j], "a mounted file system");
                strings_free(names, n);
        }
        return r < 0 ? log_error_errno(r, "Cannot read which disks are mounted in /sys/fs: %s.", strerror(-r)) : 0;
}

/* ---- swap ---- */

/* The mount that a file is on: the one with the longest path, of those the last. */
static const Mount *mount_of(const Disks *d, const char *file) {
        const Mount *best = NULL;

        for (size_t i = 0; i < d->mounts.n; i++) {
                const Mount *m = &d->mounts.items[i];
                bool within = streq(m->point, "/") || path_is_within(file, m->point);

                if (within && (!best || strlen(m->point) >= strlen(best->point)))
                        best = m;
        }
        return best;
}

static int add_swap(Disks *d, const char *name) {
        const Mount *m;

        if (startswith(name, "/dev/"))
                return add_node(d, HOST_USE_SWAP, name, "swap");
        m = mount_of(d, name);
        return m ? add_mount(d, m, HOST_USE_SWAP, "swap") : 0;
}

static int read_swaps(Disks *d) {
        _cleanup_(freep) char *text = NULL;
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_read(d->root, "proc/swaps", &text);
        if (r == -ENOENT) /* a kernel without swap */
                return 0;
        r = r < 0 ? r : swaps_parse(text, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_swap(d, names[i]);
        strings_free(names, n);
        return r < 0 ? log_error_errno(r, "Cannot tell on which disks swap lies: %s.", strerror(-r)) : 0;
}

int host_disks_read(int root, HostUses *l) {
        _cleanup_(disks_done) Disks d = { .root = root, .uses = l };
        int r;

        r = read_mounts(&d);
        r = r < 0 ? r : add_mounts(&d, true);
        r = r < 0 ? r : add_mounts(&d, false);
        r = r < 0 ? r : add_self_told(&d);
        return r < 0 ? r : read_swaps(&d);
}
