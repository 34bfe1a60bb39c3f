/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Keeps what a guest can bring about as often as it likes from flooding the journal: of each kind of event so many are told
 * within a while, then that there are more, and when the while is over how many there were. */

#include "util.h"

enum {
        EVENT_LIMIT_BURST = 10,
};
#define EVENT_LIMIT_INTERVAL (UINT64_C(300) * 1000000) /* µs */

typedef struct EventLimit {
        uint64_t begin; /* of the while, monotonic µs; 0: there was none yet */
        unsigned n;     /* events in it */
} EventLimit;

typedef enum EventVerdict {
        EVENT_TELL,
        EVENT_TELL_LAST, /* tell that there are too many, in its place */
        EVENT_DROP,
} EventVerdict;

/* Counts an event at the time now. *ret_missed: how many of the while before this one were dropped, once. */
EventVerdict event_limit(EventLimit *l, uint64_t now, unsigned *ret_missed);
