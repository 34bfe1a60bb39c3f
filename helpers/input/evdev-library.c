/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libevdev. */

#include "evdev-library.h"
#include "library.h"
#include "util.h"

const EvdevLibrary *evdev_library(void) {
        static EvdevLibrary evdev;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(evdev.new, libevdev_new),
                LIBRARY_FUNCTION(evdev.free, libevdev_free),
                LIBRARY_FUNCTION(evdev.enable_event_code, libevdev_enable_event_code),
                LIBRARY_FUNCTION(evdev.enable_property, libevdev_enable_property),
                LIBRARY_FUNCTION(evdev.has_event_code, libevdev_has_event_code),
                LIBRARY_FUNCTION(evdev.has_event_type, libevdev_has_event_type),
                LIBRARY_FUNCTION(evdev.has_property, libevdev_has_property),
                LIBRARY_FUNCTION(evdev.event_type_get_max, libevdev_event_type_get_max),
                {},
        };

        return library_load("libevdev.so.2", functions) < 0 ? NULL : &evdev;
}

void evdev_freep(struct libevdev **dev) {
        if (*dev)
                evdev_library()->free(*dev);
}
