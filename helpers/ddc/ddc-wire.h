/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Speaks to monitors by the kernel's i2c-dev (Documentation/i2c/dev-interface.rst), one short exchange a call, without tries: for what
 * libddcutil cannot say, or would need seconds for. */

#include "ddc-packet.h"

/* Opens /dev/i2c-N. Returns the descriptor or -errno. */
int ddc_wire_open(int root, int bus);

/* Whether somebody listens to DDC/CI. Returns 0, -EAGAIN: nobody; -errno. */
int ddc_wire_answers(int fd);

/* The first block of the EDID. Returns 0, -EAGAIN: nobody has one there; -errno. */
int ddc_wire_edid(int fd, uint8_t *ret, size_t size);

/* As in DdcLink. */
int ddc_wire_get(int fd, uint8_t source, uint8_t feature, uint8_t *ret);
int ddc_wire_set(int fd, uint8_t source, uint8_t feature, uint8_t value);
