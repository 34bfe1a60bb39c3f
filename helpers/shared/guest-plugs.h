/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of the host's devices comes and goes in a guest while it runs, each kind watched by qemu-plug.h in the supervisor's event loop. */

#include <systemd/sd-event.h>

#include "guest.h"
#include "qmp.h"

typedef struct GuestPlugs GuestPlugs;

/* Gives QEMU what there is, and goes on with what comes and goes; to be called before the guest's first instruction, so that its
 * firmware finds that. A kind that cannot be watched costs the guest its devices, and is told. guest and qmp must outlive *ret.
 * Returns 0 or -errno. */
int guest_plugs_new(sd_event *event, Qmp *qmp, const Guest *guest, GuestPlugs **ret);
GuestPlugs *guest_plugs_free(GuestPlugs *p);

/* QEMU is told no more. */
void guest_plugs_stop(GuestPlugs *p);
