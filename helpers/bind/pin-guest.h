/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <stdbool.h>

/* Notes in /etc/vxm/guests/GUEST.guest.d/90-recorded.conf which cards the guest's devices are now; from then on others are
 * refused. Replaces what was recorded before. With dry_run, prints the file. Returns 0, -E_CONFIG or -errno, logged. */
int pin_guest(int root, const char *guest, bool dry_run);
