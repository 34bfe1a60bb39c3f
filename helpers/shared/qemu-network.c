/* SPDX-License-Identifier: BSD-3-Clause */
/* Network cards: their addresses, and how QEMU is told of them. */

#include "conf.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "qemu-network.h"
#include "root.h"

enum {
        SHOWN_FD = 20, /* a number that is free, for a command line that is only looked at */
};

static int find_mac(int root, const Guest *g, const GuestNetwork *n, char ret[static MAC_TEXT_SIZE]) {
        uint64_t tag;
        int r;

        if (n->mac) {
                strcpy(ret, n->mac); /* mac_parse() has made it of this size */
                return 0;
        }
        r = network_tag_find(root, g, n, &tag);
        if (r == -ENOMEM)
                return log_oom();
        if (r < 0)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "/etc/machine-id holds no id (%s), so [Network %s] can have no address that stays; run "
                        "systemd-machine-id-setup, or set MAC=.",
                        strerror(-r), n->name);
        mac_from_tag(tag, ret);
        return 0;
}

int qemu_links_find(int root, const Guest *g, QemuLink **ret) {
        bool vhost = root_exists(root, "dev/vhost-net");
        _cleanup_(freep) QemuLink *links = calloc(g->n_networks + 1, sizeof *links);
        int r;

        if (!links)
                return log_oom();
        for (size_t i = 0; i < g->n_networks; i++) {
                const GuestNetwork *n = &g->networks[i];
                QemuLink *l = &links[i];

                if (n->type == NETWORK_NONE)
                        continue;
                r = find_mac(root, g, n, l->mac);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < i; k++)
                        if (streq(links[k].mac, l->mac))
                                return conf_log(LOG_ERR, g->file, 0,
                                        "[Network %s] has the MAC address of [Network %s], %s; set "
                                                                     "another one by MAC=.",
                                        n->name, g->networks[k].name, l->mac);
                l->fd = SHOWN_FD + 2 * (int) i;
                l->vhost_fd = n->type == NETWORK_BRIDGE && n->model == NETWORK_VIRTIO && vhost ? l->fd + 1 : -EBADF;
        }
        *ret = TAKE_PTR(links);
        return 0;
}

static int add_backend(Argv *a, const GuestNetwork *n, const QemuLink *l) {
        if (n->type != NETWORK_BRIDGE)
                return argv_add(a, "-netdev", "stream,id=net-%s,server=off,addr.type=fd,addr.str=%d", n->name, l->fd);
        if (l->vhost_fd < 0)
                return argv_add(a, "-netdev", "tap,id=net-%s,fd=%d", n->name, l->fd);
        return argv_add(a, "-netdev", "tap,id=net-%s,fd=%d,vhost=on,vhostfd=%d", n->name, l->fd, l->vhost_fd);
}

/* Without an option ROM: nobody asked for a boot from the network, and it is code of its own. */
static int add_card(Argv *a, const GuestNetwork *n, const QemuLink *l) {
        return argv_add(a, "-device", "%s,id=nic-%s,netdev=net-%s,mac=%s,romfile=",
                n->model == NETWORK_VIRTIO ? "virtio-net-pci" : "e1000e", n->name, n->name, l->mac);
}

int qemu_add_networks(Argv *a, const Guest *g, const QemuFacts *facts) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_networks; i++) {
                if (g->networks[i].type == NETWORK_NONE)
                        continue;
                r = add_backend(a, &g->networks[i], &facts->links[i]);
                r = r < 0 ? r : add_card(a, &g->networks[i], &facts->links[i]);
        }
        return r;
}
