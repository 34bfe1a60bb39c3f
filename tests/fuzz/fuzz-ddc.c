/* SPDX-License-Identifier: BSD-3-Clause */
/* What a monitor may say, as any bytes: an answer for a feature, a capabilities string; and an undo record of any bytes. */

#include "ddc-packet.h"
#include "ddc-record.h"
#include "fuzz.h"

static void check_answer(const uint8_t *data, size_t size) {
        uint16_t value = 0;

        for (unsigned feature = 0; feature < 256; feature++)
                if (ddc_reply_parse(data, size, (uint8_t) feature, &value) >= 0 && (size < DDC_REPLY_SIZE || data[4] != feature))
                        abort();
}

static void check_capabilities(const char *text) {
        bool values[256];
        int r = ddc_capabilities_values(text, 0x60, values);

        if (r > 0 && !memchr(values, true, sizeof values))
                abort();
}

static void check_record(char *text) {
        _cleanup_(ddc_record_done) DdcRecord record = {};

        if (ddc_record_parse(text, &record) < 0)
                return;
        if (record.n == 0 || record.n > GUEST_MONITORS_MAX)
                abort();
        for (size_t i = 0; i < record.n; i++) {
                const DdcSwitch *s = &record.items[i];

                if (strpbrk(s->connector, "/. \n") || s->bus < 0 || !edid_identity_is_valid(s->identity) || s->host == 0 || s->feature == 0)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        check_answer(data, size);
        check_capabilities(text);
        check_record(text);
        return 0;
}
