/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* udev looks at each device that comes, and has its nodes open meanwhile: for moments, but right after a guest has given its
 * GPU back. */

#include <stdint.h>

/* Waits until udev has nothing left to do, as udevadm settle does, or usec microseconds have passed.
 * Returns 0: it has nothing to do; -ETIME: it has; -ENOPKG: this machine has no libudev; other -errno. */
int udev_settle(uint64_t usec);
