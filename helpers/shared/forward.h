/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A port of the host that leads into a guest: [ADDRESS:]HOST:GUEST[/tcp|/udp], as container tools write it. All
 * pure. */

#include "util.h"

enum {
        FORWARD_ADDRESS_SIZE = 46, /* INET6_ADDRSTRLEN */
};

typedef struct Forward {
        char address[FORWARD_ADDRESS_SIZE]; /* of the host, as inet_ntop(3) has it; "": the type of network decides */
        bool udp;
        uint16_t host, guest;
} Forward;

/* An IPv6 address stands in brackets. Returns 0; -EINVAL: not of that form; -ERANGE: a port is none of 1 … 65535. */
int forward_parse(const char *s, Forward *ret);

/* Whether both would need the same port of the same address. */
bool forwards_collide(const Forward *a, const Forward *b);
