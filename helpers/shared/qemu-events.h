/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What QEMU reports about a guest, as lines of the journal: each with what it means and what to do. */

#include "event-limit.h"
#include "guest.h"
#include "json.h"

enum {
        QEMU_EVENTS_MAX = 32,
};

typedef struct QemuEvents {
        const Guest *guest;
        EventLimit limits[QEMU_EVENTS_MAX]; /* one for each kind */
} QemuEvents;

/* Tells the journal of an event at the time now (monotonic µs), unless there were too many of its kind. quiet: for debugging
 * only. data may be NULL; it is QEMU's, and so not trusted. */
void qemu_events_say(QemuEvents *e, const char *name, const json_t *data, bool quiet, uint64_t now);
