/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* EDIDs for tests: a monitor says what it is called, and nothing of its picture. */

#include "edid.h"

static inline void fake_edid_sum(uint8_t data[static EDID_SIZE]) {
        uint8_t sum = 0;

        for (size_t i = 0; i < EDID_SIZE - 1; i++)
                sum = (uint8_t) (sum + data[i]);
        data[EDID_SIZE - 1] = (uint8_t) -sum;
}

/* A descriptor's text, up to 13 characters; shorter ones end with a line feed, and blanks. */
static inline void fake_edid_text(uint8_t *descriptor, uint8_t tag, const char *text) {
        size_t n = strlen(text);

        descriptor[3] = tag;
        memset(descriptor + 5, ' ', EDID_TEXT_MAX);
        memcpy(descriptor + 5, text, n);
        if (n < EDID_TEXT_MAX)
                descriptor[5 + n] = '\n';
}

/* name, serial: NULL: it has none. */
static inline void fake_edid(uint8_t data[static EDID_SIZE], const char *vendor, uint16_t product, uint32_t number, const char *name,
        const char *serial) {
        unsigned letters = (unsigned) (vendor[0] - '@') << 10 | (unsigned) (vendor[1] - '@') << 5 | (unsigned) (vendor[2] - '@');

        memset(data, 0, EDID_SIZE);
        memset(data + 1, 0xff, 6);
        data[8] = (uint8_t) (letters >> 8);
        data[9] = (uint8_t) letters;
        data[10] = (uint8_t) product;
        data[11] = (uint8_t) (product >> 8);
        for (size_t i = 0; i < 4; i++)
                data[12 + i] = (uint8_t) (number >> 8 * i);
        data[18] = 1;
        data[19] = 4;
        if (name)
                fake_edid_text(data + 54 + 18, 0xfc, name);
        if (serial)
                fake_edid_text(data + 54 + 36, 0xff, serial);
        fake_edid_sum(data);
}
