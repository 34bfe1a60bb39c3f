/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* AllowedCPUs= of units, through systemd's Manager on the bus (org.freedesktop.systemd1(5)), for as long as the host
 * runs. Every call has sd-bus's own time limit. */

#include <systemd/sd-bus.h>

#include "cpu-set.h"

void cpus_bus_closep(sd_bus **bus);

/* What AllowedCPUs= is, the empty set if not set; for EffectiveCPUs (what the kernel makes of it) the empty set if the
 * unit is not running, or the kernel's cpuset controller is not there. Return 0, or -errno after a message. */
int cpus_bus_allowed(sd_bus *bus, const char *unit, CpuSet *ret);
int cpus_bus_effective(sd_bus *bus, const char *unit, CpuSet *ret);

/* Sets AllowedCPUs=, unless it is so already; the empty set takes the limit away. all: the CPUs that there are: as long as
 * another unit has a limit, the kernel refuses to forget that of a control group with processes in it, though systemd has
 * done so; then it is one that forbids nothing. Returns 1; 0: nothing to do; -errno
 * after a message. systemd tells the kernel a moment later, but before it answers the next call. */
int cpus_bus_allow(sd_bus *bus, const char *unit, const CpuSet *cpus, const CpuSet *all);
