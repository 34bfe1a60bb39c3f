/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors over a socket of packets, unix(7), SCM_RIGHTS. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "link-socket.h"
#include "log.h"
#include "parse.h"

enum {
        FDS_MAX = 2,
        FIRST_FD = 10, /* below are the standard ones, and QEMU_QMP_FD */
};

/* Room for the descriptors of one message. */
typedef union Control {
        struct cmsghdr header;
        char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
} Control;

int link_socket_path(const char *guest, char **ret) {
        return format(ret, "/run/vxm/link/%s/socket", guest);
}

static int open_socket(const char *path, struct sockaddr_un *ret) {
        int fd;

        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof ret->sun_path)
                return -ENAMETOOLONG;
        strcpy(ret->sun_path, path);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        return fd < 0 ? -errno : fd;
}

int link_socket_listen(const char *path) {
        struct sockaddr_un address;
        _cleanup_(closep) int fd = open_socket(path, &address);

        if (fd < 0)
                return fd;
        (void) unlink(path); /* of a run that was killed */
        if (bind(fd, (const struct sockaddr *) &address, sizeof address) < 0 || listen(fd, 1) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int link_socket_accept(int fd) {
        int r;

        do
                r = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : r;
}

int link_socket_connect(const char *path) {
        struct sockaddr_un address;
        _cleanup_(closep) int fd = open_socket(path, &address);

        if (fd < 0)
                return fd;
        if (connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int link_socket_send(int fd, const char *network, const QemuLink *link) {
        int fds[FDS_MAX] = { link->fd, link->vhost_fd };
        size_t size = (link->vhost_fd < 0 ? 1 : 2) * sizeof(int);
        struct iovec iov = { .iov_base = (char *) network, .iov_len = strlen(network) };
        Control control = {};
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                .msg_controllen = CMSG_SPACE(size) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(c), fds, size);
        return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The descriptors of a message; those too many are closed. Returns how many there are. */
static size_t take_fds(struct msghdr *message, int fds[static FDS_MAX]) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < count; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                        if (n < FDS_MAX)
                                fds[n++] = fd;
                        else
                                close(fd);
                }
        }
        return n;
}

/* Out of the way of fixed numbers, and to be inherited. */
static int move_up(int *fd) {
        int moved = fcntl(*fd, F_DUPFD, FIRST_FD);

        if (moved < 0)
                return -errno;
        close(*fd);
        *fd = moved;
        return 0;
}

int link_socket_receive(int fd, char **ret_network, QemuLink *ret) {
        char name[GUEST_NAME_MAX + 1] = {};
        struct iovec iov = { .iov_base = name, .iov_len = sizeof name - 1 };
        Control control = {};
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                .msg_controllen = sizeof control };
        int fds[FDS_MAX] = { -EBADF, -EBADF };
        ssize_t size;
        size_t n;
        int r;

        size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (size <= 0)
                return size < 0 ? -errno : 0;
        n = take_fds(&message, fds);
        r = n == 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || !guest_name_is_valid(name) ? -EPROTO : 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = move_up(&fds[i]);
        if (r >= 0)
                r = free_and_strdup(ret_network, name);
        if (r < 0) {
                closep(&fds[0]);
                closep(&fds[1]);
                return r;
        }
        ret->fd = fds[0];
        ret->vhost_fd = fds[1];
        return 1;
}

static int place(const Guest *g, QemuLink links[], const char *network, const QemuLink *received) {
        for (size_t i = 0; i < g->n_networks; i++)
                if (streq(g->networks[i].name, network)) {
                        links[i].fd = received->fd;
                        links[i].vhost_fd = received->vhost_fd;
                        return 0;
                }
        return -EPROTO;
}

static int fetch(const Guest *g, const char *path, QemuLink links[]) {
        _cleanup_(closep) int fd = link_socket_connect(path);
        int r;

        if (fd < 0)
                return fd;
        for (;;) {
                _cleanup_(freep) char *network = NULL;
                QemuLink received;

                r = link_socket_receive(fd, &network, &received);
                r = r <= 0 ? r : place(g, links, network, &received);
                if (r < 0 || !network)
                        break;
        }
        for (size_t i = 0; r >= 0 && i < g->n_networks; i++)
                if (g->networks[i].type != NETWORK_NONE && links[i].fd < 0)
                        r = -EPROTO;
        return r;
}

int qemu_links_fetch(const Guest *g, QemuLink links[]) {
        _cleanup_(freep) char *path = NULL;
        int r;

        if (!guest_has_networks(g))
                return 0;
        for (size_t i = 0; i < g->n_networks; i++)
                links[i].fd = links[i].vhost_fd = -EBADF;
        r = link_socket_path(g->name, &path);
        r = r < 0 ? r : fetch(g, path, links);
        return r < 0 ? log_error_errno(r,
                "Cannot fetch the guest's networks at %s: %s; see `systemctl status vxm-link@%s`, and run "
                                          "systemctl daemon-reload if the guest file has changed.",
                               path ? path : "", strerror(-r), g->name)
                     : 0;
}
