/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The MAC address of a guest's network card, and the name of the tap behind it: both are the same at every start, and
 * other ones on another machine, for another guest and for another card. All but mac_of_network() are pure. */

#include "guest.h"

enum {
        MAC_TEXT_SIZE = sizeof "52:54:00:00:00:00",
        TAP_NAME_SIZE = 16, /* the kernel's IFNAMSIZ */
};

/* Six pairs of hexadecimal digits with colons between, of one card: not of a group, not all zero. Writes it in lower
 * case. Returns 0 or -EINVAL. */
int mac_parse(const char *s, char ret[static MAC_TEXT_SIZE]);

/* SipHash-2-4 (Aumasson, Bernstein 2012): a short tag of data that tells nothing of the key. */
uint64_t siphash24(const uint8_t key[static 16], const void *data, size_t size);

/* What is derived from the machine's id (machine-id(5)), the guest's name and that of its network. Nobody can tell
 * the id from it, which is not for others to see. Returns 0, or -EINVAL when the id is none. */
int network_tag(const char *machine_id, const char *guest, const char *network, uint64_t *ret);

/* 52:54:00 is what QEMU's cards have; a locally administered address. */
void mac_from_tag(uint64_t tag, char ret[static MAC_TEXT_SIZE]);

/* “vxm-0123456789”. */
void tap_from_tag(uint64_t tag, char ret[static TAP_NAME_SIZE]);

/* The tag for a network of this guest on the machine below root. Returns 0; -ENOENT: the machine has no id; -errno. */
int network_tag_find(int root, const Guest *g, const GuestNetwork *n, uint64_t *ret);
