/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether QEMU still answers, and in which state it says its guest is: asked when something has happened, and else now and
 * then, because a QEMU that hangs tells nobody. */

#include <systemd/sd-event.h>

#include "guest-state.h"
#include "qmp.h"

typedef struct QemuPulse QemuPulse;

typedef struct QemuPulseHandlers {
        void (*state)(const GuestState *state, void *userdata); /* it is another one than before */
        void (*hung)(void *userdata);                           /* no answer for hang_timeout, once */
} QemuPulseHandlers;

/* Starts with a guest that runs. hang_timeout: µs, 0 for ever. handlers and qmp must outlive it, and it the last answer that
 * qmp gives. Returns 0 or -errno. */
int qemu_pulse_new(sd_event *event, Qmp *qmp, uint64_t hang_timeout, const QemuPulseHandlers *handlers, void *userdata,
        QemuPulse **ret);
QemuPulse *qemu_pulse_free(QemuPulse *p);

/* Something has happened: what is the state now? */
void qemu_pulse_ask(QemuPulse *p);

/* A job has begun during which QEMU answers nobody, such as a snapshot; or it is over. How long one takes is for the memory and the
 * disk to say, so that meanwhile no silence is too long. */
void qemu_pulse_set_busy(QemuPulse *p, bool busy);

/* The last one that was told. */
const GuestState *qemu_pulse_state(const QemuPulse *p);

/* From here on nothing is asked or told. */
void qemu_pulse_stop(QemuPulse *p);
