/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What systemd says of the units of guests, and what that means for a guest. */

#include "guest-unit.h"
#include "json.h"
#include "systemd-bus.h"

typedef struct GuestUnit {
        char guest[GUEST_NAME_MAX + 1];
        const GuestUnitKind *kind;
        size_t rank; /* of its kind, in the order of starting */
        char *name;
        char *description;
        char *active, *sub; /* ActiveState and SubState */
        char *job;          /* the type of the job that is queued for it; "": none */
        char *path;         /* of its object */
        char *says;         /* what its program says of itself; NULL: nothing, or nobody has asked */
} GuestUnit;

/* Sorted by guests, and for each in the order of starting. */
typedef struct GuestUnits {
        GuestUnit *items;
        size_t n;
} GuestUnits;

void guest_units_done(GuestUnits *l);

/* Asks systemd, in one call, for the units of one guest, or of all (NULL), that it has in memory. Returns 0, or -errno
 * after a message. */
int guest_units_read(sd_bus *bus, const char *guest, GuestUnits *ret);

/* Asks what the supervisors of guests that are active say of themselves, a call each. One that has just ended says nothing. Returns 0
 * or -ENOMEM. */
int guest_units_ask(sd_bus *bus, GuestUnits *l);

/* The units of one guest among all: pure, borrowed. n is 0 if systemd has none in memory. */
typedef struct GuestView {
        const char *guest;
        const GuestUnit *units;
        size_t n;
} GuestView;

GuestView guest_units_of(const GuestUnits *l, const char *guest);

/* The guest's own unit, vxm-guest@; NULL: it is not in memory, and so inactive. */
const GuestUnit *guest_view_unit(const GuestView *v);

/* What a guest is doing, in one word that is API: “running”, “starting”, “preparing”, “stopping”, “undoing”,
 * “restarting”, “failed” or “off”. */
const char *guest_view_state(const GuestView *v);

/* Whether nothing is under way for it: no job, and no unit between two states. One that waits to be restarted counts as
 * that. */
bool guest_view_is_settled(const GuestView *v);

/* As JSON: guest, state, description, status, failed, units. NULL when out of memory. */
json_t *guest_view_json(const GuestView *v);
