/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What QEMU says of a guest's disks and devices, as far as snapshots are concerned: pure, from answers of QMP. */

#include "json.h"
#include "util.h"

enum {
        LIFE_TAG_MAX = 32,
        LIFE_DISKS_MAX = 64, /* as in guest files */
        LIFE_SNAPSHOTS_MAX = 4096,
};

/* A snapshot, as all disks that have it tell of it. */
typedef struct LifeSnapshot {
        char *tag;
        uint64_t state_size; /* bytes of the guest's memory and devices; 0: of disks alone */
        int64_t date;        /* seconds of the epoch */
        size_t n_disks;
} LifeSnapshot;

typedef struct LifeImages {
        char **nodes; /* the disks that the guest can write to, by the names of their nodes */
        size_t n;
        LifeSnapshot *snapshots; /* in the order of their making */
        size_t n_snapshots;
        char *obstacle; /* why there can be no snapshot of the guest as a whole; NULL: nothing is in the way */
} LifeImages;

/* blocks: query-named-block-nodes; peripherals: qom-list of devices with and without names, either may be NULL; migrate:
 * query-migrate. Returns 0; -EPROTO: these are no such answers; -ENOMEM. */
int life_images_read(const json_t *blocks, const json_t *const peripherals[2], const json_t *migrate, LifeImages *ret);
void life_images_done(LifeImages *l);

/* The snapshot of that name, or NULL. */
const LifeSnapshot *life_images_find(const LifeImages *l, const char *tag);

/* Tags begin with a letter, so that none is taken for a number that QEMU has given. */
bool life_tag_is_valid(const char *tag);
