/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Lets one more user at a node, by its access list (acl(5)), and nobody else than before: who owns it, who is in its group and who is
 * in the list already keep what they have. fd: of the node, O_PATH. */

#include <sys/types.h>

/* Looks for libacl. Returns 0, or -E_LACKS after a message. */
int node_access_find(void);

/* Both return 1; 0: it is so already; -EOPNOTSUPP: the file system has no such lists; -E_LACKS after a message: there is no libacl;
 * -errno. */
int node_let_in(int fd, uid_t uid);
int node_shut_out(int fd, uid_t uid);

/* Whether the list has the user. Returns 1, 0, or as above. */
int node_lets_in(int fd, uid_t uid);
