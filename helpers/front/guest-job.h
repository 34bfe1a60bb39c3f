/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Has systemd start, stop or restart a guest, and shows how that goes, to its end. */

#include "systemd-bus.h"

typedef enum GuestJob {
        GUEST_START,
        GUEST_STOP,
        GUEST_RESTART,
} GuestJob;

/* Returns 0, also when it is so already; -E_CONFIG: systemd has not read the guest file yet; the status of what has
 * failed, as a positive number; or -errno. All has been told. */
int guest_job_run(sd_bus *bus, GuestJob job, const char *guest);
