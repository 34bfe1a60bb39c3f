/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Base64 with padding (RFC 4648, section 4), as the QEMU guest agent has it. */

#include "util.h"

/* Returns 0 or -ENOMEM; *ret is NUL-terminated, to be freed. */
int base64_encode(const void *data, size_t size, char **ret);

/* Takes only what base64_encode() can have written: no white space, no line ends, nothing behind the padding, unused bits
 * zero. Returns 0; -EINVAL; -EFBIG: more than max bytes; -ENOMEM. *ret is NUL-terminated behind its *ret_size bytes. */
int base64_decode(const char *text, size_t length, size_t max, char **ret, size_t *ret_size);
