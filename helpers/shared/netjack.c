/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges and describes the host's end of NETJACK. */

#include <arpa/inet.h>
#include <inttypes.h>

#include "conf.h"
#include "exit-status.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "netjack.h"
#include "port-use.h"
#include "root.h"

enum {
        JACK_PORTS = 256, /* of all programs at the server; JACK keeps memory for each, and locks it */
};

const char *netjack_bridge(const Guest *g) {
        for (size_t i = 0; i < g->n_networks; i++)
                if (g->networks[i].type == NETWORK_BRIDGE)
                        return g->networks[i].bridge;
        return NULL;
}

bool netjack_is_group(const Guest *g) {
        struct in_addr address;

        return inet_pton(AF_INET, g->netjack.address, &address) == 1 && IN_MULTICAST(ntohl(address.s_addr));
}

int netjack_verify(const Guest *g) {
        const GuestNetJack *j = &g->netjack;

        if (!j->enable)
                return 0;
        if (!netjack_bridge(g))
                return conf_log(LOG_ERR, g->file, 0,
                        "[NetJack] Enable=yes is set, but no network of Type=bridge, and the others carry neither multicast "
                        "nor the answer to it; add [Network NAME] Type=bridge, or remove it.");
        if (j->server == NETJACK_PIPEWIRE && j->channels.in != j->channels.out)
                return conf_log(LOG_ERR, g->file, 0,
                        "[NetJack] Channels=%u %u: PipeWire has as many in as out; write one number, or set Server=jack.",
                        j->channels.in, j->channels.out);
        return 0;
}

/* ---- the host ---- */

static int lacks(const char *text) {
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL, "%s", text);
}

/* That of Debian 12 has no such module, some distributions have it apart. Where it is, by distribution. */
static bool has_pipewire(int root) {
        static const char *const modules[] = {
                "usr/lib/x86_64-linux-gnu/pipewire-0.3/libpipewire-module-netjack2-manager.so",
                "usr/lib64/pipewire-0.3/libpipewire-module-netjack2-manager.so",
                "usr/lib/pipewire-0.3/libpipewire-module-netjack2-manager.so",
        };

        if (!root_exists(root, PIPEWIRE_PATH + 1))
                return false;
        for (size_t i = 0; i < ELEMENTSOF(modules); i++)
                if (root_exists(root, modules[i]))
                        return true;
        return false;
}

int netjack_find_server(int root, const Guest *g, uid_t uid, NetJackServer *ret) {
        bool pipewire = has_pipewire(root), jack = root_exists(root, JACKD_PATH + 1);
        int session = uid == (uid_t) -1 ? 0 : guest_user_session(root, uid, "pipewire-0", NULL);

        if (session < 0)
                return session;
        if (g->netjack.server == NETJACK_PIPEWIRE && !pipewire)
                return lacks("[NetJack] Server=pipewire, but " PIPEWIRE_PATH " or its module netjack2-manager is missing; install "
                             "them (Debian 13: pipewire-bin), or set Server=jack.");
        if (g->netjack.server == NETJACK_PIPEWIRE && !session)
                return lacks("[NetJack] Server=pipewire, but the guest's user has no session with PipeWire; log in as that "
                             "user, or set Server=jack.");
        /* PipeWire mixes up in and out where they differ (seen with 1.4.2). */
        if (g->netjack.server == NETJACK_PIPEWIRE || (g->netjack.server == NETJACK_AUTO && pipewire && session &&
                    g->netjack.channels.in == g->netjack.channels.out))
                return *ret = NETJACK_PIPEWIRE, 0;
        if (!jack)
                return lacks("[NetJack] Enable=yes, but " JACKD_PATH " is missing; install JACK (Debian: jackd2), or remove "
                             "it.");
        return *ret = NETJACK_JACK, 0;
}

/* Without an address of its own there, the host has no way to answer. Its routes tell: /proc/net/route has a line each, the
 * interface first. */
static int check_address(int root, const Guest *g) {
        _cleanup_(freep) char *routes = NULL;
        const char *bridge = netjack_bridge(g);
        size_t n = strlen(bridge);
        int r = root_read(root, "proc/net/route", &routes);

        if (r < 0 && r != -ENOENT)
                return log_error_errno(r, "Cannot read /proc/net/route: %s.", strerror(-r));
        for (const char *line = routes; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, bridge, n) == 0 && (line[n] == '\t' || line[n] == ' '))
                        return 0;
        }
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                "%s: [NetJack] The bridge %s has no IPv4 address, by which the host would answer the guest; give it one "
                "(ip address add 10.0.7.1/24 dev %s; for good: systemd.network(5), Address=).",
                g->file, bridge, bridge);
}

static int check_port(int root, const Guest *g, uid_t own) {
        const Forward f = { .udp = true, .host = (uint16_t) g->netjack.port };
        _cleanup_(freep) char *holder = NULL;
        PortUse use;

        /* A table that cannot be read is no reason to refuse. */
        if (port_use_find(root, &f, own, &use) <= 0)
                return 0;
        if (port_use_describe(root, &use, &holder) < 0)
                return log_oom();
        return log_event_errno(E_BUSY, MESSAGE_PORT_TAKEN, FIELDS("CONFIG_FILE", g->file),
                "%s: [NetJack] Port=%u: %s has that port; choose another one, here and in the guest, or end that.", g->file,
                f.host, holder);
}

int netjack_check(int root, const Guest *g) {
        uid_t own = (uid_t) -1; /* nobody */
        NetJackServer server;
        int r;

        if (!g->netjack.enable)
                return 0;
        if (root_is_this_machine(root))
                (void) guest_user_find(g->user, &own, NULL);
        r = netjack_find_server(root, g, own, &server);
        r = r < 0 ? r : check_address(root, g);
        return r < 0 ? r : check_port(root, g, own);
}

/* ---- what the program is told ---- */

static int build_jack(const Guest *g, const char *file, Argv *ret) {
        const GuestNetJack *j = &g->netjack;
        int r;

        r = argv_add_flag(ret, JACKD_PATH);
        r = r < 0 ? r : argv_add(ret, "--name", "vxm-%s", g->name);
        r = r < 0 ? r : argv_add(ret, "--realtime-priority", "%d", NETJACK_PRIORITY);
        r = r < 0 ? r : argv_add(ret, "--port-max", "%d", JACK_PORTS);
        r = r < 0 ? r : argv_add(ret, "--internal-session-file", "%s", file);
        r = r < 0 ? r : argv_add(ret, "-d", "dummy"); /* no sound card: the clock is the host's */
        r = r < 0 ? r : argv_add(ret, "--rate", "%" PRIu64, j->rate);
        r = r < 0 ? r : argv_add(ret, "--period", "%" PRIu64, j->frames);
        r = r < 0 ? r : argv_add(ret, "--capture", "%u", j->channels.in);
        return r < 0 ? r : argv_add(ret, "--playback", "%u", j->channels.out);
}

int netjack_build(const Guest *g, NetJackServer server, const char *file, Argv *ret) {
        int r;

        if (server == NETJACK_JACK)
                return build_jack(g, file, ret);
        r = argv_add_flag(ret, PIPEWIRE_PATH);
        return r < 0 ? r : argv_add(ret, "--config", "%s", file);
}

/* A name for each channel: as PipeWire pairs sinks and sources by. */
static void print_positions(FILE *f, unsigned n) {
        if (n == 1)
                fputs("[ MONO ]", f);
        else if (n == 2)
                fputs("[ FL FR ]", f);
        else {
                fputc('[', f);
                for (unsigned i = 0; i < n; i++)
                        fprintf(f, " AUX%u", i);
                fputs(" ]", f);
        }
}

/* The number of channels has another name in newer versions (seen: 1.4.2 has the first one); each heeds its own. */
static void print_node(FILE *f, const Guest *g, const char *key, const char *suffix, unsigned channels) {
        fprintf(f, "                %s = { node.name = \"vxm-%s-%s\" midi.ports = 0 audio.channels = %u audio.ports = %u "
                   "audio.position = ",
                key, g->name, suffix, channels, channels);
        print_positions(f, channels);
        fputs(" }\n", f);
}

/* A client of the user's PipeWire. With net.ip= a group, the module would join it by the host's route to it, which leads
 * elsewhere or nowhere; with any other address it listens to all, which the unit confines to the bridge. */
static void print_pipewire(FILE *f, const Guest *g) {
        const GuestNetJack *j = &g->netjack;

        fputs("context.properties = { core.daemon = false support.dbus = false }\n"
              "context.spa-libs = { audio.convert.* = audioconvert/libspa-audioconvert support.* = support/libspa-support }\n"
              "context.modules = [\n", f);
        fprintf(f, "        { name = libpipewire-module-rt args = { nice.level = 0 rt.prio = %d } flags = [ ifexists nofail ] }\n",
                NETJACK_PRIORITY);
        fputs("        { name = libpipewire-module-protocol-native }\n"
              "        { name = libpipewire-module-client-node }\n"
              "        { name = libpipewire-module-adapter }\n"
              "        { name = libpipewire-module-netjack2-manager args = {\n", f);
        fprintf(f, "                local.ifname = \"%s\" net.ip = \"127.0.0.1\" net.port = %" PRIu64 "\n", netjack_bridge(g), j->port);
        fprintf(f, "                netjack2.sample-rate = %" PRIu64 " netjack2.period-size = %" PRIu64 "\n", j->rate, j->frames);
        print_node(f, g, "sink.props", "send", j->channels.in);
        print_node(f, g, "source.props", "receive", j->channels.out);
        fputs("        } }\n]\n", f);
}

void netjack_print_file(FILE *f, const Guest *g, NetJackServer server) {
        if (server == NETJACK_JACK)
                fprintf(f, "load netmanager netmanager -a %s -p %" PRIu64 "\n", g->netjack.address, g->netjack.port);
        else
                print_pipewire(f, g);
}
