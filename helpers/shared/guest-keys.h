/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The tables of all sections and keys a guest file may have. Parsing, defaults, messages and the check of the man page
 * vxm.guest(5) all go by them: a new key is one row, one field of Guest or of the section's struct, and one paragraph there. */

#include "conf.h"
#include "guest.h"

typedef enum GuestNaming {
        NAME_NONE,     /* [CPU] */
        NAME_OPTIONAL, /* [GPU] or [GPU NAME] */
        NAME_REQUIRED, /* [Disk NAME] */
} GuestNaming;

typedef struct GuestSection {
        const char *name; /* without the name that a user gives it */
        GuestNaming naming;
        /* What there can be several of is a list in Guest. Each item's struct begins with its name, a char *, NULL without. */
        size_t size;     /* of an item, in bytes; 0: the section's keys are the guest's own */
        size_t items, n; /* offsets in Guest: of the array, of its length */
        size_t max;      /* items of the list */
        bool (*is_of)(const void *item); /* where sections share a list: whether the item is of this one; NULL: all are */
        void (*make_of)(void *item);     /* makes a new item one of this section; NULL: it is already */
        const char *plural;              /* completes “there can be 64 …” */
} GuestSection;

extern const GuestSection guest_sections[];
extern const size_t n_guest_sections;

typedef struct GuestKey GuestKey;
struct GuestKey {
        const char *section; /* "Disk" stands for [Disk NAME], "GPU" and "PCI" for [GPU] and [GPU NAME] … */
        const char *key;
        /* Sets dest from value (not empty), see guest-values.h. dest is the struct's field, or for a list the struct itself, to
         * append to. */
        int (*parse)(const char *value, void *dest);
        void (*reset)(void *dest); /* of a list: empties it */
        size_t offset;             /* of dest in Guest, or in the struct of the section's items */
        const char *initial;       /* what an absent or empty key means; NULL: nothing */
        const char *expects;       /* completes “expected …” in the error message */
        bool of_guest;             /* stands in a section that there can be several of, but is said for the whole guest */
};

extern const GuestKey guest_keys[];
extern const size_t n_guest_keys;

/* The row of a key; section: without the name that a user has given it. NULL: there is none. */
const GuestKey *guest_key_find(const char *section, const char *key);

/* Whether a key may stand several times, and adds something each time. */
bool guest_key_repeats(const GuestKey *k);

/* Splits “Disk root” into the table's section and the name, NULL for none. Returns 0 or -ENOMEM. */
int guest_section_split(const char *text, char **ret_section, const char **ret_name);

/* Sets every scalar of the guest to its initial value. Returns 0 or -ENOMEM. */
int guest_apply_initial(Guest *g);

/* A ConfHandler; userdata is the Guest. Unknown keys and sections warn. */
int guest_assign(const ConfLine *line, void *guest);
