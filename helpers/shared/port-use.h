/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Who on the host has a port: /proc/net/tcp and its like, read rather than tried, so that looking changes nothing,
 * needs no network of its own, and works on captured machines. */

#include <sys/types.h>

#include "forward.h"

typedef struct PortUse {
        uid_t uid;
        uint64_t inode; /* of the socket */
} PortUse;

/* Looks for a socket in text, one of /proc/net/{tcp,tcp6,udp,udp6}, that has the port which f needs on the host. A
 * socket of the user except does not count. Pure. Returns 1; 0: none; -EINVAL: the text is not of that form. */
int port_use_parse(const char *text, bool ipv6, const Forward *f, uid_t except, PortUse *ret);

/* The same on the machine below root. A protocol that it has no table of has no sockets. Returns 1, 0 or -errno. */
int port_use_find(int root, const Forward *f, uid_t except, PortUse *ret);

/* “sshd (pid 812)”, or, when that process is not for us to see, “a process of alice”. Returns 0 or -ENOMEM. */
int port_use_describe(int root, const PortUse *use, char **ret);
