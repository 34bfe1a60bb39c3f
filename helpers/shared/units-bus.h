/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Looks at units, stops and starts them, through systemd's Manager on the bus (org.freedesktop.systemd1(5)). Every call
 * has sd-bus's own time limit; jobs are waited for by their signal, up to a deadline. */

#include <systemd/sd-bus.h>

#include "units-plan.h"

typedef struct UnitJob {
        char *unit;
        char *path; /* the job's object; NULL once it has ended */
} UnitJob;

typedef struct UnitsBus {
        sd_bus *bus;
        sd_bus_slot *slot; /* the watch on jobs that end */
        UnitJob *jobs;
        size_t n_jobs, n_running;
        bool stopping; /* our own jobs: how they end matters */
        int error;     /* of a job that failed, after it has been told */
} UnitsBus;

/* Connects to the system bus. Returns 0, or -errno after a message. */
int units_bus_open(UnitsBus *ret);

void units_bus_done(UnitsBus *b);

/* Asks systemd about a unit. *ret is to be given to unit_state_done() whatever comes back. Returns 0, or -errno after a
 * message. */
int units_bus_look(UnitsBus *b, const char *unit, UnitState *ret);

/* Stops units, all at once, and waits at most timeout µs until all have ended; says which. Returns 0; -EBUSY: one has
 * not ended in time, or runs again; -EIO: one failed to stop. What went wrong has been told. */
int units_bus_stop(UnitsBus *b, const UnitNames *units, uint64_t timeout);

/* Waits at most timeout µs until none of these units is being stopped any more. Returns 0; -EBUSY: one still is;
 * -errno. What went wrong has been told. */
int units_bus_settle(UnitsBus *b, const UnitNames *units, uint64_t timeout);

/* Has a unit started, unless other jobs stand against that; does not wait. Returns 0; -ENOENT: it has gone for good;
 * -errno. In *ret_why what systemd says about it. */
int units_bus_start(UnitsBus *b, const char *unit, char **ret_why);

/* Whether the host is shutting down. Returns 1, 0, or -errno after a message. */
int units_bus_host_ends(UnitsBus *b);
