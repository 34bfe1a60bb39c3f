/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges a guest's networks by the guest file alone. */

#include "conf.h"
#include "log.h"
#include "network-verify.h"

static int refuse(const Guest *g, const GuestNetwork *n, const char *text) {
        return conf_log(LOG_ERR, g->file, 0, "[Network %s] %s", n->name, text);
}

static bool is_passt(const GuestNetwork *n) {
        return n->type == NETWORK_NAT || n->type == NETWORK_HOST;
}

/* Keys that go with another type are no decoration: who writes them expects something. */
static int verify_keys(const Guest *g, const GuestNetwork *n) {
        if (n->type == NETWORK_NONE) /* takes one of a preset back, with all of its keys */
                return 0;
        if (n->type == NETWORK_BRIDGE && !n->bridge)
                return refuse(g, n, "Type=bridge needs Bridge=; name the bridge, such as br0.");
        if (n->type != NETWORK_BRIDGE && n->bridge)
                return refuse(g, n, "Bridge= is set, but Type= is not bridge; set Type=bridge, or remove Bridge=.");
        if (!is_passt(n) && n->n_forwards > 0)
                return refuse(g, n,
                        "Forward= goes with Type=nat and Type=host; the guest has an address of its own here.");
        if (!is_passt(n) && n->ssh != 0)
                return refuse(g, n, "SSH= goes with Type=nat and Type=host; the guest has an address of its own here.");
        return 0;
}

static int verify_forwards(const Guest *g, const GuestNetwork *n) {
        for (size_t i = 0; i < network_n_forwards(n); i++)
                for (size_t k = 0; k < i; k++) {
                        Forward a = network_forward(n, i), b = network_forward(n, k);

                        if (forwards_collide(&a, &b))
                                return conf_log(LOG_ERR, g->file, 0,
                                        "[Network %s] Port %u of the host is forwarded twice; "
                                                                     "remove one of the two, or choose another port.",
                                        n->name, a.host);
                }
        return 0;
}

static int verify_pair(const Guest *g, const GuestNetwork *a, const GuestNetwork *b) {
        if (a->type == NETWORK_NONE || b->type == NETWORK_NONE)
                return 0;
        if (is_passt(a) && is_passt(b))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Network %s] and [Network %s] are both of Type=nat or Type=host; a guest "
                                                     "can have one of them, as both lead the same way.",
                        b->name, a->name);
        if (a->mac && b->mac && streq(a->mac, b->mac))
                return conf_log(LOG_ERR, g->file, 0,
                        "[Network %s] and [Network %s] have the same MAC=%s; change one of them.",
                        b->name, a->name, a->mac);
        return 0;
}

/* Ports of the loopback address that the display and the networks would both have. */
static int verify_display_ports(const Guest *g) {
        const Forward spice = { "127.0.0.1", false, (uint16_t) g->spice, 0 };
        const Forward vnc = { "127.0.0.1", false, (uint16_t) g->vnc, 0 };

        if (g->spice >= DISPLAY_PORT_MIN && g->spice == g->vnc)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Display] SPICE= and VNC= have the same port; change one of them.");
        for (size_t i = 0; i < g->n_networks; i++)
                for (size_t k = 0; k < network_n_forwards(&g->networks[i]); k++) {
                        Forward f = network_forward(&g->networks[i], k);

                        if ((g->spice >= DISPLAY_PORT_MIN && forwards_collide(&f, &spice)) ||
                                (g->vnc >= DISPLAY_PORT_MIN && forwards_collide(&f, &vnc)))
                                return conf_log(LOG_ERR, g->file, 0,
                                        "[Display] and [Network %s] have the same port, %u; change "
                                                                     "one of them.",
                                        g->networks[i].name, f.host);
                }
        return 0;
}

int network_verify(const Guest *g) {
        int r = verify_display_ports(g);

        for (size_t i = 0; r >= 0 && i < g->n_networks; i++) {
                r = verify_keys(g, &g->networks[i]);
                r = r < 0 ? r : verify_forwards(g, &g->networks[i]);
                for (size_t k = 0; r >= 0 && k < i; k++)
                        r = verify_pair(g, &g->networks[i], &g->networks[k]);
        }
        if (r >= 0 && g->display_model == DISPLAY_QXL && g->spice == DISPLAY_NO)
                r = conf_log(LOG_ERR, g->file, 0,
                        "[Display] Model=qxl goes with SPICE=yes; set that, or choose another model.");
        return r;
}
