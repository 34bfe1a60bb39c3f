/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The user that a guest runs as: vxm-GUEST, a system user made for it, or the one that User= in its file names. */

#include <sys/types.h>

#include "guest.h"

/* Asks for a user by name. *ret_gid is its own group; NULL: not asked for. Returns 0; -ENOENT: there is no such user; -errno. */
int guest_user_find(const char *name, uid_t *ret, gid_t *ret_gid);

/* The guest's user, who has to be there. Returns 0; -E_LACKS, or -errno, after a message. */
int guest_user_get(const Guest *g, uid_t *ret, gid_t *ret_gid);

/* The user called name as the machine below root knows it: by its user database if that is this machine, else by /etc/passwd.
 * Asks nobody else then, so that a generator may call it with local set. Returns 0; -ENOENT; -errno. */
int guest_user_look_up(int root, const char *name, bool local, uid_t *ret);

/* Whether a user's session has a socket, such as “pipewire-0”; *ret_path is its path then, unless NULL. Returns 1, 0 or -ENOMEM, after a
 * message. */
int guest_user_session(int root, uid_t uid, const char *socket, char **ret_path);

/* Whether User= names somebody whom a guest may run as: a person, neither root nor a user of the system. Returns 0, also for a
 * guest without User=; -E_CONFIG or -errno, after a message. */
int guest_user_judge(int root, const Guest *g);

/* The same for a user that another key names, such as "[Display] LookingGlassUser". */
int guest_user_judge_person(int root, const Guest *g, const char *key, const char *name);
