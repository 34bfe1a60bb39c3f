/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes a new guest. The guest file comes last: until then there is none, and whatever has been made is removed when something fails. */

#include <fcntl.h>
#include <sys/stat.h>

#include "disk-image.h"
#include "exit-status.h"
#include "guest-disks.h"
#include "guest-downloads.h"
#include "guest-write.h"
#include "init.h"
#include "late-signal.h"
#include "log.h"
#include "root.h"
#include "seed.h"
#include "unpack.h"

/* What has been made, in the order in which it was. */
typedef struct Made {
        int root;
        char **paths;
        size_t n;
} Made;

static int note(Made *m, const char *path) {
        char **slot = ARRAY_GROW(m->paths, m->n);

        if (!slot)
                return log_oom();
        *slot = strdup(path);
        if (!*slot)
                return log_oom();
        m->n++;
        return 0;
}

static void forget(Made *m) {
        m->paths = strings_free(m->paths, m->n);
        m->n = 0;
}

static void remove_one(int root, const char *path) {
        _cleanup_(freep) char *directory = strdup(path);
        _cleanup_(closep) int fd = -EBADF;
        char *slash = directory ? strrchr(directory, '/') : NULL;

        if (!slash)
                return;
        *slash = '\0';
        fd = root_openat(root, directory, O_RDONLY | O_DIRECTORY);
        if (fd >= 0 && unlinkat(fd, slash + 1, 0) < 0 && errno == EISDIR)
                (void) unlinkat(fd, slash + 1, AT_REMOVEDIR);
}

/* Whatever is noted and not forgotten goes. */
static void undo(Made *m) {
        for (size_t i = m->n; i > 0; i--)
                remove_one(m->root, m->paths[i - 1]);
        forget(m);
}

/* ---- the steps ---- */

/* What is to be fetched, in *fds. */
static int fetch_all(int root, InitPlan *plan, int fds[static GUEST_DOWNLOADS_MAX]) {
        for (size_t i = 0; i < plan->n_downloads; i++) {
                int r = late_signal_pending() ? -EINTR : download_find(plan->downloads[i], plan->wish->patience, &plan->found[i]);

                if (r < 0)
                        return r;
                fds[i] = download_get(root, &plan->found[i], plan->wish->patience);
                if (fds[i] < 0)
                        return fds[i];
        }
        /* Drives have the names of files that are known only now. */
        return init_plan_write(root, plan);
}

static int make_directory(Made *made, const InitPlan *plan) {
        _cleanup_(closep) int guests = root_openat(made->root, "var/lib/vxm/guests", O_RDONLY | O_DIRECTORY);

        if (guests < 0)
                return log_error_errno(guests, "Cannot open /var/lib/vxm/guests: %s; run systemd-tmpfiles --create vxm.conf.", strerror(-guests));
        if (mkdirat(guests, plan->wish->name, 0700) < 0)
                return errno == EEXIST ? log_error_errno(E_BUSY, "Somebody else has just made /%s; take another name.", plan->directory)
                                       : log_error_errno(errno, "Cannot make /%s: %m.", plan->directory);
        return note(made, plan->directory);
}

/* Returns a descriptor of what is packed in it, under no name. */
static int unpack_beside(int root, const InitPlan *plan, int packed, const GuestDownload *d) {
        _cleanup_(closep) int directory = root_openat(root, plan->directory, O_RDONLY | O_DIRECTORY), fd = -EBADF;
        int r;

        fd = directory < 0 ? directory : openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
                return log_error_errno(directory < 0 ? -directory : errno, "Cannot unpack into /%s: %s.", plan->directory,
                        strerror(directory < 0 ? -directory : errno));
        log_info("Unpacking %s.", url_file_name(d->url));
        r = unpack(packed, url_file_name(d->url), d->unpack, fd);
        return r < 0 ? r : TAKE_FD(fd);
}

static int make_disk_from(int root, const InitPlan *plan, const GuestDisk *disk, const GuestDownload *d, int fetched) {
        _cleanup_(closep) int unpacked = -EBADF;
        DiskSource source = { .fd = fetched, .format = d->format, .name = url_file_name(d->url) };

        if (d->unpack != DOWNLOAD_AS_IS) {
                unpacked = unpack_beside(root, plan, fetched, d);
                if (unpacked < 0)
                        return unpacked;
                source.fd = unpacked;
        }
        log_info("Making %s.", disk->path);
        return disk_image_make_from(root, plan->guest, disk, &source);
}

static int make_disks(Made *made, const InitPlan *plan, const int fds[static GUEST_DOWNLOADS_MAX]) {
        for (size_t i = 0; i < plan->guest->n_disks; i++) {
                const GuestDisk *d = &plan->guest->disks[i];
                int source = init_plan_source(plan, d), r;

                /* One elsewhere is to belong to the guest's user, who is there from the first start on: vxm-disks makes it then. */
                if (d->size == 0 || d->cdrom || !guest_disk_is_own(plan->guest, d))
                        continue;
                if (late_signal_pending())
                        return -EINTR;
                r = source < 0 ? disk_image_make(made->root, plan->guest, d, (uid_t) -1, (gid_t) -1)
                               : make_disk_from(made->root, plan, d, plan->downloads[source], fds[source]);
                if (r < 0)
                        return r;
                r = r > 0 ? note(made, d->path + 1) : 0; /* one that was there stays */
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make_seed(Made *made, const InitPlan *plan) {
        const Seed seed = { .guest = plan->wish->name, .user = plan->user, .key = plan->key };
        _cleanup_(closep) int directory = root_openat(made->root, plan->directory, O_RDONLY | O_DIRECTORY), fd = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        if (!plan->user)
                return 0;
        if (format(&path, "%s/seed.iso", plan->directory) < 0)
                return log_oom();
        fd = directory < 0 ? directory : openat(directory, "seed.iso", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return log_error_errno(directory < 0 ? -directory : errno, "Cannot make /%s: %s.", path, strerror(directory < 0 ? -directory : errno));
        r = note(made, path);
        r = r < 0 ? r : seed_write(&seed, fd);
        return r < 0 ? r : fsync(fd) < 0 ? log_error_errno(errno, "Cannot make /%s: %m.", path) : 0;
}

static int write_guest(Made *made, const InitPlan *plan) {
        int r = late_signal_pending() ? -EINTR : guest_write(made->root, plan->file, plan->text, false);

        if (r == -EEXIST)
                return log_error_errno(E_BUSY, "Somebody else has just made /%s; take another name.", plan->file);
        if (r < 0)
                return r == -EINTR ? r : log_error_errno(r, "Cannot write /%s: %s.", plan->file, strerror(-r));
        return note(made, plan->file);
}

static int make_all(Made *made, InitPlan *plan, int fds[static GUEST_DOWNLOADS_MAX]) {
        int r;

        r = fetch_all(made->root, plan, fds);
        r = r < 0 ? r : make_directory(made, plan);
        r = r < 0 ? r : make_disks(made, plan, fds);
        r = r < 0 ? r : make_seed(made, plan);
        return r < 0 ? r : write_guest(made, plan);
}

int init_run(int root, InitPlan *plan) {
        int fds[GUEST_DOWNLOADS_MAX], r;
        Made made = { .root = root };

        for (size_t i = 0; i < GUEST_DOWNLOADS_MAX; i++)
                fds[i] = -EBADF;
        r = make_all(&made, plan, fds);
        for (size_t i = 0; i < GUEST_DOWNLOADS_MAX; i++)
                closep(&fds[i]);
        if (r < 0)
                undo(&made);
        forget(&made);
        return r < 0 ? r : guest_written(root);
}
