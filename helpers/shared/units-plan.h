/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What is to be stopped for a guest, and noted, judged from what systemd says about the units. All pure. */

#include "guest.h"
#include "units-record.h"

typedef enum UnitActivity {
        UNIT_DOWN,
        UNIT_ENDING, /* somebody is stopping it already */
        UNIT_UP,     /* it runs, or is about to */
} UnitActivity;

/* One unit that the guest file asks for, and what systemd says about it. */
typedef struct UnitState {
        char *id; /* systemd's name for it; another than was asked for if that is an alias */
        char *load_state;
        UnitActivity activity;
        bool can_stop, can_start;
        char *stop_job; /* the object of the job that is stopping it, or NULL */
        bool held;      /* another guest has had it stopped, and will have it started again */
} UnitState;

typedef struct UnitsPlan {
        UnitNames record; /* what is to be started again in the end */
        UnitNames stop;
} UnitsPlan;

void unit_state_done(UnitState *s);

/* What a guest file asks for: StopUnits=, and the display manager with SingleGpu=yes. Returns 0, -E2BIG or -ENOMEM. */
int units_wanted(const Guest *g, UnitNames *ret);

/* Whether it is SingleGpu=yes alone that asks for this unit. Then the machine need not have it. */
bool unit_is_implied(const Guest *g, const char *unit);

/* Whether the guest file asks for this unit, by its own name or by an alias that is a link in a unit directory below
 * root, as those of [Install] are. For who cannot ask systemd. False also when out of memory. */
bool unit_is_wanted(int root, const Guest *g, const char *unit);

/* Why this unit is not stopped for that guest, by its name alone, as the end of “… cannot be stopped for a guest: ”;
 * NULL: it may be. */
const char *unit_name_refusal(const char *unit, const char *guest);

/* The same by what systemd says; the text may name a command to run. NULL: it may be. */
const char *unit_state_refusal(const UnitState *s);

/* What ActiveState of org.freedesktop.systemd1.Unit(5) and the type of the unit's job, "" for none, come to. */
UnitActivity unit_activity(const char *active_state, const char *job_type);

/* Adds one unit: what runs is stopped; it is noted also when another guest has stopped it before, so that the last
 * one that ends starts it. Returns 0, -E2BIG or -ENOMEM. */
int units_plan_add(UnitsPlan *plan, const UnitState *s);

/* What an earlier run has noted, and not started again since, holds on. Returns 0, -E2BIG or -ENOMEM. */
int units_plan_keep(UnitsPlan *plan, const UnitNames *earlier);

void units_plan_done(UnitsPlan *plan);
