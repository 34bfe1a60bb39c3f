/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets of a guest, unix(7). */

#include <fcntl.h>
#include <sys/acl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "exit-status.h"
#include "guest-socket.h"
#include "library.h"
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

/* ---- letting a group at them ---- */

typedef struct AclText {
        __typeof__(acl_from_text) *from_text;
        __typeof__(acl_set_file) *set_file;
        __typeof__(acl_free) *free;
} AclText;

static const AclText *acl_text(void) {
        static AclText acl;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(acl.from_text, acl_from_text),
                LIBRARY_FUNCTION(acl.set_file, acl_set_file),
                LIBRARY_FUNCTION(acl.free, acl_free),
                {},
        };

        return library_load("libacl.so.1", functions) < 0 ? NULL : &acl;
}

/* The file's own group gets nothing: with User= in the guest file, others may be in it. */
static int let_in(const AclText *acl, const char *path, gid_t group, const char *permissions) {
        char text[96];
        acl_t list;
        int r;

        (void) snprintf(text, sizeof text, "u::rwx,g::---,g:%lu:%s,m::%s,o::---", (unsigned long) group, permissions, permissions);
        list = acl->from_text(text);
        if (!list)
                return -errno;
        r = acl->set_file(path, ACL_TYPE_ACCESS, list) < 0 ? -errno : 0;
        (void) acl->free(list);
        return r;
}

int guest_sockets_share(const char *sockets, gid_t group) {
        static const char *const names[] = { "qmp", "console", "agent", "spice", "vnc" };
        const AclText *acl = acl_text();
        int r = acl ? let_in(acl, sockets, group, "--x") : -E_LACKS;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *path = NULL;

                r = format(&path, "%s/%s", sockets, names[i]);
                r = r < 0 ? r : let_in(acl, path, group, "rw-");
                r = r == -ENOENT ? 0 : r;
        }
        return r;
}
