/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Names of input devices in a guest's directory in /run/vxm/evdev, see door.h: “keyboard-12”, what it is and the number of its node,
 * /dev/input/event12. A device that comes back has another node, if not another number, so it is another one to both sides. */

#include "util.h"

#define INPUT_NODES "dev/input"

enum {
        INPUT_NUMBER_MAX = 4095,
        INPUT_ENTRY_SIZE = 24, /* “keyboard-4095” */
        INPUT_NODE_SIZE = 24,  /* “event4095” */
};

/* From the one whose keys should be those that take all devices along, to what has no such keys. */
typedef enum InputKind {
        INPUT_NONE,     /* nothing that a guest could use */
        INPUT_POINTER,  /* mouse, touchpad, trackball */
        INPUT_KEYS,     /* some keys: volume, media, macros */
        INPUT_KEYBOARD, /* letters */
} InputKind;

/* Of INPUT_POINTER and higher. Returns buffer. */
const char *input_entry_print(InputKind kind, unsigned number, char buffer[static INPUT_ENTRY_SIZE]);

/* Reads what is printed so. Returns 0 or -EINVAL. */
int input_entry_parse(const char *s, InputKind *ret_kind, unsigned *ret_number);

/* “event12”: both ways. Return buffer; 0 or -EINVAL. */
const char *input_node_print(unsigned number, char buffer[static INPUT_NODE_SIZE]);
int input_node_parse(const char *s, unsigned *ret);
