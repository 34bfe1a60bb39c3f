/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Switches monitors, all of them at a time, each with patience until a deadline: a monitor may sleep, be busy with its last switch, or
 * answer nonsense. What does not work is explained in the journal. */

#include "ddc-link.h"
#include "ddc-plan.h"
#include "ddc-record.h"

/* Notes what is about to be changed; nothing is, where that fails. Returns 0 or -errno, logged. */
typedef int (*DdcNote)(void *userdata, const DdcSwitch *s);

/* Switches to the guest's inputs. earlier: what an earlier run has noted and not undone; its inputs of the host are right, as the
 * monitor may show the guest's by now. Returns 0, also when a monitor did not do it; -E_CONFIG: the guest file has to be edited;
 * -E_LACKS: the machine lacks something; -errno. All logged. */
int ddc_run_take(const DdcLink *link, const DdcPlan *plan, const DdcRecord *earlier, uint64_t usec, DdcNote note, void *userdata);

/* Switches back by the record. Returns 0; -EIO, logged: a monitor could not be reached, or does not obey; -E_LACKS, -errno. */
int ddc_run_release(const DdcLink *link, const Monitors *l, const DdcRecord *record, uint64_t usec);
