/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes and reads DDC/CI's bytes. */

#include <ctype.h>

#include "ddc-packet.h"

enum {
        OPCODE_GET = 0x01,
        OPCODE_REPLY = 0x02,
        OPCODE_SET = 0x03,
        LENGTH_FLAG = 0x80,
        REPLY_LENGTH = 8,  /* bytes between length and sum */
        REPLY_BEGIN = 0x50, /* what stands for the host in the sum of an answer (DDC/CI 1.1, 4.2) */
        CAPABILITIES_MAX = 32 * 1024, /* offsets have 16 bits; nobody's string comes near */
};

static uint8_t sum_of(uint8_t begin, const uint8_t *data, size_t size) {
        for (size_t i = 0; i < size; i++)
                begin ^= data[i];
        return begin;
}

/* Source, length and sum around a command of n bytes at ret + 2. */
static void wrap(uint8_t source, size_t n, uint8_t *ret) {
        ret[0] = source;
        ret[1] = (uint8_t) (LENGTH_FLAG | n);
        ret[2 + n] = sum_of(DDC_ADDRESS << 1, ret, 2 + n);
}

void ddc_packet_get(uint8_t source, uint8_t feature, uint8_t ret[static DDC_GET_SIZE]) {
        ret[2] = OPCODE_GET;
        ret[3] = feature;
        wrap(source, 2, ret);
}

void ddc_packet_set(uint8_t source, uint8_t feature, uint16_t value, uint8_t ret[static DDC_SET_SIZE]) {
        ret[2] = OPCODE_SET;
        ret[3] = feature;
        ret[4] = (uint8_t) (value >> 8);
        ret[5] = (uint8_t) value;
        wrap(source, 4, ret);
}

/* 6e 88 02 RESULT FEATURE TYPE MAX MAX VALUE VALUE SUM */
int ddc_reply_parse(const uint8_t *data, size_t size, uint8_t feature, uint16_t *ret) {
        if (size < 3 || data[0] != DDC_ADDRESS << 1)
                return -EBADMSG;
        if (data[1] == LENGTH_FLAG)
                return data[2] == sum_of(REPLY_BEGIN, data, 2) ? -EAGAIN : -EBADMSG;
        if (size < DDC_REPLY_SIZE || data[1] != (LENGTH_FLAG | REPLY_LENGTH) || data[2] != OPCODE_REPLY || data[4] != feature ||
                data[10] != sum_of(REPLY_BEGIN, data, 10))
                return -EBADMSG;
        if (data[3] != 0)
                return -EOPNOTSUPP;
        *ret = (uint16_t) (data[8] << 8 | data[9]);
        return 0;
}

static int hex_value(char c) {
        return isdigit((unsigned char) c)    ? c - '0'
               : isxdigit((unsigned char) c) ? tolower((unsigned char) c) - 'a' + 10
                                             : -1;
}

/* A byte of two digits at p; -1: there is none. */
static int byte_at(const char *p) {
        int high = hex_value(p[0]), low = high < 0 ? -1 : hex_value(p[1]);

        return low < 0 ? -1 : high * 16 + low;
}

/* The bytes between parentheses, from behind the first one on. */
static int read_values(const char *p, bool ret[static 256]) {
        int found = 0;

        for (; *p && *p != ')'; p++) {
                int byte = byte_at(p);

                if (*p == ' ')
                        continue;
                if (byte < 0)
                        return -EBADMSG; /* blanks between bytes may be missing, halves of bytes may not */
                ret[byte] = true;
                found = 1;
                p++;
        }
        return *p ? found : -EBADMSG;
}

/* Finds “vcp(”, and in there, not deeper, the feature's parenthesis. */
int ddc_capabilities_values(const char *text, uint8_t feature, bool ret[static 256]) {
        const char *p = strnlen(text, CAPABILITIES_MAX) < CAPABILITIES_MAX ? strcasestr(text, "vcp(") : NULL;
        int depth = 0;

        memset(ret, 0, 256 * sizeof ret[0]);
        if (!p)
                return 0;
        for (p += STRLEN("vcp("); *p && depth >= 0; p++) {
                int byte = depth == 0 ? byte_at(p) : -1;

                if (*p == '(' || *p == ')')
                        depth += *p == '(' ? 1 : -1;
                if (byte < 0)
                        continue;
                p += 2;
                p += strspn(p, " ");
                if (byte == feature)
                        return *p == '(' ? read_values(p + 1, ret) : 0;
                p--; /* what comes next is looked at anew */
        }
        return depth < 0 ? 0 : -EBADMSG;
}
