/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds passt's command line. It has to be taken by versions from 2023-03 (Debian 12) on. */

#include <arpa/inet.h>

#include "passt-argv.h"
#include "root.h"

enum {
        SERVERS_MAX = 3, /* MAXNS of resolv.h */
};

static bool leads_off_the_host(const char *address) {
        struct in6_addr six;
        struct in_addr four;

        if (inet_pton(AF_INET, address, &four) == 1)
                return ntohl(four.s_addr) >> 24 != 127;
        return inet_pton(AF_INET6, address, &six) == 1 && !IN6_IS_ADDR_LOOPBACK(&six);
}

int name_servers_parse(const char *text, char ***servers, size_t *n) {
        _cleanup_(freep) char *copy = strdup(text);
        char *state, **slot;

        if (!copy)
                return -ENOMEM;
        for (char *line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *rest = startswith(line, "nameserver");
                char *address;

                if (!rest || (*rest != ' ' && *rest != '\t') || *n >= SERVERS_MAX)
                        continue;
                address = strstrip(line + STRLEN("nameserver"));
                address[strcspn(address, " \t")] = '\0';
                if (!leads_off_the_host(address))
                        continue;
                slot = ARRAY_GROW(*servers, *n);
                if (!slot || !(*slot = strdup(address)))
                        return -ENOMEM;
                (*n)++;
        }
        return 0;
}

int name_servers_find(int root, char ***servers, size_t *n) {
        _cleanup_(freep) char *usual = NULL, *resolved = NULL, **own = NULL;
        size_t n_own = 0;
        int r;

        if (root_read(root, "etc/resolv.conf", &usual) < 0)
                return 0;
        r = name_servers_parse(usual, &own, &n_own);
        own = strings_free(own, n_own);
        if (r < 0 || n_own > 0)
                return r; /* passt finds them by itself, and follows its own rules */
        if (root_read(root, "run/systemd/resolve/resolv.conf", &resolved) < 0)
                return 1;
        r = name_servers_parse(resolved, servers, n);
        return r < 0 ? r : *n == 0;
}

/* “127.0.0.1/2222:22”; without address at all of them. */
static int add_forward(Argv *a, const GuestNetwork *n, const Forward *f) {
        const char *address = *f->address != '\0' ? f->address : n->type == NETWORK_NAT ? "127.0.0.1" : "";

        return argv_add(a, f->udp ? "--udp-ports" : "--tcp-ports", "%s%s%u:%u", address, *address ? "/" : "", f->host,
                f->guest);
}

/* Said in any case: else passt forwards UDP at the ports that it has for TCP. */
static int add_forwards(Argv *a, const GuestNetwork *n, bool udp) {
        size_t count = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < network_n_forwards(n); i++) {
                Forward f = network_forward(n, i);

                if (f.udp != udp)
                        continue;
                r = add_forward(a, n, &f);
                count++;
        }
        return r < 0 || count > 0 ? r : argv_add(a, udp ? "--udp-ports" : "--tcp-ports", "none");
}

int passt_argv_build(const GuestNetwork *n, char *const servers[], size_t n_servers, int fd, Argv *ret) {
        _cleanup_(argv_done) Argv a = {};
        int r;

        r = argv_add_flag(&a, PASST_PATH);
        r = r < 0 ? r : argv_add_flag(&a, "--quiet");
        r = r < 0 ? r : argv_add(&a, "--fd", "%d", fd);
        /* Else the gateway's address leads to what listens on the host's loopback address, for the host alone. */
        if (r >= 0 && n->type == NETWORK_NAT)
                r = argv_add_flag(&a, "--no-map-gw");
        for (size_t i = 0; r >= 0 && i < n_servers; i++)
                r = argv_add(&a, "--dns", "%s", servers[i]);
        r = r < 0 ? r : add_forwards(&a, n, false);
        r = r < 0 ? r : add_forwards(&a, n, true);
        if (r < 0)
                return r;

        *ret = a;
        a = (Argv){};
        return 0;
}
