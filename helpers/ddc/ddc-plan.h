/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which of the monitors there are a guest file means, and what is to be told to them. Pure. */

#include "monitors.h"

enum {
        DDC_HOST_UNKNOWN = -1, /* the monitor has to be asked */
};

typedef struct DdcStep {
        const GuestMonitor *wanted;
        const Monitor *monitor;
        uint8_t guest;      /* the value to set */
        int host;           /* the value to come back to */
        bool look_up;       /* whether the monitor lists that value has to be seen first */
} DdcStep;

typedef struct DdcPlan {
        DdcStep *items; /* borrow from guest and monitors */
        size_t n;
} DdcPlan;

void ddc_plan_done(DdcPlan *plan);

/* Returns 0; -E_CONFIG, logged: a section means no monitor, or several, or an input that its monitor has not; *ret has the others
 * then. -ENOMEM, logged. */
int ddc_plan_make(const Guest *g, const Monitors *l, DdcPlan *ret);
