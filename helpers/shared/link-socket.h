/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How the open descriptors behind a guest's network cards get into its sandbox, which has no network: vxm-link waits
 * at a socket that only the guest's user can open, and vxm-qemu fetches them there at each start. One message a
 * network: its name, with its descriptor and, for a tap with vhost, that of /dev/vhost-net. */

#include "qemu-argv.h"

/* /run/vxm/link/GUEST/socket. Returns 0 or -ENOMEM. */
int link_socket_path(const char *guest, char **ret);

/* Makes the socket and listens. Returns the descriptor or -errno. */
int link_socket_listen(const char *path);

/* Waits for one who connects. Returns the descriptor or -errno. */
int link_socket_accept(int fd);

/* Returns the descriptor or -errno. */
int link_socket_connect(const char *path);

/* Sends one network's descriptors. Returns 0 or -errno. */
int link_socket_send(int fd, const char *network, const QemuLink *link);

/* Receives the next network's: its name, a copy of which becomes *ret_network, and descriptors that stay open over
 * execve(2), none of them below 10 where QEMU's own is. Returns 1; 0: the other side has no more; -EPROTO: it said
 * something else; -errno. */
int link_socket_receive(int fd, char **ret_network, QemuLink *ret);

/* Fetches the descriptors of all networks of a running guest into links. Returns 0 or -errno, logged. */
int qemu_links_fetch(const Guest *g, QemuLink links[]);
