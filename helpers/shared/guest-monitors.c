/* SPDX-License-Identifier: BSD-3-Clause */
/* The names of inputs, and contradictions between [Monitor] sections. */

#include <ctype.h>

#include "conf.h"
#include "guest-monitors.h"
#include "log.h"

static const char *const names[MONITOR_INPUTS] = {
        [MONITOR_INPUT_HDMI_1] = "hdmi-1", [MONITOR_INPUT_HDMI_2] = "hdmi-2", [MONITOR_INPUT_DP_1] = "dp-1",
        [MONITOR_INPUT_DP_2] = "dp-2",     [MONITOR_INPUT_USB_C] = "usb-c",   [MONITOR_INPUT_DVI_1] = "dvi-1",
        [MONITOR_INPUT_VGA_1] = "vga-1",
};

const char *monitor_input_name(MonitorInput input) {
        return names[input];
}

static int hex_digit(char c) {
        return isdigit((unsigned char) c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One or two digits; feature 0x60 has a byte (MCCS 2.2a, 8.7). 0 is no input of any monitor. */
static int parse_value(const char *digits, uint8_t *ret) {
        int value = 0;

        if (!*digits || strlen(digits) > 2)
                return -EINVAL;
        for (; *digits; digits++) {
                int digit = hex_digit(*digits);

                if (digit < 0)
                        return -EINVAL;
                value = value * 16 + digit;
        }
        if (value == 0)
                return -EINVAL;
        *ret = (uint8_t) value;
        return 0;
}

int monitor_input_parse(const char *text, GuestInput *ret) {
        const char *digits = startswith(text, "0x");
        GuestInput input = { .name = MONITOR_INPUT_VALUE };

        if (digits) {
                if (parse_value(digits, &input.value) < 0)
                        return -EINVAL;
                *ret = input;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i] && streq(names[i], text)) {
                        *ret = (GuestInput){ .name = (MonitorInput) i };
                        return 0;
                }
        return -EINVAL;
}

static int verify_one(const Guest *g, const GuestMonitor *m) {
        const char *space = m->name ? " " : "", *name = m->name ? m->name : "";

        if (m->guest_input.name == MONITOR_INPUT_UNSET)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Monitor%s%s] GuestInput= is not set; name the input that the guest's GPU is plugged into.", space, name);
        if (m->guest_input.name == m->host_input.name && m->guest_input.value == m->host_input.value)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Monitor%s%s] GuestInput= and HostInput= are the same; guest and host need an input each.", space, name);
        if (m->match.kind == MONITOR_AUTO && g->n_monitors > 1)
                return conf_log(LOG_ERR, g->file, 0,
                        "[Monitor%s%s] Match=auto is for the only monitor, but there are %zu sections; set Match= in each.", space,
                        name, g->n_monitors);
        return 0;
}

int guest_monitors_verify(const Guest *g) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_monitors; i++)
                r = verify_one(g, &g->monitors[i]);
        return r;
}
