/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The undo record of vxm-ddc: of each monitor that is switched for a guest, which input the host is at, and how to get there.
 * Written before the switch. It is the claim on the monitor, too. */

#include "edid.h"
#include "guest.h"

typedef struct DdcSwitch {
        char *connector;                   /* where it was found … */
        int bus;                           /* … and on which bus */
        char identity[EDID_IDENTITY_SIZE]; /* whose it is: connectors and buses may be others by then */
        uint8_t feature, source;
        uint8_t host, guest; /* values of the feature */
        uint64_t settle;     /* µs, see MonitorQuirk */
        bool unreadable, one_way;
} DdcSwitch;

typedef struct DdcRecord {
        DdcSwitch *items;
        size_t n;
} DdcRecord;

void ddc_switch_done(DdcSwitch *s);
void ddc_record_done(DdcRecord *record);

/* The switch of a monitor at a connector, as there may be two that say the same of themselves; NULL: none. */
DdcSwitch *ddc_record_find(const DdcRecord *record, const char *connector, const char *identity);

/* Adds a copy, in place of one of the same monitor. Returns 0 or -ENOMEM. */
int ddc_record_add(DdcRecord *record, const DdcSwitch *s);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int ddc_record_parse(char *text, DdcRecord *ret);

/* As in record-file.h. */
int ddc_record_save(int root, const char *guest, const DdcRecord *record);
int ddc_record_load(int root, const char *guest, DdcRecord *ret);
int ddc_record_forget(int root, const char *guest);

/* Whether another guest's record has the monitor. Returns as record_file_holder(). */
int ddc_record_holder(int root, const char *guest, const DdcSwitch *monitor, char **ret_holder);
