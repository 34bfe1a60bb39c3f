/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Connects to a socket of a running guest: its console, its agent, its monitor. */

#include <sys/types.h>

#include "util.h"

#define GUEST_SOCKETS "/run/vxm/sockets" /* a directory a guest below it */

/* Connects to the socket called name in a guest's directory of sockets, in non-blocking mode. Who has broken out into a
 * guest's QEMU can put a link to another guest's socket in the place of its own; then that one would be done what was
 * meant for this. So whoever listens has to be the user whom the directory belongs to. *ret_pid, unless NULL, is the
 * process that listens. While somebody else is served and the next one waits already, waits for at most so many µs.
 * Returns the descriptor; -ENOENT, -ECONNREFUSED: the guest does not run; -EPERM: somebody else listens; -EAGAIN: too
 * many wait still; -EINTR; -EACCES; -errno. */
int guest_socket_connect(const char *sockets, const char *name, uint64_t usec, pid_t *ret_pid);

/* Says why a guest's socket could not be connected to, with the next step. r: what guest_socket_connect() has returned;
 * -EAGAIN is said as busy. Returns -ENOTCONN: it does not run; -E_BUSY; -EACCES, -EPERM, -errno. */
int guest_socket_explain(const char *guest, const char *sockets, const char *name, int r);

/* For the guest's own user, once QEMU listens: lets the group that the access lists of its sockets name
 * (units/vxm-guest@.service) connect to them. A socket without a list stays closed: its group is the user's own then, which
 * others may be in, too. Returns 0 or -errno. */
int guest_sockets_share(const char *sockets);
