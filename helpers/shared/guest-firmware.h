/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A guest's firmware: the one it has been set up with, else what its guest file asks for. */

#include "firmware.h"
#include "guest.h"

/* Finds it below root; nothing for [Firmware] Type=bios. What is wrong is logged, with the next step: a guest file that
 * asks for another firmware than the guest was set up with; one that has vanished; none that fits. Looks only. Returns
 * 0, -E_CONFIG, -E_LACKS or -errno. */
int guest_firmware_find(int root, const Guest *g, Firmware *ret);

/* Sets the guest up where it has no variable store yet: notes the firmware, then copies its template to nvram. Returns
 * 0 or -errno, logged. */
int guest_firmware_prepare(int root, const Firmware *f, const char *nvram);
