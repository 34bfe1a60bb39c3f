/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Who a monitor says it is: the first 128 bytes of its EDID (VESA E-EDID 1.4, 3). Pure, and strict: the bytes come from whatever
 * is plugged in. */

#include "util.h"

enum {
        EDID_SIZE = 128, /* what every monitor has; extensions tell nothing that we need */
        EDID_TEXT_MAX = 13,
        EDID_MODEL_SIZE = EDID_TEXT_MAX + 1,
        EDID_IDENTITY_SIZE = sizeof "ABC1234:12345678:" + EDID_TEXT_MAX,
};

typedef struct Edid {
        char vendor[4]; /* three letters */
        uint16_t product;
        uint32_t number;                 /* 0: none */
        char name[EDID_TEXT_MAX + 1];    /* “LG ULTRAGEAR”; may be empty */
        char serial[EDID_TEXT_MAX + 1];  /* the text, else the number; may be empty. Printable ASCII, as the name is */
} Edid;

/* Reads an EDID; more than the first block is taken and ignored. Returns 0; -EBADMSG: these bytes are none. */
int edid_parse(const void *data, size_t size, Edid *ret);

/* What people call it: its name, or vendor and product. */
const char *edid_model(const Edid *e, char buffer[static EDID_MODEL_SIZE]);

/* One word that is the same whatever it is plugged into: “GSM5B7F:0001a2b3:204NTAB12345”. */
const char *edid_identity(const Edid *e, char buffer[static EDID_IDENTITY_SIZE]);

/* Whether a text could be such a word. */
bool edid_identity_is_valid(const char *text);

/* What the hwdb is asked for: “vxm-monitor:vGSM:p5B7F:nLG ULTRAGEAR”. Returns 0 or -ENOMEM. */
int edid_modalias(const Edid *e, char **ret);
