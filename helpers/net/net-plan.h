/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which taps a guest needs, and the record of those that are made for it. */

#include "mac.h"

typedef struct NetTap {
        char name[TAP_NAME_SIZE];
        char mac[MAC_TEXT_SIZE]; /* the host's side of it; "" in a record, which needs none */
        char *bridge;
} NetTap;

typedef struct NetTaps {
        NetTap *items;
        size_t n;
} NetTaps;

void net_taps_done(NetTaps *taps);
const NetTap *net_taps_find(const NetTaps *taps, const char *name);

/* A tap for each network of Type=bridge, from the guest file and the machine's id below root. Returns 0; -ENOMEM;
 * -ENOENT or -EINVAL: the machine has no id; -EEXIST: two of them would have the same name. */
int net_plan(int root, const Guest *g, NetTaps *ret);

/* Adds the taps of an earlier run that are not there yet. Returns 0 or -ENOMEM. */
int net_plan_keep(NetTaps *taps, const NetTaps *earlier);

/* The undo record, run/vxm/net/GUEST: a tap and its bridge a line. It is written whole before the first tap is made,
 * and taken away after the last has gone. */
int net_record_parse(char *text, NetTaps *ret); /* changes text; 0, -EBADMSG, -ENOMEM */
int net_record_save(int root, const char *guest, const NetTaps *taps);
int net_record_load(int root, const char *guest, NetTaps *ret); /* -ENOENT: there is none */
int net_record_forget(int root, const char *guest);
