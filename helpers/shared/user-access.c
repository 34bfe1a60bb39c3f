/* SPDX-License-Identifier: BSD-3-Clause */
/* Another user's access to files, by owners and modes. */

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "root.h"
#include "user-access.h"

enum {
        GROUPS_MAX = 64, /* a guest's user is in one, and perhaps in one for its images */
};

void user_ids_done(UserIds *u) {
        free(u->groups);
        *u = (UserIds){};
}

int user_ids_find(const char *name, UserIds *ret) {
        const struct passwd *user;
        int n = GROUPS_MAX;
        gid_t *groups;

        errno = 0;
        user = getpwnam(name);
        if (!user)
                return errno != 0 && errno != ENOENT ? -errno : -ENOENT;
        groups = calloc(GROUPS_MAX, sizeof(gid_t));
        if (!groups)
                return -ENOMEM;
        if (getgrouplist(name, user->pw_gid, groups, &n) < 0) {
                free(groups);
                return -E2BIG;
        }
        *ret = (UserIds){ .uid = user->pw_uid, .groups = groups, .n = (size_t) n };
        return 0;
}

/* Only where the file system says that there is no list can the mode be the whole truth: one without POSIX lists may
 * have others, or have its server decide. An O_PATH descriptor is asked through /proc. */
static bool may_have_list(int fd) {
        char path[32];

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        return !(getxattr(path, "system.posix_acl_access", NULL, 0) < 0 && errno == ENODATA);
}

/* The kernel looks at one class only, the first that fits (path_resolution(7)). */
static bool mode_allows(const struct stat *st, const UserIds *u, int wanted) {
        mode_t has = st->st_mode;

        if (st->st_uid == u->uid)
                return (int) (has >> 6 & (mode_t) wanted) == wanted;
        for (size_t i = 0; i < u->n; i++)
                if (st->st_gid == u->groups[i])
                        return (int) (has >> 3 & (mode_t) wanted) == wanted;
        return (int) (has & (mode_t) wanted) == wanted;
}

/* Returns 1, 0 or -errno. */
static int may_open(int root, const char *path, const UserIds *u, int wanted) {
        _cleanup_(closep) int fd = root_openat(root, isempty(path) ? "." : path, O_PATH);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        return mode_allows(&st, u, wanted) || may_have_list(fd);
}

/* Each directory on the way, from the root's own on. */
static int may_reach(int root, const char *path, const UserIds *u, char **ret_where) {
        _cleanup_(freep) char *way = NULL;
        int r;

        r = format(&way, "/%s", path);
        for (char *slash = way; r >= 0 && slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                r = may_open(root, slash == way ? "" : way + 1, u, X_OK);
                if (r == 0)
                        return free_and_strdup(ret_where, slash == way ? "/" : way);
                *slash = '/';
        }
        return r < 0 ? r : 1;
}

/* Where the path leads when its links are followed, without a slash before it. */
static int find_real(int root, const char *path, char **ret) {
        _cleanup_(closep) int fd = root_openat(root, path, O_PATH);
        _cleanup_(freep) char *top = NULL, *self = NULL;
        char link[32], target[PATH_MAX];
        const char *rest;
        ssize_t n;

        if (fd < 0)
                return fd;
        for (size_t i = 0; i < 2; i++) {
                (void) snprintf(link, sizeof link, "/proc/self/fd/%d", i == 0 ? root : fd);
                n = readlink(link, target, sizeof target);
                if (n < 0)
                        return -errno;
                if ((size_t) n == sizeof target)
                        return -ENAMETOOLONG;
                *(i == 0 ? &top : &self) = strndup(target, (size_t) n);
        }
        if (!top || !self)
                return -ENOMEM;
        rest = streq(top, "/") ? self : startswith(self, top);
        return rest ? free_and_strdup(ret, rest + (rest[0] == '/')) : -EXDEV;
}

int user_may(int root, const char *path, const UserIds *u, int wanted, char **ret_where) {
        _cleanup_(freep) char *real = NULL;
        int r;

        r = find_real(root, path + 1, &real);
        r = r < 0 ? r : may_reach(root, path + 1, u, ret_where);
        r = r <= 0 ? r : may_reach(root, real, u, ret_where);
        r = r <= 0 ? r : may_open(root, real, u, wanted);
        return r == 0 && !*ret_where && format(ret_where, "%s", path) < 0 ? -ENOMEM : r;
}
