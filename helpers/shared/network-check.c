/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges the host for a guest's networks and display. */

#include "conf.h"
#include "exit-status.h"
#include "desktop-check.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "netjack.h"
#include "network-check.h"
#include "port-use.h"
#include "root.h"

enum {
        FIRST_PORT_OF_USERS = 1024, /* where the kernel does not say another one */
};

static int lacks(const char *text) {
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL, "%s", text);
}

static int check_bridge(int root, const Guest *g, const GuestNetwork *n) {
        _cleanup_(freep) char *interface = NULL, *bridge = NULL;

        if (format(&interface, "sys/class/net/%s", n->bridge) < 0 || format(&bridge, "%s/bridge", interface) < 0)
                return log_oom();
        if (!root_exists(root, "dev/net/tun"))
                return lacks("/dev/net/tun is missing, which a bridged network needs; load it: modprobe tun");
        if (!root_exists(root, interface))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: [Network %s] Bridge=%s: there is no such interface; make the bridge (ip link add "
                        "%s type bridge && ip link set %s up; for good: systemd.netdev(5), Kind=bridge), or correct the name.",
                        g->file, n->name, n->bridge, n->bridge, n->bridge);
        if (!root_exists(root, bridge))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: [Network %s] Bridge=%s is no bridge; make one with %s in it (ip link add br0 "
                        "type bridge && ip link set %s master br0; for good: systemd.netdev(5), Kind=bridge), and name that.",
                        g->file, n->name, n->bridge, n->bridge, n->bridge);
        return 0;
}

static uint64_t first_port_of_users(int root) {
        uint64_t port;

        if (root_read_number(root, "proc/sys/net/ipv4/ip_unprivileged_port_start", &port) < 0)
                return FIRST_PORT_OF_USERS;
        return port;
}

/* “Forward=8080:80” or “SSH=2222”, as the guest file may have it. */
static int name_forward(const GuestNetwork *n, size_t index, const Forward *f, char **ret) {
        const char *open = strchr(f->address, ':') ? "[" : "", *close = *open ? "]" : "";

        if (index >= n->n_forwards)
                return format(ret, "SSH=%u", f->host);
        return format(ret, "Forward=%s%s%s%s%u:%u%s", open, f->address, close, *f->address ? ":" : "", f->host,
                f->guest,
                f->udp ? "/udp" : "");
}

static int check_forward(int root, const Guest *g, const GuestNetwork *n, size_t index, uid_t own) {
        _cleanup_(freep) char *key = NULL, *holder = NULL;
        Forward f = network_forward(n, index);
        PortUse use;
        int r;

        if (name_forward(n, index, &f, &key) < 0)
                return log_oom();
        if (f.host < first_port_of_users(root))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: [Network %s] %s: ports of the host below %u are root's; choose another one.", g->file,
                        n->name, key,
                        (unsigned) first_port_of_users(root));

        if (*f.address == '\0' && n->type == NETWORK_NAT)
                strcpy(f.address, "127.0.0.1");
        r = port_use_find(root, &f, own, &use);
        if (r <= 0)
                return 0; /* a table that cannot be read is no reason to refuse: passt will try the port */
        if (port_use_describe(root, &use, &holder) < 0)
                return log_oom();
        return log_event_errno(E_BUSY, MESSAGE_PORT_TAKEN, FIELDS("CONFIG_FILE", g->file),
                "%s: [Network %s] %s: %s has port %u of the host; choose another one, or end that.", g->file, n->name,
                key, holder,
                f.host);
}

static int check_passt(int root, const Guest *g, const GuestNetwork *n) {
        uid_t own = (uid_t) -1; /* nobody */
        int r = 0;

        if (!root_exists(root, PASST_PATH + 1))
                return lacks(PASST_PATH " is missing, which a network of Type=nat or Type=host needs; install passt.");
        /* The guest's own passt may be running: who asks while the guest runs is not told of that. */
        if (root_is_this_machine(root))
                (void) guest_user_find(g->user, &own, NULL);
        for (size_t i = 0; r >= 0 && i < network_n_forwards(n); i++)
                r = check_forward(root, g, n, i, own);
        return r;
}

static int check_display_port(int root, const Guest *g, const char *key, uint64_t port) {
        const Forward f = { "127.0.0.1", false, (uint16_t) port, 0 };
        _cleanup_(freep) char *holder = NULL;
        PortUse use;

        if (port < DISPLAY_PORT_MIN || port_use_find(root, &f, (uid_t) -1, &use) <= 0)
                return 0;
        if (port_use_describe(root, &use, &holder) < 0)
                return log_oom();
        return log_event_errno(E_BUSY, MESSAGE_PORT_TAKEN, FIELDS("CONFIG_FILE", g->file),
                "%s: [Display] %s=%u: %s has that port; choose another one, or end that.", g->file, key, f.host,
                holder);
}

/* The ports of a guest that runs are systemd's own, see units/vxm-spice@.socket. */
static int check_display_ports(int root, const Guest *g) {
        int r;

        if (guest_runs(root, g->name))
                return 0;
        r = check_display_port(root, g, "SPICE", g->spice);
        return r < 0 ? r : check_display_port(root, g, "VNC", g->vnc);
}

int network_check(int root, const Guest *g) {
        int r = check_display_ports(root, g);

        for (size_t i = 0; r >= 0 && i < g->n_networks; i++) {
                const GuestNetwork *n = &g->networks[i];

                if (n->type == NETWORK_BRIDGE)
                        r = check_bridge(root, g, n);
                else if (n->type != NETWORK_NONE)
                        r = check_passt(root, g, n);
        }
        return r < 0 ? r : netjack_check(root, g);
}

int display_check(int root, const Guest *g) {
        int r = g->spice == DISPLAY_NO ? 1 : qemu_has_module(root, "ui-spice-core");

        if (r < 0)
                return log_oom();
        return r > 0 ? 0
                     : lacks("QEMU's SPICE module is missing, which [Display] SPICE=yes needs; install it (Debian: "
                             "qemu-system-modules-spice), or use VNC=yes.");
}
