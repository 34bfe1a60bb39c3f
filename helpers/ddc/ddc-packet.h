/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The bytes of DDC/CI 1.1, as far as switching an input needs them: what goes to the monitor, and what comes back. Pure. */

#include "util.h"

enum {
        DDC_ADDRESS = 0x37,   /* of a monitor on its bus */
        EDID_ADDRESS = 0x50,
        DDC_GET_SIZE = 5,
        DDC_SET_SIZE = 7,
        DDC_REPLY_SIZE = 11, /* of the answer to a question for a feature */
};

/* Asks for a feature; sets it. source: who speaks, DDC_SOURCE_HOST as a rule. The monitor's own address is not in there, as the bus
 * has sent that, but it counts in the sum. */
void ddc_packet_get(uint8_t source, uint8_t feature, uint8_t ret[static DDC_GET_SIZE]);
void ddc_packet_set(uint8_t source, uint8_t feature, uint16_t value, uint8_t ret[static DDC_SET_SIZE]);

/* Reads an answer for a feature. Returns 0 and its value; -EAGAIN: a null message, the monitor is not ready; -EOPNOTSUPP: it says that
 * it has no such feature; -EBADMSG: that is no such answer. */
int ddc_reply_parse(const uint8_t *data, size_t size, uint8_t feature, uint16_t *ret);

/* The values that a feature can have by a capabilities string, “(…vcp(02 60(0F 11 12) …)…)”: ret[i] tells of i. Returns 1; 0: the
 * string tells none; -EBADMSG: it is not formed as one. */
int ddc_capabilities_values(const char *text, uint8_t feature, bool ret[static 256]);
