/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The input devices that a machine has, and what each is good for. Only reads, below a root: so that a captured tree of another
 * machine shows the same as the machine did. */

#include <sys/types.h>

#include "input-plug.h"
#include "input-spec.h"

typedef struct InputDevice {
        unsigned number; /* of its node, /dev/input/event12 */
        dev_t device;    /* the node's */
        InputKind kind;  /* what it could be to a guest */
        bool offered;    /* one that works a desktop, and no virtual one: what Devices=auto takes */
        char *name;      /* what it calls itself, fit to be shown */
        char *title;     /* the same, as it is */
        char *body;      /* what the parts of one thing have in common: “usb-0000:00:14.0-1”; empty: not known */
        char **links;    /* “/dev/input/by-id/…”, of udev */
        size_t n_links;
} InputDevice;

typedef struct InputDevices {
        InputDevice *items; /* by number */
        size_t n;
} InputDevices;

/* Returns 0; -E_LACKS after a message: there is no libevdev; -errno. What is just coming or going is left out. */
int input_devices_read(int root, InputDevices *ret);
void input_devices_done(InputDevices *l);

/* NULL: there is none. */
const InputDevice *input_devices_find(const InputDevices *l, unsigned number);

/* Whether a device is meant. */
bool input_device_fits(const InputDevices *l, const InputDevice *d, const InputSpec *spec);

/* Whether it is meant only if the guest has what it is a part of, too: with auto, the keys that a keyboard or mouse has besides. */
bool input_device_is_extra(const InputDevice *d, const InputSpec *spec);

/* Whether both are parts of one thing, such as a keyboard and its keys for the volume. */
bool input_devices_are_one(const InputDevice *a, const InputDevice *b);
