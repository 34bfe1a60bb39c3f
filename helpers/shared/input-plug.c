/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of the files in /run/vxm/evdev. */

#include "input-plug.h"
#include "parse.h"

static const char *const names[] = {
        [INPUT_POINTER] = "pointer",
        [INPUT_KEYS] = "keys",
        [INPUT_KEYBOARD] = "keyboard",
};

const char *input_entry_print(InputKind kind, unsigned number, char buffer[static INPUT_ENTRY_SIZE]) {
        (void) snprintf(buffer, INPUT_ENTRY_SIZE, "%s-%u", names[kind], number % (INPUT_NUMBER_MAX + 1));
        return buffer;
}

/* Just as it is printed: no zeros in front. */
static int parse_digits(const char *s, unsigned *ret) {
        uint64_t number;

        if ((s[0] == '0' && s[1] != '\0') || parse_number(s, 0, INPUT_NUMBER_MAX, &number) < 0)
                return -EINVAL;
        *ret = (unsigned) number;
        return 0;
}

int input_entry_parse(const char *s, InputKind *ret_kind, unsigned *ret_number) {
        for (InputKind kind = INPUT_POINTER; kind <= INPUT_KEYBOARD; kind++) {
                const char *rest = startswith(s, names[kind]);

                if (!rest || *rest != '-' || parse_digits(rest + 1, ret_number) < 0)
                        continue;
                *ret_kind = kind;
                return 0;
        }
        return -EINVAL;
}

const char *input_node_print(unsigned number, char buffer[static INPUT_NODE_SIZE]) {
        (void) snprintf(buffer, INPUT_NODE_SIZE, "event%u", number % (INPUT_NUMBER_MAX + 1));
        return buffer;
}

int input_node_parse(const char *s, unsigned *ret) {
        const char *digits = startswith(s, "event");

        return digits ? parse_digits(digits, ret) : -EINVAL;
}
