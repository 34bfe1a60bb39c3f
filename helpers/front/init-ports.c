/* SPDX-License-Identifier: BSD-3-Clause */
/* The ports of the host that a new guest is reached at by SSH: two guests of one preset are to run beside each other. */

#include "guest-files.h"
#include "init.h"
#include "log.h"
#include "root.h"

typedef struct Ports {
        uint8_t taken[(UINT16_MAX + 1) / 8];
} Ports;

static void take(Ports *p, uint64_t port) {
        p->taken[port / 8] |= (uint8_t) (1u << port % 8);
}

static bool is_taken(const Ports *p, uint64_t port) {
        return p->taken[port / 8] & 1u << port % 8;
}

/* All but those for SSH. */
static void take_forwards(Ports *p, const Guest *g) {
        for (size_t i = 0; i < g->n_networks; i++)
                for (size_t j = 0; j < g->networks[i].n_forwards; j++)
                        if (!g->networks[i].forwards[j].udp)
                                take(p, g->networks[i].forwards[j].host);
        take(p, g->spice);
        take(p, g->vnc);
}

static void take_of_guest(Ports *p, const Guest *g) {
        for (size_t i = 0; i < g->n_networks; i++)
                take(p, g->networks[i].ssh);
        take_forwards(p, g);
}

/* What is wrong with another guest's file is not this guest's affair. */
static int take_of_others(int root, Ports *p) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = guest_files_list(root, &names, &n);
        if (r < 0)
                return log_error_errno(r, "Cannot list guests: %s.", strerror(-r));
        for (size_t i = 0; i < n; i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                if (guest_load_quietly(root, names[i], NULL, &g) >= 0)
                        take_of_guest(p, g);
        }
        strings_free(names, n);
        return 0;
}

/* The preset's, or the next one that is free; if none is, the preset's. */
static uint64_t choose(Ports *p, uint64_t wanted) {
        for (uint64_t port = wanted; port <= UINT16_MAX; port++)
                if (!is_taken(p, port)) {
                        take(p, port);
                        return port;
                }
        return wanted;
}

int init_ports_choose(int root, InitPlan *plan) {
        _cleanup_(freep) Ports *ports = calloc(1, sizeof *ports);
        int r;

        if (!ports)
                return log_oom();
        take_forwards(ports, plan->base);
        r = take_of_others(root, ports);
        for (size_t i = 0; r >= 0 && i < plan->base->n_networks; i++)
                if (plan->base->networks[i].ssh > 0)
                        plan->ssh[i] = choose(ports, plan->base->networks[i].ssh);
        return r;
}
