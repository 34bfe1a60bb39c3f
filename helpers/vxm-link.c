/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-link: hands a guest's networks to its QEMU, as open descriptors.
 *
 * Started by vxm-link@.service, one instance a guest, as the guest's own user and without privileges, but on the
 * host's network, where QEMU is not: attaches to the taps that vxm-net has made for this user, has passt run at one
 * end of a socket pair, tells systemd that all is ready, hands the other ends to vxm-qemu (link-socket.h), and
 * exits. passt stays, and ends with QEMU. Writes nothing; there is nothing to undo. What it needs of the host has been
 * judged by vxm-net. */

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "cli.h"
#include "exit-status.h"
#include "link-socket.h"
#include "log.h"
#include "messages.h"
#include "passt-argv.h"
#include "qemu-network.h"
#include "root.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_dry_run;

static void close_links(const Guest *g, QemuLink links[]) {
        for (size_t i = 0; i < g->n_networks; i++) {
                closep(&links[i].fd);
                closep(&links[i].vhost_fd);
        }
}

/* Attaching to a tap needs no privilege for the user that it was made for (TUNSETIFF, drivers/net/tun.c), but it
 * looks for the tap in the network in which the node has been opened. */
static int attach_tap(const char *tap, int *ret) {
        struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
        _cleanup_(closep) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        memccpy(request.ifr_name, tap, '\0', sizeof request.ifr_name);
        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        return 0;
}

/* Without vhost the guest's packets go through QEMU: slower, and no reason to do without network. */
static int open_vhost(const GuestNetwork *n) {
        int fd = n->model == NETWORK_VIRTIO ? open("/dev/vhost-net", O_RDWR | O_CLOEXEC | O_NOCTTY) : -EBADF;

        if (fd < 0 && n->model == NETWORK_VIRTIO)
                log_info("[Network %s] goes without vhost, as /dev/vhost-net cannot be opened: %m.", n->name);
        return fd;
}

static int open_bridged(int root, const Guest *g, const GuestNetwork *n, QemuLink *l) {
        char tap[TAP_NAME_SIZE];
        uint64_t tag;
        int r;

        r = network_tag_find(root, g, n, &tag);
        if (r < 0)
                return log_error_errno(r, "Cannot read /etc/machine-id: %s.", strerror(-r));
        tap_from_tag(tag, tap);
        r = attach_tap(tap, &l->fd);
        if (r < 0)
                return log_error_errno(r, "[Network %s]: cannot attach to %s: %s; see `systemctl status vxm-net@%s`.",
                        n->name, tap,
                        strerror(-r), g->name);
        l->vhost_fd = open_vhost(n);
        return 0;
}

/* The child that passt starts as ends when passt is ready: ports taken, its own sandbox shut, itself in the
 * background. */
static int wait_passt(pid_t child) {
        int status;

        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return log_error_errno(errno, "Cannot wait for passt: %m.");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        return log_event_errno(ECHILD, MESSAGE_NETWORK_FAILED, NULL,
                "passt has not started; what it said stands above.");
}

static int run_passt(const Argv *argv, int fd) {
        pid_t child = fork();

        if (child < 0)
                return log_error_errno(errno, "Cannot start passt: %m.");
        if (child > 0)
                return wait_passt(child);
        (void) fcntl(fd, F_SETFD, 0);
        execv(argv->items[0], argv->items);
        dprintf(STDERR_FILENO, "Cannot execute %s: %s\n", argv->items[0], strerror(errno));
        _exit(1);
}

static int build_passt(int root, const GuestNetwork *n, int fd, Argv *ret) {
        char **servers = NULL;
        size_t n_servers = 0;
        int r;

        r = name_servers_find(root, &servers, &n_servers);
        /* With Type=host passt leads the gateway's address to the host's own, name servers included. */
        if (r > 0 && n->type == NETWORK_NAT)
                log_warning("[Network %s] The guest is told no name server: /etc/resolv.conf names none but addresses of "
                            "the host's own, which it does not reach. Name another there, or in the guest.", n->name);
        r = r < 0 ? r : passt_argv_build(n, servers, n_servers, fd, ret);
        strings_free(servers, n_servers);
        return r < 0 ? log_oom() : 0;
}

static int open_passt(int root, const GuestNetwork *n, QemuLink *l) {
        _cleanup_(argv_done) Argv argv = {};
        _cleanup_(closep) int fd = -EBADF;
        int pair[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return log_error_errno(errno, "Cannot make a socket for passt: %m.");
        l->fd = pair[0];
        fd = pair[1];
        r = build_passt(root, n, fd, &argv);
        return r < 0 ? r : run_passt(&argv, fd);
}

static int open_links(int root, const Guest *g, QemuLink links[]) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_networks; i++) {
                const GuestNetwork *n = &g->networks[i];

                if (n->type == NETWORK_BRIDGE)
                        r = open_bridged(root, g, n, &links[i]);
                else if (n->type != NETWORK_NONE)
                        r = open_passt(root, n, &links[i]);
        }
        return r;
}

static int print_plan(int root, const Guest *g) {
        for (size_t i = 0; i < g->n_networks; i++) {
                const GuestNetwork *n = &g->networks[i];
                _cleanup_(argv_done) Argv argv = {};
                char tap[TAP_NAME_SIZE];
                uint64_t tag;
                int r;

                if (n->type == NETWORK_BRIDGE) {
                        r = network_tag_find(root, g, n, &tag);
                        if (r < 0)
                                return log_error_errno(r, "Cannot read /etc/machine-id: %s.", strerror(-r));
                        tap_from_tag(tag, tap);
                        printf("attach  %s\n", tap);
                } else if (n->type != NETWORK_NONE) {
                        r = build_passt(root, n, STDERR_FILENO + 1, &argv);
                        if (r < 0)
                                return r;
                        argv_print(&argv, stdout);
                }
        }
        return 0;
}

/* Waits for vxm-qemu, which systemd starts next, and gives it all. */
static int hand_over(const Guest *g, const QemuLink links[]) {
        _cleanup_(closep) int socket_fd = -EBADF, peer = -EBADF;
        _cleanup_(freep) char *path = NULL;
        int r;

        if (link_socket_path(g->name, &path) < 0)
                return log_oom();
        socket_fd = link_socket_listen(path);
        if (socket_fd < 0)
                return log_error_errno(socket_fd, "Cannot listen at %s: %s.", path, strerror(-socket_fd));
        (void) sd_notify(0, "READY=1\nSTATUS=Networks are ready");
        peer = link_socket_accept(socket_fd);
        (void) unlink(path);
        r = peer < 0 ? peer : 0;
        for (size_t i = 0; r >= 0 && i < g->n_networks; i++)
                if (g->networks[i].type != NETWORK_NONE)
                        r = link_socket_send(peer, g->networks[i].name, &links[i]);
        return r < 0 ? log_error_errno(r, "Cannot hand the networks over: %s.", strerror(-r)) : 0;
}

static int run(void) {
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(freep) QemuLink *links = NULL;
        _cleanup_(closep) int root = -EBADF;
        int r;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r;
        if (arg_dry_run)
                return print_plan(root, g);
        if (!guest_has_networks(g)) /* there is only a port of its display, which was started before */
                return (void) sd_notify(0, "READY=1"), 0;

        links = calloc(g->n_networks, sizeof *links);
        if (!links)
                return log_oom();
        for (size_t i = 0; i < g->n_networks; i++)
                links[i].fd = links[i].vhost_fd = -EBADF;
        r = open_links(root, g, links);
        r = r < 0 ? r : hand_over(g, links);
        close_links(g, links);
        return r;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "dry-run", NULL, "print what would be attached and run; do none of it", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the machine below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-link", "Hands a guest's networks to its QEMU.", "GUEST", 1, options,
                .root_alone = "goes with --dry-run; the networks would be those of this machine." };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_guest = operands[0];
        log_setup("vxm-link", arg_guest);
        return exit_status(run());
}
