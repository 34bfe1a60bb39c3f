/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How a guest file names keyboards and mice: Devices= and Toggle= in [Input]. Pure. */

#include "util.h"

enum {
        INPUT_TEXT_MAX = 255, /* bytes; the kernel's names have 255 at most (EVIOCGNAME) */
};

typedef enum InputWay {
        INPUT_AUTO, /* every keyboard, mouse and touchpad */
        INPUT_LINK, /* /dev/input/by-id/… or /dev/input/by-path/… */
        INPUT_NAME, /* what it calls itself */
} InputWay;

typedef struct InputSpec {
        InputWay way;
        char *text; /* NULL: INPUT_AUTO */
} InputSpec;

void input_spec_done(InputSpec *spec);

/* “auto”, a link, or a name. Returns 0; -EINVAL: it is none, or a node such as /dev/input/event3, whose number is another one after
 * the next boot; -ERANGE: too long; -ENOMEM. */
int input_spec_parse(const char *s, InputSpec *ret);

/* As input_spec_parse() takes it. Borrowed. */
const char *input_spec_print(const InputSpec *spec);

bool input_spec_equal(const InputSpec *a, const InputSpec *b);

/* Which keys take keyboard and mouse from the guest to the host and back, by the names that QEMU has for them (GrabToggleKeys in
 * qapi/common.json). */
typedef enum InputToggle {
        INPUT_CTRL_CTRL,
        INPUT_ALT_ALT,
        INPUT_SHIFT_SHIFT,
        INPUT_META_META,
        INPUT_SCROLLLOCK,
        INPUT_CTRL_SCROLLLOCK,
} InputToggle;

/* Returns 0 or -EINVAL. */
int input_toggle_parse(const char *s, InputToggle *ret);
const char *input_toggle_name(InputToggle toggle);
