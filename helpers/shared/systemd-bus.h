/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* systemd on the bus, see org.freedesktop.systemd1(5): names, and what each of its callers needs. */

#include <systemd/sd-bus.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"

/* Connects to the system bus. Returns 0, or -errno after a message. */
int systemd_bus_open(sd_bus **ret);

/* Why a call has failed, in systemd's words or, for lack of them, in the C library's. r: what it returned. */
const char *systemd_bus_why(const sd_bus_error *error, int r);

static inline void messagep(sd_bus_message **m) {
        sd_bus_message_unref(*m);
}

static inline void errorp(sd_bus_error *e) {
        sd_bus_error_free(e);
}
