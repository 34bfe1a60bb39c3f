/* SPDX-License-Identifier: BSD-3-Clause */
/* The way to systemd. */

#include "log.h"
#include "systemd-bus.h"

int systemd_bus_open(sd_bus **ret) {
        int r = sd_bus_open_system(ret);

        return r < 0 ? log_error_errno(r, "Cannot reach the system bus: %s; see `systemctl status dbus`.", strerror(-r)) : 0;
}

const char *systemd_bus_why(const sd_bus_error *error, int r) {
        return error->message ? error->message : strerror(-r);
}
