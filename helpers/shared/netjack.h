/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* NETJACK, the host's end of it: JACK's sound over the network between a guest and its host, by the protocol of JACK 2
 * (“netjack2”). The guest's JACK is the one that announces itself; the host's end, which waits for it, is a program of JACK
 * or PipeWire that vxm-netjack becomes. What is said to these programs is pure, and printed to a stream. */

#include <sys/types.h>

#include "argv.h"
#include "guest.h"

enum {
        NETJACK_PRIORITY = 70, /* of real-time threads, as in LimitRTPRIO= of units/vxm-netjack@.service */
};

/* The bridge that it goes over: that of the guest's first network of Type=bridge. NULL: it has none. */
const char *netjack_bridge(const Guest *g);

/* Whether Address= is a group, which the guest announces itself to, and no address of the host's. */
bool netjack_is_group(const Guest *g);

/* What no single line of the guest file can tell. Pure. Returns 0; -E_CONFIG, logged. */
int netjack_verify(const Guest *g);

/* Which program it is, NETJACK_PIPEWIRE or NETJACK_JACK, by Server= and by whether the guest's user has a session with
 * PipeWire. uid (uid_t) -1: it is not known, and has none. Returns 0; -E_LACKS: the program, or the session, is missing,
 * logged; -ENOMEM. */
int netjack_find_server(int root, const Guest *g, uid_t uid, NetJackServer *ret);

/* Whether the host has what the guest's NETJACK needs: the program, an address on the bridge, the port. Looks only. Returns 0;
 * -E_CONFIG, -E_LACKS, -E_BUSY, logged. */
int netjack_check(int root, const Guest *g);

/* The program and its arguments, with the file that the next function writes. Returns 0 or -ENOMEM. */
int netjack_build(const Guest *g, NetJackServer server, const char *file, Argv *ret);

/* Writes that file: what JACK loads, or PipeWire's configuration. */
void netjack_print_file(FILE *f, const Guest *g, NetJackServer server);
