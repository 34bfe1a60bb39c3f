/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks for a guest's user, and judges one that the guest file names. */

#include <fcntl.h>
#include <pwd.h>

#include "exit-status.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "root.h"

/* As systemd divides the numbers (https://systemd.io/UIDS-GIDS): what is no person's. */
enum {
        SYSTEM_UID_MAX = 999,
        DYNAMIC_UID_MIN = 61184, /* users that come and go with a unit … */
        OVERFLOW_UID_MAX = 65535, /* … and nobody, and two that mean “none” */
};

int guest_user_find(const char *name, uid_t *ret, gid_t *ret_gid) {
        const struct passwd *user;

        errno = 0;
        user = getpwnam(name);
        if (!user)
                return errno != 0 && errno != ENOENT ? -errno : -ENOENT;
        *ret = user->pw_uid;
        if (ret_gid)
                *ret_gid = user->pw_gid;
        return 0;
}

int guest_user_get(const Guest *g, uid_t *ret, gid_t *ret_gid) {
        int r = guest_user_find(g->user, ret, ret_gid);

        if (r < 0 && guest_has_named_user(g))
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "There is no user %s any more, whom %s names; correct [Guest] User=.", g->user, g->file);
        return r < 0 ? log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                               "There is no user %s; make it: systemd-sysusers --inline 'u %s -'", g->user, g->user)
                     : 0;
}

/* What stands in the file, and nothing else: no other source of users is asked. */
static int look_up_in_file(int root, const char *name, uid_t *ret) {
        _cleanup_(fclosep) FILE *f = NULL;
        const struct passwd *user;
        int fd = root_openat(root, "etc/passwd", O_RDONLY);

        if (fd < 0)
                return fd;
        f = fdopen(fd, "r");
        if (!f) {
                close(fd);
                return -ENOMEM;
        }
        while ((user = fgetpwent(f)))
                if (streq(user->pw_name, name)) {
                        *ret = user->pw_uid;
                        return 0;
                }
        return -ENOENT;
}

int guest_user_look_up(int root, const char *name, bool local, uid_t *ret) {
        return local || !root_is_this_machine(root) ? look_up_in_file(root, name, ret) : guest_user_find(name, ret, NULL);
}

int guest_user_session(int root, uid_t uid, const char *socket, char **ret_path) {
        _cleanup_(freep) char *path = NULL;

        if (format(&path, "/run/user/%u/%s", uid, socket) < 0)
                return log_oom();
        if (!root_exists(root, path + 1))
                return 0;
        if (ret_path)
                *ret_path = TAKE_PTR(path);
        return 1;
}

static const char *what_is_wrong(uid_t uid) {
        if (uid == 0)
                return "is root, and no guest runs as root";
        if (uid <= SYSTEM_UID_MAX || (uid >= DYNAMIC_UID_MIN && uid <= OVERFLOW_UID_MAX))
                return "is a user of the system, whose files a guest must not have";
        return NULL;
}

int guest_user_judge_person(int root, const Guest *g, const char *key, const char *name) {
        const char *wrong = NULL;
        uid_t uid;
        int r;

        r = guest_user_look_up(root, name, false, &uid);
        if (r == -ENOENT)
                wrong = "is no user of this machine";
        else if (r < 0)
                return log_error_errno(r, "Cannot ask who %s is: %s.", name, strerror(-r));
        else
                wrong = what_is_wrong(uid);
        if (!wrong)
                return 0;
        return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                "%s: %s=%s %s; name a person who uses this machine, or remove the line.", g->file, key, name, wrong);
}

int guest_user_judge(int root, const Guest *g) {
        return guest_has_named_user(g) ? guest_user_judge_person(root, g, "[Guest] User", g->user) : 0;
}
