/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* In what a monitor differs from the standard (MCCS 2.2a, 8.7, feature 0x60) when its input is switched: facts of the hwdb, see
 * 60-vxm-monitors.hwdb for what its properties mean. */

#include "guest.h"

enum {
        DDC_FEATURE_INPUT = 0x60,
        DDC_SOURCE_HOST = 0x51, /* the address that a host speaks from (DDC/CI 1.1, 4) */
};

typedef struct MonitorQuirk {
        bool known;                     /* the hwdb has something about this monitor */
        uint8_t feature, source;
        uint8_t values[MONITOR_INPUTS]; /* 0: it has no such input */
        bool own[MONITOR_INPUTS];       /* the value is the monitor's own, not the standard's */
        uint64_t settle;                /* µs after a switch in which it may not answer, or tell the input before */
        bool unreadable;                /* it does not tell its input */
        bool one_way;                   /* it listens to its active input only */
} MonitorQuirk;

/* What the standard says. */
void monitor_quirk_default(MonitorQuirk *ret);

/* Takes one property in, such as VXM_DDC_FEATURE and 0xF4. Returns 0; -EINVAL: the value is none of those it can have; -ENOENT:
 * there is no such property. */
int monitor_quirk_set(MonitorQuirk *q, const char *property, const char *value);

/* To be called when all have been set: another feature than the standard's has none of its values. */
void monitor_quirk_complete(MonitorQuirk *q);

/* What this machine's hwdb says about a monitor, by edid_modalias(); what it has not, is as in the standard. Returns 0 or -errno;
 * properties that are wrong are warned of. */
int monitor_quirk_load(const char *modalias, MonitorQuirk *ret);

/* The value that switches to an input; 0: the monitor has no such input that we know. */
uint8_t monitor_quirk_value(const MonitorQuirk *q, const GuestInput *input);

/* What an input is called by its value; NULL: nobody knows. */
const char *monitor_quirk_input(const MonitorQuirk *q, uint8_t value);
