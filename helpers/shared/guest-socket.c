/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets of a guest, unix(7). */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "exit-status.h"
#include "guest-socket.h"
#include "log.h"

#define SECOND UINT64_C(1000000)

/* While the queue of those who wait is full, connect(2) blocks for as long as may be sent. */
static int connect_within(int fd, const struct sockaddr_un *address, uint64_t usec) {
        struct timeval timeout = { (time_t) (usec / SECOND), (suseconds_t) (usec % SECOND) };
        int flags = fcntl(fd, F_GETFL);

        if (usec > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
                return -errno;
        if (usec > 0 && connect(fd, (const struct sockaddr *) address, sizeof *address) < 0)
                return -errno;
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        return usec == 0 && connect(fd, (const struct sockaddr *) address, sizeof *address) < 0 ? -errno : 0;
}

static int connect_to(const char *sockets, const char *name, uint64_t usec) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -EBADF;
        int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", sockets, name), r;

        if (n < 0 || (size_t) n >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        r = connect_within(fd, &address, usec);
        return r < 0 ? r : TAKE_FD(fd);
}

static int check_peer(const char *sockets, int fd, pid_t *ret_pid) {
        struct ucred peer;
        socklen_t size = sizeof peer;
        struct stat st;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || lstat(sockets, &st) < 0)
                return -errno;
        if (ret_pid)
                *ret_pid = peer.pid;
        return S_ISDIR(st.st_mode) && st.st_uid == peer.uid ? 0 : -EPERM;
}

int guest_socket_connect(const char *sockets, const char *name, uint64_t usec, pid_t *ret_pid) {
        _cleanup_(closep) int fd = connect_to(sockets, name, usec);
        int r = fd < 0 ? fd : check_peer(sockets, fd, ret_pid);

        return r < 0 ? r : TAKE_FD(fd);
}

int guest_socket_explain(const char *guest, const char *sockets, const char *name, int r) {
        switch (r) {
        case -ENOENT:
        case -ECONNREFUSED:
                return log_error_errno(ENOTCONN, "Guest %s does not run; start it with vxm start %s.", guest, guest);
        case -EACCES:
                return log_error_errno(r,
                        "You may not talk to guest %s; only root, the guest's own user and members of the group vxm may.", guest);
        case -EPERM:
                return log_error_errno(r, "It is not guest %s that listens at %s/%s; stop the guest, it has been tampered with.", guest,
                        sockets, name);
        default:
                return log_error_errno(r == -EAGAIN ? E_BUSY : r, "Cannot talk to guest %s at %s/%s: %s; see systemctl status vxm-guest@%s.",
                        guest, sockets, name, r == -EAGAIN ? "others wait there already" : strerror(-r), guest);
        }
}

/* The permissions of a file's group are, if it has a list, what the list is limited to, acl(5). QEMU makes its sockets
 * with UMask=0077, so that limit is nothing at first. */
static int share(const char *path) {
        if (lgetxattr(path, "system.posix_acl_access", NULL, 0) <= 0)
                return errno == ENOENT || errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
        return chmod(path, 0770) < 0 ? -errno : 0;
}

int guest_sockets_share(const char *sockets) {
        static const char *const names[] = { "qmp", "console", "agent", "spice", "vnc" };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *path = NULL;

                r = format(&path, "%s/%s", sockets, names[i]);
                r = r < 0 ? r : share(path);
        }
        return r;
}
