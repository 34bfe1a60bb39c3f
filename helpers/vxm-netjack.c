/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-netjack: the host's end of a guest's NETJACK.
 *
 * Started by vxm-netjack@.service, as the guest's own user and without privileges, for guests with [NetJack] Enable=yes,
 * before QEMU. Joins the group that the guest's JACK announces itself to, on the guest's bridge, then becomes the program
 * that waits for it (exec): a JACK server without a sound card, or a client of the user's PipeWire. Writes what that
 * program is told below its runtime directory, nothing else. There is nothing to undo: systemd removes the directory. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "cli.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "netjack.h"
#include "root.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_dry_run;

/* Membership is the interface's, as long as any socket has it, and what comes for the group goes to all sockets that listen
 * at its port (ip(7), IP_MULTICAST_ALL). The programs themselves join wherever the host's routes lead to, if anywhere; so
 * this socket is left open for them. */
static int join_group(const Guest *g) {
        struct ip_mreqn group = {};
        int fd;

        if (!netjack_is_group(g))
                return 0;
        (void) inet_pton(AF_INET, g->netjack.address, &group.imr_multiaddr);
        group.imr_ifindex = (int) if_nametoindex(netjack_bridge(g));
        if (group.imr_ifindex == 0)
                /* So that systemd does not try it again and again. */
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                        "%s: [NetJack] There is no bridge %s any more; make it, then run systemctl start vxm-netjack@%s.", g->file,
                        netjack_bridge(g), g->name);
        fd = socket(AF_INET, SOCK_DGRAM, 0);
        if (fd < 0)
                return log_error_errno(errno, "Cannot make a socket: %m.");
        if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) < 0)
                return log_error_errno(errno, "[NetJack] Cannot join %s on %s: %m.", g->netjack.address, netjack_bridge(g));
        return 0;
}

static int write_file(const Guest *g, NetJackServer server, const char *path) {
        _cleanup_(fclosep) FILE *f = fopen(path, "we");

        if (!f)
                return log_error_errno(errno, "Cannot write %s: %m.", path);
        netjack_print_file(f, g, server);
        if (fflush(f) != 0 || ferror(f))
                return log_error_errno(errno, "Cannot write %s: %m.", path);
        return 0;
}

/* Comes back only with an error, logged. */
static int become_server(const Guest *g, NetJackServer server, const Argv *argv) {
        _cleanup_(freep) char *directory = NULL;

        if (format(&directory, "/run/user/%u", (unsigned) getuid()) < 0)
                return log_oom();
        if (server == NETJACK_PIPEWIRE && setenv("XDG_RUNTIME_DIR", directory, 1) < 0)
                return log_oom();
        log_event(LOG_INFO, MESSAGE_NETJACK_READY, NULL, "NETJACK waits for the guest on %s, port %u, as %s.",
                netjack_bridge(g), (unsigned) g->netjack.port,
                server == NETJACK_PIPEWIRE ? "a client of PipeWire" : "a JACK server of its own");
        (void) sd_notify(false, "READY=1\nSTATUS=Waiting for the guest's JACK, or connected.");
        execv(argv->items[0], argv->items);
        return log_error_errno(errno, "Cannot run %s: %m.", argv->items[0]);
}

static int print_plan(const Guest *g, NetJackServer server, const Argv *argv) {
        if (netjack_is_group(g))
                printf("join    %s on %s\n", g->netjack.address, netjack_bridge(g));
        netjack_print_file(stdout, g, server);
        argv_print(argv, stdout);
        return 0;
}

static int run(void) {
        _cleanup_(freep) char *path = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(argv_done) Argv argv = {};
        _cleanup_(closep) int root = -EBADF;
        NetJackServer server;
        int r;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r; /* told, with file and line */
        if (!g->netjack.enable)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: The guest has no NETJACK; set [NetJack] Enable=yes, then run systemctl daemon-reload.", g->file);
        r = netjack_find_server(root, g, root_is_this_machine(root) ? getuid() : (uid_t) -1, &server);
        if (r < 0)
                return r;
        if (format(&path, "/run/vxm/netjack/%s/server.conf", g->name) < 0 || netjack_build(g, server, path, &argv) < 0)
                return log_oom();
        if (arg_dry_run)
                return print_plan(g, server, &argv);

        r = join_group(g);
        r = r < 0 ? r : write_file(g, server, path);
        return r < 0 ? r : become_server(g, server, &argv);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "dry-run", NULL, "print what would be joined, written and run; do none", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: the machine below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-netjack", "Becomes the host's end of a guest's NETJACK.", "GUEST", 1, options,
                .root_alone = "needs --dry-run." };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_guest = operands[0];
        umask(0077);
        log_setup("vxm-netjack", arg_guest);
        return exit_status(run());
}
