/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads EDIDs. */

#include <ctype.h>

#include "edid.h"

enum {
        VENDOR_AT = 8, /* two bytes, the higher first: three letters of five bits */
        PRODUCT_AT = 10,
        NUMBER_AT = 12,
        DESCRIPTORS_AT = 54,
        DESCRIPTOR_SIZE = 18,
        DESCRIPTORS = 4,
        TAG_AT = 3, /* in a descriptor that is no timing, which begins with three zeros */
        TEXT_AT = 5,
        TAG_NAME = 0xfc,
        TAG_SERIAL = 0xff,
};

static const uint8_t header[] = { 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };

static bool sum_is_good(const uint8_t *data) {
        uint8_t sum = 0;

        for (size_t i = 0; i < EDID_SIZE; i++)
                sum = (uint8_t) (sum + data[i]);
        return sum == 0;
}

static int read_vendor(const uint8_t *data, char ret[static 4]) {
        unsigned bits = (unsigned) data[VENDOR_AT] << 8 | data[VENDOR_AT + 1];

        for (size_t i = 0; i < 3; i++) {
                unsigned letter = bits >> (10 - 5 * i) & 0x1f;

                if (letter < 1 || letter > 26)
                        return -EBADMSG;
                ret[i] = (char) ('A' + letter - 1);
        }
        ret[3] = '\0';
        return 0;
}

/* Up to a line feed, padded with blanks. */
static void read_text(const uint8_t *text, char ret[static EDID_TEXT_MAX + 1]) {
        size_t n = 0;

        for (; n < EDID_TEXT_MAX && text[n] != '\n' && text[n] != '\0'; n++)
                ret[n] = text[n] >= ' ' && text[n] <= '~' ? (char) text[n] : '?';
        while (n > 0 && ret[n - 1] == ' ')
                n--;
        ret[n] = '\0';
}

int edid_parse(const void *bytes, size_t size, Edid *ret) {
        const uint8_t *data = bytes;
        Edid e = {};

        if (size < EDID_SIZE || memcmp(data, header, sizeof header) != 0 || !sum_is_good(data) || read_vendor(data, e.vendor) < 0)
                return -EBADMSG;
        e.product = (uint16_t) (data[PRODUCT_AT] | data[PRODUCT_AT + 1] << 8);
        e.number = (uint32_t) data[NUMBER_AT] | (uint32_t) data[NUMBER_AT + 1] << 8 | (uint32_t) data[NUMBER_AT + 2] << 16 |
                   (uint32_t) data[NUMBER_AT + 3] << 24;
        for (size_t i = 0; i < DESCRIPTORS; i++) {
                const uint8_t *d = data + DESCRIPTORS_AT + i * DESCRIPTOR_SIZE;

                if (d[0] != 0 || d[1] != 0 || d[2] != 0)
                        continue;
                if (d[TAG_AT] == TAG_NAME)
                        read_text(d + TEXT_AT, e.name);
                else if (d[TAG_AT] == TAG_SERIAL)
                        read_text(d + TEXT_AT, e.serial);
        }
        if (!e.serial[0] && e.number > 0)
                (void) snprintf(e.serial, sizeof e.serial, "%u", e.number);
        *ret = e;
        return 0;
}

const char *edid_model(const Edid *e, char buffer[static EDID_MODEL_SIZE]) {
        if (e->name[0])
                (void) snprintf(buffer, EDID_MODEL_SIZE, "%s", e->name);
        else
                (void) snprintf(buffer, EDID_MODEL_SIZE, "%s %04X", e->vendor, e->product);
        return buffer;
}

const char *edid_identity(const Edid *e, char buffer[static EDID_IDENTITY_SIZE]) {
        (void) snprintf(buffer, EDID_IDENTITY_SIZE, "%s%04X:%08x:%s", e->vendor, e->product, e->number, e->serial);
        for (char *p = buffer; *p; p++)
                if (!isalnum((unsigned char) *p) && *p != ':')
                        *p = '_'; /* it has to stay one word */
        return buffer;
}

bool edid_identity_is_valid(const char *text) {
        size_t n = strlen(text);

        return n >= STRLEN("ABC1234:12345678:") && n < EDID_IDENTITY_SIZE &&
               text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_")] == '\0';
}

int edid_modalias(const Edid *e, char **ret) {
        return format(ret, "vxm-monitor:v%s:p%04X:n%s", e->vendor, e->product, e->name);
}
