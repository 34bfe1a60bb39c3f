/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place where vxm writes into /etc/vxm. Goes step by step through the root's handle: a link in another machine's tree must not
 * lead out of it. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "guest-write.h"
#include "log.h"
#include "root.h"
#include "systemd-bus.h"

enum {
        MODE = 0644, /* of a new file: all helpers read them */
        TRIES = 16,
};

int guest_write_judge(int root) {
        static const char *const places[] = { "etc/vxm/guests", "etc/vxm", "etc" };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                if (!root_exists(root, places[i]))
                        continue;
                if (faccessat(root, places[i], W_OK, AT_EACCESS) < 0)
                        return log_error_errno(errno, "Only root can write guest files (/%s: %m); try again as root.", places[i]);
                break;
        }
        return 0;
}

static int split(const char *path, char **ret_directory, const char **ret_name) {
        const char *slash = strrchr(path, '/');

        if (!slash)
                return -EINVAL;
        *ret_name = slash + 1;
        *ret_directory = strndup(path, (size_t) (slash - path));
        return *ret_directory ? 0 : -ENOMEM;
}

/* Opens a directory, and makes it and those above it if they are not there. */
static int open_directory(int root, const char *path) {
        _cleanup_(freep) char *parent_path = NULL;
        _cleanup_(closep) int parent = -EBADF;
        const char *name;
        int r, fd;

        fd = root_openat(root, path, O_RDONLY | O_DIRECTORY);
        if (fd != -ENOENT)
                return fd;
        if (!strchr(path, '/')) {
                if (mkdirat(root, path, 0755) < 0 && errno != EEXIST)
                        return -errno;
                return root_openat(root, path, O_RDONLY | O_DIRECTORY);
        }
        r = split(path, &parent_path, &name);
        parent = r < 0 ? r : open_directory(root, parent_path);
        if (parent < 0)
                return parent;
        if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        return root_openat(root, path, O_RDONLY | O_DIRECTORY);
}

/* Returns how many names it has, if this is one of them; else 0. */
static nlink_t names_at(int fd, int directory, const char *name) {
        struct stat ours, there;

        if (fstat(fd, &ours) < 0 || fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino ? ours.st_nlink : 0;
}

/* Of two writers the second is refused, as either could give the other one's half a file its name. What a kill has left is nobody's, and
 * may have its final name, too, or be a trap. Returns a descriptor, -E_BUSY or -errno. */
static int open_temporary(int directory, const char *name) {
        for (unsigned tries = 0; tries < TRIES; tries++) {
                _cleanup_(closep) int fd = openat(directory, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
                nlink_t names;

                if (fd < 0 && errno != ELOOP && errno != ENXIO)
                        return -errno;
                if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
                        return errno == EWOULDBLOCK ? -E_BUSY : -errno;
                names = fd < 0 ? 2 : names_at(fd, directory, name);
                if (names == 1)
                        return ftruncate(fd, 0) < 0 ? -errno : TAKE_FD(fd);
                if (names > 1)
                        (void) unlinkat(directory, name, 0);
        }
        return -E_BUSY;
}

/* like: whose owner and mode it gets; NULL: a new one's. */
static int fill(int fd, const char *text, const struct stat *like) {
        int r = write_full(fd, text, strlen(text));

        if (r < 0)
                return r;
        if (like && fchown(fd, like->st_uid, like->st_gid) < 0 && errno != EPERM)
                return -errno;
        return fchmod(fd, like ? like->st_mode & 0777 : MODE) < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int give_name(int directory, const char *temporary, const char *name, bool replace) {
        if (replace)
                return renameat(directory, temporary, directory, name) < 0 ? -errno : 0;
        if (linkat(directory, temporary, directory, name, 0) < 0)
                return -errno;
        return unlinkat(directory, temporary, 0) < 0 ? -errno : 0;
}

int guest_write(int root, const char *path, const char *text, bool replace) {
        _cleanup_(freep) char *directory_path = NULL, *temporary = NULL;
        _cleanup_(closep) int directory = -EBADF, fd = -EBADF;
        const char *name;
        struct stat st;
        bool known;
        int r;

        r = split(path, &directory_path, &name);
        r = r < 0 ? r : format(&temporary, ".%s.new", name);
        directory = r < 0 ? r : open_directory(root, directory_path);
        if (directory < 0)
                return directory;
        fd = open_temporary(directory, temporary);
        if (fd < 0)
                return fd;
        known = replace && fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
        r = fill(fd, text, known ? &st : NULL);
        r = r < 0 ? r : give_name(directory, temporary, name, replace);
        if (r < 0) {
                (void) unlinkat(directory, temporary, 0);
                return r;
        }
        return fsync(directory) < 0 ? -errno : 0;
}

int guest_unwrite(int root, const char *path) {
        _cleanup_(freep) char *directory_path = NULL;
        _cleanup_(closep) int directory = -EBADF;
        const char *name;
        int r;

        r = split(path, &directory_path, &name);
        directory = r < 0 ? r : root_openat(root, directory_path, O_RDONLY | O_DIRECTORY);
        if (directory == -ENOENT)
                return 0;
        if (directory < 0)
                return directory;
        return unlinkat(directory, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int reload(void) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_open_system(&bus);
        r = r < 0 ? r : sd_bus_call_method(bus, SYSTEMD, MANAGER_PATH, MANAGER, "Reload", &error, NULL, NULL);
        return r < 0 ? log_warning("systemd has not read it yet (%s); run systemctl daemon-reload.", systemd_bus_why(&error, r)) : 0;
}

int guest_written(int root) {
        if (!root_is_this_machine(root))
                return 0;
        if (geteuid() == 0 && root_exists(root, "run/systemd/system"))
                return reload();
        return log_info("Run systemctl daemon-reload, so that systemd reads it.");
}
