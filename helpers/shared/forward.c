/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads and compares forwarded ports. */

#include <arpa/inet.h>
#include <assert.h>

#include "forward.h"
#include "parse.h"

static_assert((int) FORWARD_ADDRESS_SIZE == INET6_ADDRSTRLEN, "sizes differ");

enum {
        TEXT_MAX = 96, /* the longest address, two ports, a protocol */
};

static int take_protocol(char *s, bool *ret_udp) {
        char *slash = strchr(s, '/');

        *ret_udp = slash && streq(slash, "/udp");
        if (slash && !*ret_udp && !streq(slash, "/tcp"))
                return -EINVAL;
        if (slash)
                *slash = '\0';
        return 0;
}

/* Cuts off what follows the last colon, a port. */
static int take_port(char *s, uint16_t *ret) {
        char *colon = strrchr(s, ':'), *digits = colon ? colon + 1 : s;
        uint64_t port;
        int r;

        r = parse_number(digits, 1, 65535, &port);
        if (r < 0)
                return r;
        *(colon ? colon : s) = '\0';
        *ret = (uint16_t) port;
        return 0;
}

/* Text to text, so that what was written in two ways compares equal. */
static int read_address(char *s, char ret[static FORWARD_ADDRESS_SIZE]) {
        size_t n = strlen(s);
        struct in6_addr six;
        struct in_addr four;

        if (n > 1 && s[0] == '[' && s[n - 1] == ']') {
                s[n - 1] = '\0';
                if (inet_pton(AF_INET6, s + 1, &six) != 1)
                        return -EINVAL;
                return inet_ntop(AF_INET6, &six, ret, FORWARD_ADDRESS_SIZE) ? 0 : -EINVAL;
        }
        if (inet_pton(AF_INET, s, &four) != 1)
                return -EINVAL;
        return inet_ntop(AF_INET, &four, ret, FORWARD_ADDRESS_SIZE) ? 0 : -EINVAL;
}

int forward_parse(const char *s, Forward *ret) {
        Forward f = {};
        char text[TEXT_MAX];
        int r;

        /* “:80:80” is not meant by anybody. */
        if (strlen(s) >= sizeof text || s[0] == ':')
                return -EINVAL;
        strcpy(text, s);

        r = take_protocol(text, &f.udp);
        r = r < 0 ? r : take_port(text, &f.guest);
        r = r < 0 ? r : take_port(text, &f.host);
        if (r >= 0 && text[0] != '\0')
                r = read_address(text, f.address);
        if (r < 0)
                return r;
        *ret = f;
        return 0;
}

static bool is_any(const char *address) {
        return streq(address, "") || streq(address, "0.0.0.0") || streq(address, "::");
}

bool forwards_collide(const Forward *a, const Forward *b) {
        if (a->udp != b->udp || a->host != b->host)
                return false;
        return streq(a->address, b->address) || is_any(a->address) || is_any(b->address);
}
