/* SPDX-License-Identifier: BSD-3-Clause */
/* Quirks of monitors, from systemd's hwdb. */

#include <ctype.h>
#include <systemd/sd-hwdb.h>

#include "guest-monitors.h"
#include "log.h"
#include "monitor-quirk.h"
#include "parse.h"

#define SETTLE_DEFAULT UINT64_C(2000000)
#define SETTLE_MAX_MS 5000

void monitor_quirk_default(MonitorQuirk *ret) {
        *ret = (MonitorQuirk){
                .feature = DDC_FEATURE_INPUT,
                .source = DDC_SOURCE_HOST,
                /* MCCS 2.2a, 8.7; that of USB-C is none of the standard's, but what monitors have. */
                .values = {
                        [MONITOR_INPUT_VGA_1] = 0x01,  [MONITOR_INPUT_DVI_1] = 0x03,  [MONITOR_INPUT_DP_1] = 0x0f,
                        [MONITOR_INPUT_DP_2] = 0x10,   [MONITOR_INPUT_HDMI_1] = 0x11, [MONITOR_INPUT_HDMI_2] = 0x12,
                        [MONITOR_INPUT_USB_C] = 0x1b,
                },
                .settle = SETTLE_DEFAULT,
        };
}

/* “HDMI_1” for “hdmi-1”, as properties are written. */
static MonitorInput find_input(const char *text) {
        for (MonitorInput i = 0; i < MONITOR_INPUTS; i++) {
                const char *name = monitor_input_name(i), *p = text;

                for (; name && *name && (*name == '-' ? *p == '_' : toupper((unsigned char) *name) == *p); name++)
                        p++;
                if (name && !*name && !*p)
                        return i;
        }
        return MONITOR_INPUT_UNSET;
}

/* “0xF4”; the grammar of inputs in guest files is just that. */
static int set_byte(const char *value, uint8_t *ret) {
        GuestInput byte;
        int r = monitor_input_parse(value, &byte);

        if (r < 0 || byte.name != MONITOR_INPUT_VALUE)
                return -EINVAL;
        *ret = byte.value;
        return 0;
}

int monitor_quirk_set(MonitorQuirk *q, const char *property, const char *value) {
        const char *input = startswith(property, "VXM_DDC_INPUT_");
        MonitorInput i = input ? find_input(input) : MONITOR_INPUT_UNSET;
        uint64_t ms;
        int r;

        if (i != MONITOR_INPUT_UNSET) {
                r = set_byte(value, &q->values[i]);
                q->own[i] |= r >= 0;
        } else if (streq(property, "VXM_DDC_FEATURE")) {
                r = set_byte(value, &q->feature);
        } else if (streq(property, "VXM_DDC_SOURCE")) {
                r = set_byte(value, &q->source);
        } else if (streq(property, "VXM_DDC_ONE_WAY")) {
                r = parse_boolean(value, &q->one_way);
        } else if (streq(property, "VXM_DDC_UNREADABLE")) {
                r = parse_boolean(value, &q->unreadable);
        } else if (streq(property, "VXM_DDC_SETTLE_MS")) {
                r = parse_number(value, 0, SETTLE_MAX_MS, &ms);
                q->settle = r < 0 ? q->settle : ms * 1000;
        } else {
                return -ENOENT;
        }
        q->known |= r >= 0;
        return r < 0 ? -EINVAL : 0;
}

void monitor_quirk_complete(MonitorQuirk *q) {
        for (size_t i = 0; q->feature != DDC_FEATURE_INPUT && i < MONITOR_INPUTS; i++)
                if (!q->own[i])
                        q->values[i] = 0;
}

static void unref_hwdbp(sd_hwdb **hwdb) {
        sd_hwdb_unref(*hwdb);
}

int monitor_quirk_load(const char *modalias, MonitorQuirk *ret) {
        _cleanup_(unref_hwdbp) sd_hwdb *hwdb = NULL;
        const char *property, *value;
        int r;

        monitor_quirk_default(ret);
        r = sd_hwdb_new(&hwdb);
        if (r < 0) {
                log_debug("Cannot open the hwdb: %s.", strerror(-r));
                return r == -ENOENT ? 0 : r;
        }
        SD_HWDB_FOREACH_PROPERTY(hwdb, modalias, property, value) {
                if (monitor_quirk_set(ret, property, value) == -EINVAL)
                        log_warning("The hwdb says %s=%s about %s, which means nothing; it is ignored.", property, value, modalias);
        }
        monitor_quirk_complete(ret);
        return 0;
}

uint8_t monitor_quirk_value(const MonitorQuirk *q, const GuestInput *input) {
        return input->name == MONITOR_INPUT_VALUE ? input->value : q->values[input->name];
}

const char *monitor_quirk_input(const MonitorQuirk *q, uint8_t value) {
        for (MonitorInput i = 0; i < MONITOR_INPUTS; i++)
                if (value > 0 && q->values[i] == value)
                        return monitor_input_name(i);
        return NULL;
}
