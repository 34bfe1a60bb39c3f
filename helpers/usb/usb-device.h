/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The USB devices that a machine has. Only reads, below a root: so that a captured tree of another machine shows the
 * same as the machine did, which libudev could not. */

#include "usb-plug.h"
#include "usb-spec.h"

typedef struct UsbDevice {
        char *name;  /* “1-4.2”, or “usb1” for a root hub */
        char *path;  /* its directory below /sys: “devices/pci0000:00/…/usb1/1-4/1-4.2” */
        char *title; /* what it calls itself, fit to be shown: “Logitech USB Receiver”; may be empty */
        uint16_t vendor, product;
        UsbAddress address;
        bool hub;
        bool authorized; /* the host may use it, see Documentation/usb/authorization.rst of the kernel */
} UsbDevice;

typedef struct UsbDevices {
        UsbDevice *items; /* root hubs first, then by ports */
        size_t n;
} UsbDevices;

/* One that vanishes meanwhile, or has not all attributes yet, is left out. Returns 0 or -errno. */
int usb_devices_read(int root, UsbDevices *ret);
void usb_devices_done(UsbDevices *l);

bool usb_device_fits(const UsbDevice *d, const UsbSpec *spec);

/* The device with that address; NULL: there is none. */
const UsbDevice *usb_devices_find(const UsbDevices *l, UsbAddress address);

/* “1-4.2 (046d:c52b Logitech USB Receiver)”. Returns NULL when out of memory. */
char *usb_device_describe(const UsbDevice *d);

/* Which device each of wants gets, as an index into devices, or -1: those named by port first, as they fit nothing
 * else; then in the order of wants, each the first that is left. usable: of each device, whether it can be had. */
void usb_assign(const UsbSpec *wants, size_t n_wants, const UsbDevices *devices, const bool *usable, int *ret);
