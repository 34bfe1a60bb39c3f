/* SPDX-License-Identifier: BSD-3-Clause */
/* An EDID of any bytes: none, or a monitor whose names can be shown, asked for, and written into a record. */

#include "edid.h"
#include "fuzz.h"

static bool is_shown(const char *text) {
        for (; *text; text++)
                if (*text < ' ' || *text > '~')
                        return false;
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char model[EDID_MODEL_SIZE], identity[EDID_IDENTITY_SIZE];
        _cleanup_(freep) char *modalias = NULL;
        Edid e;

        if (edid_parse(data, size, &e) < 0)
                return 0;
        if (!is_shown(e.name) || !is_shown(e.serial) || !*edid_model(&e, model) ||
                !edid_identity_is_valid(edid_identity(&e, identity)) || strlen(e.vendor) != 3)
                abort();
        if (edid_modalias(&e, &modalias) >= 0 && !is_shown(modalias))
                abort();
        return 0;
}
