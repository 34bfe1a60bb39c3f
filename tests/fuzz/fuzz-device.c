/* SPDX-License-Identifier: BSD-3-Clause */
/* Device= and Recorded= of any bytes. What is taken for a pin is written as it was read; what is taken for a name holds
 * nothing that a message could trip over. */

#include <strings.h>

#include "device-pin.h"
#include "device-spec.h"
#include "fuzz.h"

static void check_spec(const char *text) {
        _cleanup_(device_spec_done) DeviceSpec spec = {};

        if (device_spec_parse(text, &spec) < 0)
                return;
        if (!streq(spec.text, text) || strpbrk(text, "\n\t\"%\\"))
                abort();
        if (spec.type == DEVICE_BY_ADDRESS && (spec.address.slot > 31 || spec.address.function > 7))
                abort();
}

static void check_pin(const char *text) {
        _cleanup_(device_pin_done) DevicePin pin = {};
        _cleanup_(freep) char *again = NULL;

        if (device_pin_parse(text, &pin) >= 0 && device_pin_format(&pin, &again) >= 0 && strcasecmp(again, text) != 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        check_spec(text);
        check_pin(text);
        return 0;
}
