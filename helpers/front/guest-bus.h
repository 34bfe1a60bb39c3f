/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* One guest's unit on the bus: what systemd knows of it, and jobs for it. */

#include "guest-units.h"

/* Of vxm-guest@GUEST.service, or another unit. */
typedef struct GuestFacts {
        char *path; /* of its object */
        char *load_state, *active, *sub, *description;
        char *status;  /* what the guest is doing, in its supervisor's words; "": nothing */
        char *result;  /* how it has ended: “success”, “exit-code”, … */
        char *file_state; /* “enabled”: it starts at boot; and so on, see UnitFileState */
        bool needs_reload; /* its guest file has changed since systemd has read it */
        bool generated;    /* the generator has made a drop-in for it: its guest file was there at the last daemon-reload */
        bool condition;    /* its conditions were met when it was last started */
        uint32_t pid;
        int32_t exit_status;     /* of its program … */
        int32_t pre_exit_status; /* … and of the first that has failed of those that run before it */
        uint64_t since;  /* of the state, µs of the epoch; 0: never */
        uint64_t memory; /* bytes of its control group; UINT64_MAX: not known */
} GuestFacts;

void guest_facts_done(GuestFacts *f);

/* Loads a unit and asks for all that. Returns 0, or -errno after a message. */
int guest_facts_read(sd_bus *bus, const char *unit, GuestFacts *ret);

/* Says that systemd has no such unit at all, not even as a template. Returns -E_LACKS. */
int guest_job_unknown(const char *unit);

/* Has systemd do something to a unit: method is “StartUnit”, “StopUnit” or “RestartUnit”, verb the same for a message,
 * as “start”. *ret_job is the job's object. Returns 0, or -errno after a message; -EACCES: polkit does not let this
 * user. */
int guest_job_queue(sd_bus *bus, const char *method, const char *verb, const char *unit, char **ret_job);
