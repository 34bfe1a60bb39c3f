/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Hears from systemd what becomes of the units of guests, by its signals. */

#include "guest-unit.h"
#include "systemd-bus.h"

typedef struct UnitEvents {
        sd_bus *bus; /* the caller's */
        sd_bus_slot *slots[3];
        void (*on_state)(const char *unit, const char *active, void *userdata); /* a unit's ActiveState, as it has changed */
        void (*on_job)(const char *unit, void *userdata);                      /* a job has been queued for it, or has ended */
        void *userdata;
        char *job;    /* the object of the job that is waited for, as StartUnit returns it; NULL: none is */
        char *result; /* of that one; NULL: it has not ended yet */
} UnitEvents;

/* Subscribes. Either function may be NULL; those of units that are no guest's are not called for. Returns 0, or -errno
 * after a message. */
int unit_events_open(UnitEvents *e);
void unit_events_done(UnitEvents *e);

/* Takes in what has been heard so far, without waiting. Returns 1; 0: that was nothing; -errno after a message. */
int unit_events_process(UnitEvents *e);

/* Waits until something has been heard, and takes in all that has been by then. Returns 0, or -errno after a message.
 * */
int unit_events_wait(UnitEvents *e);
