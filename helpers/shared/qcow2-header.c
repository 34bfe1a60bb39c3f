/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the header of a qcow2 image (QEMU: docs/interop/qcow2.rst). */

#include <endian.h>

#include "qcow2-header.h"

/* Where things are in it, all of them big-endian. */
enum {
        OFFSET_VERSION = 4,
        OFFSET_BACKING = 8, /* of the backing file's name; 0: there is none */
        OFFSET_SIZE = 24,
        OFFSET_INCOMPATIBLE = 72,
        SIZE_2 = 72, /* of version 2 */
        DATA_FILE = 1 << 2,
};

static uint32_t number32(const uint8_t *data) {
        uint32_t value;

        memcpy(&value, data, sizeof value);
        return be32toh(value);
}

static uint64_t number64(const uint8_t *data) {
        uint64_t value;

        memcpy(&value, data, sizeof value);
        return be64toh(value);
}

Qcow2Kind qcow2_header_kind(const uint8_t *data, size_t size) {
        uint32_t version;

        if (size < SIZE_2 || memcmp(data, "QFI\xfb", 4) != 0)
                return QCOW2_NONE;
        version = number32(data + OFFSET_VERSION);
        if (version != 2 && !(version == 3 && size >= QCOW2_HEADER_SIZE))
                return QCOW2_NONE;
        if (number64(data + OFFSET_BACKING) != 0)
                return QCOW2_BACKED;
        return version == 3 && (number64(data + OFFSET_INCOMPATIBLE) & DATA_FILE) ? QCOW2_DATA_ELSEWHERE : QCOW2_ALONE;
}

uint64_t qcow2_header_disk_size(const uint8_t *data) {
        return number64(data + OFFSET_SIZE);
}
