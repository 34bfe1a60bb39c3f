/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* UEFI firmware for guests, found by the descriptors that firmware packages install for QEMU
 * (docs/interop/firmware.json in QEMU's source), and without one that fits by the usual names of its files. */

#include "util.h"

typedef struct Firmware {
        char *code;         /* the executable image, shared and read-only */
        char *vars;         /* the template of the guest's own variable store (NVRAM) */
        char *format;       /* of both: raw or qcow2 */
        bool secure_boot;   /* has Secure Boot, and System Management Mode to keep its variables from the guest */
        bool enrolled_keys; /* vars has keys already, so that Secure Boot is on */
        bool s3;            /* can resume from suspend to RAM */
} Firmware;

/* What a guest wants of it. */
typedef struct FirmwareWish {
        const char *machine; /* such as "pc-q35-10.0" or "q35" */
        bool secure_boot, enrolled_keys;
} FirmwareWish;

/* Chooses the first descriptor, in the order the specification gives, that is a UEFI for x86_64 and the machine with
 * separate flash for code and variables, and has what is wished and nothing else that matters; else the first usual
 * pair of files that is there. Returns 0; -ENOENT: there is none; -errno. A descriptor that cannot be used is passed
 * over, and logged at debug priority. */
int firmware_find(int root, const FirmwareWish *wish, Firmware *ret);

/* Judges one descriptor's text. Returns 1 and *ret when it fits, 0 when it does not, -EINVAL when it is none. */
int firmware_parse(const char *text, size_t size, const FirmwareWish *wish, Firmware *ret);

/* Makes *ret a copy with these files and nothing said of them yet. Returns 0 or -ENOMEM. */
int firmware_set(Firmware *ret, const char *code, const char *vars, const char *format);

/* “qcow2” or “raw”, by the end of a file's name: firmware files of the host are no guest's to write, their names are
 * believed. */
const char *firmware_format(const char *path);

void firmware_done(Firmware *f);
