/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libevdev is used, see library.h. */

#include <libevdev/libevdev.h>

typedef struct EvdevLibrary {
        __typeof__(libevdev_new) *new;
        __typeof__(libevdev_free) *free;
        __typeof__(libevdev_enable_event_code) *enable_event_code;
        __typeof__(libevdev_enable_property) *enable_property;
        __typeof__(libevdev_has_event_code) *has_event_code;
        __typeof__(libevdev_has_event_type) *has_event_type;
        __typeof__(libevdev_has_property) *has_property;
        __typeof__(libevdev_event_type_get_max) *event_type_get_max;
} EvdevLibrary;

/* Returns NULL where there is none. */
const EvdevLibrary *evdev_library(void);

void evdev_freep(struct libevdev **dev);
