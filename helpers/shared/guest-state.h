/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What a guest is doing, in words, from what QEMU calls it (RunState in QEMU's qapi/run-state.json). */

#include "json.h"
#include "util.h"

typedef struct GuestState {
        const char *name; /* QEMU's */
        const char *text; /* ours, for one line: “paused” */
        const char *next; /* what somebody may do about it, with %s for the guest's name; NULL: nothing */
        bool ill;         /* nobody meant it to be so */
        bool lost;        /* it cannot go on from there */
} GuestState;

/* Never NULL: what QEMU says that is not known here is “in an unknown state”. */
const GuestState *guest_state_find(const char *name);

/* The same of an answer to query-status. */
const GuestState *guest_state_of(const json_t *status);
