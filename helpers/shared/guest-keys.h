/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The table of all sections and keys a guest file may have. Parsing, defaults, messages and the check of the man page
 * vxm.guest(5) all go by it: a new key is one row, one field of Guest or GuestDisk, and one paragraph there. */

#include "conf.h"
#include "guest.h"

typedef struct GuestKey GuestKey;
struct GuestKey {
        const char *section;  /* "Disk" stands for [Disk NAME], "GPU" and "PCI" for [GPU] and [GPU NAME] … */
        const char *key;
        /* Sets dest from value (not empty). Returns 0, -EINVAL, -ERANGE or -ENOMEM. dest is the struct's field, or for
         * a list the struct itself, to append to. */
        int (*parse)(const char *value, void *dest);
        void (*reset)(void *dest); /* of a list: empties it */
        size_t offset;             /* of dest in Guest, in GuestDisk for [Disk NAME], in GuestDevices for [GPU] and [PCI] */
        const char *initial;       /* what an absent or empty key means; NULL: nothing */
        const char *expects;       /* completes “expected …” in the error message */
        bool of_guest;             /* stands in a section that there can be several of, but is said for the whole guest */
};

extern const GuestKey guest_keys[];
extern const size_t n_guest_keys;

/* Sets every scalar of the guest, or of a new disk, to its initial value. Returns 0 or -ENOMEM. */
int guest_apply_initial(Guest *g);

/* A ConfHandler; userdata is the Guest. Unknown keys and sections warn. */
int guest_assign(const ConfLine *line, void *guest);
