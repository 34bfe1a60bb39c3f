/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Shows how the units of a guest come and go, a line each with its time: on a terminal as a list that changes, else as
 * lines that follow each other. */

#include "guest-unit.h"

typedef struct Step {
        char unit[GUEST_UNIT_SIZE];
        const char *about;
        char active[16];   /* ActiveState */
        bool changed;      /* since the beginning; only such are shown */
        uint64_t when;     /* of the last change, µs since the beginning */
} Step;

typedef struct Steps {
        FILE *f;
        bool live;   /* a terminal, on which what has been shown can be shown anew */
        bool colour;
        const char *guest; /* whose units are meant */
        uint64_t begin; /* monotonic µs */
        Step *items;    /* in the order in which they began to change */
        size_t n, n_drawn;
} Steps;

/* Looks what f is. begin: now_usec(). */
void steps_begin(Steps *s, FILE *f, const char *guest, uint64_t begin);

/* A unit's state as it is before anything has been done; shows nothing. Returns 0 or -ENOMEM. */
int steps_expect(Steps *s, const char *unit, const char *active);

/* A unit's state has changed: shows that. Units of others are passed over. Returns 0 or -ENOMEM. */
int steps_note(Steps *s, const char *unit, const char *active, uint64_t now);

/* Units that have failed meanwhile, in the order in which they began to change: after *index, which starts as 0. NULL:
 * no more. */
const char *steps_failed(const Steps *s, size_t *index);

void steps_done(Steps *s);
