/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of input devices, and of keys, in guest files. */

#include <ctype.h>

#include "input-spec.h"

void input_spec_done(InputSpec *spec) {
        free(spec->text);
        *spec = (InputSpec){};
}

/* Links that udev makes (60-persistent-input.rules) have one component more. */
static int judge_path(const char *s) {
        static const char *const directories[] = { "/dev/input/by-id/", "/dev/input/by-path/" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                const char *name = startswith(s, directories[i]);

                if (name && *name && !strchr(name, '/') && !streq(name, ".") && !streq(name, ".."))
                        return 0;
        }
        return -EINVAL;
}

int input_spec_parse(const char *s, InputSpec *ret) {
        InputSpec spec = { .way = streq(s, "auto") ? INPUT_AUTO : *s == '/' ? INPUT_LINK : INPUT_NAME };
        int r = 0;

        if (isempty(s))
                return -EINVAL;
        if (strlen(s) > INPUT_TEXT_MAX)
                return -ERANGE;
        for (const char *p = s; *p; p++)
                if (iscntrl((unsigned char) *p))
                        return -EINVAL;
        if (spec.way == INPUT_LINK)
                r = judge_path(s);
        if (r >= 0 && spec.way != INPUT_AUTO && !(spec.text = strdup(s)))
                r = -ENOMEM;
        if (r >= 0)
                *ret = spec;
        return r;
}

const char *input_spec_print(const InputSpec *spec) {
        return spec->way == INPUT_AUTO ? "auto" : spec->text;
}

bool input_spec_equal(const InputSpec *a, const InputSpec *b) {
        return a->way == b->way && streq_ptr(a->text, b->text);
}

static const char *const toggles[] = {
        [INPUT_CTRL_CTRL] = "ctrl-ctrl",
        [INPUT_ALT_ALT] = "alt-alt",
        [INPUT_SHIFT_SHIFT] = "shift-shift",
        [INPUT_META_META] = "meta-meta",
        [INPUT_SCROLLLOCK] = "scrolllock",
        [INPUT_CTRL_SCROLLLOCK] = "ctrl-scrolllock",
};

int input_toggle_parse(const char *s, InputToggle *ret) {
        for (size_t i = 0; i < ELEMENTSOF(toggles); i++)
                if (streq(toggles[i], s)) {
                        *ret = (InputToggle) i;
                        return 0;
                }
        return -EINVAL;
}

const char *input_toggle_name(InputToggle toggle) {
        return toggles[toggle];
}
