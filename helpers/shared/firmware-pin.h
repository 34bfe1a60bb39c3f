/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which firmware a guest has been set up with: the file firmware/pinned in its state directory, beside its NVRAM. Its
 * variables are of that firmware, so neither an update of descriptors nor a change of the guest file may put another
 * one under them. */

#include "firmware.h"

typedef enum FirmwarePin {
        FIRMWARE_NOT_SET_UP, /* there is no NVRAM */
        FIRMWARE_UNKNOWN,    /* there is one, of before firmware was pinned: of a firmware without Secure Boot */
        FIRMWARE_PINNED,
} FirmwarePin;

/* Reads the pin of a guest below root. It lies where the guest's user can write: nothing in there is followed, waited
 * for or believed. Returns 0 and *ret_firmware when it is FIRMWARE_PINNED; -EBADMSG: the pin is damaged; -errno. */
int firmware_pin_read(int root, const char *guest, FirmwarePin *ret, Firmware *ret_firmware);

/* The text of a pin, and back. firmware_pin_parse() changes text, and returns 0, -EBADMSG or -ENOMEM. */
int firmware_pin_print(const Firmware *f, char **ret);
int firmware_pin_parse(char *text, size_t size, Firmware *ret);
