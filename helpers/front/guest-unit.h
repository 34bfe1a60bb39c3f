/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The units that a guest is made of, by their names. All pure. */

#include "parse.h"

/* A unit that a guest may need: vxm-KIND@GUEST.TYPE. */
typedef struct GuestUnitKind {
        const char *name;  /* “vxm-bind” */
        const char *about; /* what it does for the guest, in a few words */
        bool socket;       /* there is one as socket, besides or instead */
} GuestUnitKind;

/* In the order in which they start, as in units[] of vxm-generator.c; ends with a row without a name. */
extern const GuestUnitKind guest_unit_kinds[];

enum {
        GUEST_UNIT_SIZE = 256, /* systemd's longest name, with its NUL */
};

/* Takes a unit's name apart. *ret_guest becomes the guest's name, *ret_rank the place of its kind in the order of
 * starting. Returns the kind; NULL: it is no unit of a guest. */
const GuestUnitKind *guest_unit_parse(const char *unit, char ret_guest[static GUEST_NAME_MAX + 1], size_t *ret_rank);

/* The name of a guest's unit that is a service: “bind” stands for vxm-bind@. */
void guest_unit_name(const char *kind, const char *guest, char ret[static GUEST_UNIT_SIZE]);

/* What a unit is called in a line for people: without its type, unless that is all that tells it from another one. */
void guest_unit_short(const char *unit, char ret[static GUEST_UNIT_SIZE]);
