/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The header of a qcow2 image, as far as it makes QEMU open other files. */

#include "util.h"

enum {
        QCOW2_HEADER_SIZE = 104, /* of version 3, without extensions */
};

typedef enum Qcow2Kind {
        QCOW2_NONE, /* no qcow2 image, or of a version that QEMU does not know */
        QCOW2_ALONE,
        QCOW2_BACKED,
        QCOW2_DATA_ELSEWHERE,
} Qcow2Kind;

/* data is the first size bytes of the image. Pure. */
Qcow2Kind qcow2_header_kind(const uint8_t *data, size_t size);

/* How large the disk in it is, in bytes; of an image that qcow2_header_kind() knows. Pure. */
uint64_t qcow2_header_disk_size(const uint8_t *data);
