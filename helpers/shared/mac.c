/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and names that stay. libsystemd has such hashes of this machine's id only, not of a captured machine's, so
 * the hash is here: the one that systemd uses for its own network names. */

#include <ctype.h>
#include <inttypes.h>

#include "mac.h"
#include "root.h"

static int hex_digit(char c) {
        return isdigit((unsigned char) c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mac_parse(const char *s, char ret[static MAC_TEXT_SIZE]) {
        char text[MAC_TEXT_SIZE];

        if (strlen(s) != MAC_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < MAC_TEXT_SIZE; i++)
                text[i] = (char) tolower((unsigned char) s[i]);
        for (size_t i = 0; i < MAC_TEXT_SIZE - 1; i++)
                if (i % 3 == 2 ? text[i] != ':' : hex_digit(text[i]) < 0)
                        return -EINVAL;
        /* The lowest bit of the first byte marks a group's address. */
        if ((hex_digit(text[1]) & 1) != 0 || streq(text, "00:00:00:00:00:00"))
                return -EINVAL;
        memcpy(ret, text, sizeof text);
        return 0;
}

static uint64_t rotate(uint64_t x, unsigned bits) {
        return x << bits | x >> (64 - bits);
}

static uint64_t little_endian(const uint8_t *p, size_t n) {
        uint64_t x = 0;

        for (size_t i = 0; i < n; i++)
                x |= (uint64_t) p[i] << (8 * i);
        return x;
}

static void sip_rounds(uint64_t v[static 4], int rounds) {
        while (rounds-- > 0) {
                v[0] += v[1], v[2] += v[3];
                v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
                v[0] = rotate(v[0], 32);
                v[2] += v[1], v[0] += v[3];
                v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
                v[2] = rotate(v[2], 32);
        }
}

static void sip_word(uint64_t v[static 4], uint64_t word) {
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
}

uint64_t siphash24(const uint8_t key[static 16], const void *data, size_t size) {
        uint64_t k[2] = { little_endian(key, 8), little_endian(key + 8, 8) };
        uint64_t v[4] = { k[0] ^ UINT64_C(0x736f6d6570736575), k[1] ^ UINT64_C(0x646f72616e646f6d),
                k[0] ^ UINT64_C(0x6c7967656e657261), k[1] ^ UINT64_C(0x7465646279746573) };
        const uint8_t *p = data;
        size_t left = size;

        for (; left >= 8; left -= 8, p += 8)
                sip_word(v, little_endian(p, 8));
        sip_word(v, (uint64_t) size << 56 | little_endian(p, left));
        v[2] ^= 0xff;
        sip_rounds(v, 4);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int network_tag(const char *machine_id, const char *guest, const char *network, uint64_t *ret) {
        _cleanup_(freep) char *name = NULL;
        uint8_t key[16];

        if (strlen(machine_id) != 2 * sizeof key)
                return -EINVAL;
        for (size_t i = 0; i < sizeof key; i++) {
                int high = hex_digit(machine_id[2 * i]), low = hex_digit(machine_id[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -EINVAL;
                key[i] = (uint8_t) (high << 4 | low);
        }
        /* No name has a slash. */
        if (format(&name, "vxm/%s/%s", guest, network) < 0)
                return -ENOMEM;
        *ret = siphash24(key, name, strlen(name));
        return 0;
}

void mac_from_tag(uint64_t tag, char ret[static MAC_TEXT_SIZE]) {
        (void) snprintf(ret, MAC_TEXT_SIZE, "52:54:00:%02x:%02x:%02x", (unsigned) (tag >> 56 & 0xff),
                (unsigned) (tag >> 48 & 0xff), (unsigned) (tag >> 40 & 0xff));
}

void tap_from_tag(uint64_t tag, char ret[static TAP_NAME_SIZE]) {
        (void) snprintf(ret, TAP_NAME_SIZE, "vxm-%010" PRIx64, tag >> 24);
}

int network_tag_find(int root, const Guest *g, const GuestNetwork *n, uint64_t *ret) {
        _cleanup_(freep) char *id = NULL;
        int r;

        r = root_read(root, "etc/machine-id", &id);
        return r < 0 ? r : network_tag(id, g->name, n->name, ret);
}
