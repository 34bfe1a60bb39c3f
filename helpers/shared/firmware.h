/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* UEFI firmware for guests, found by the descriptors that firmware packages install for QEMU (docs/interop/firmware.json
 * in QEMU's source). */

#include "util.h"

typedef struct Firmware {
        char *code;     /* the executable image, shared and read-only */
        char *vars;     /* the template of the guest's own variable store (NVRAM) */
        char *format;   /* of both: raw or qcow2 */
} Firmware;

/* Chooses the first descriptor, in the order the specification gives, that is a UEFI for x86_64 and machine (such as
 * "pc-q35-10.0" or "q35") with separate flash for code and variables, and asks for neither SMM nor encryption. Returns 0;
 * -ENOENT: there is none; -errno. A descriptor that cannot be used is passed over, and logged at debug priority. */
int firmware_find(int root, const char *machine, Firmware *ret);

/* Judges one descriptor's text. Returns 1 and *ret when it fits, 0 when it does not, -EINVAL when it is none. */
int firmware_parse(const char *text, size_t size, const char *machine, Firmware *ret);

void firmware_done(Firmware *f);
