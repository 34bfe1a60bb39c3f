/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks for a guest's user. */

#include <pwd.h>

#include "guest-user.h"

int guest_user_find(const char *guest, uid_t *ret, gid_t *ret_gid) {
        _cleanup_(freep) char *name = NULL;
        const struct passwd *user;

        if (format(&name, "vxm-%s", guest) < 0)
                return -ENOMEM;
        errno = 0;
        user = getpwnam(name);
        if (!user)
                return errno != 0 && errno != ENOENT ? -errno : -ENOENT;
        *ret = user->pw_uid;
        if (ret_gid)
                *ret_gid = user->pw_gid;
        return 0;
}
