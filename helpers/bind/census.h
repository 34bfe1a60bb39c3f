/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The last look before the first write: whether anybody on the host still has the devices. Taking a GPU from under a
 * process that holds it is what hangs hosts, so it is refused. */

#include "bind-record.h"
#include "devices.h"

/* Refuses when a process holds one of the functions, or the host's only console is on them. What lets go by itself when
 * the device vanishes does not count.
 *
 * console: of the functions, as guest_console_read() has it.
 * units_will_stop: asked before the units of StopUnits= are stopped: holders that go with them, or with a session, do not
 * count yet. Else, if the guest has such units, waits a while for what they leave behind to end.
 * Returns 0; -E_BUSY: somebody has them; -E_CONFIG: the guest file would have to allow it; -errno. Logged. */
int census_check(int root, const Guest *g, const GuestFunctions *functions, const HostConsole *console, bool units_will_stop);

/* The same before devices are given back: refuses while a guest still has one of those open that vfio-pci has, as they would
 * go from under it. Returns 0, -E_BUSY or -errno. Logged. */
int census_check_return(int root, const char *guest, const BindRecord *record);
