/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Option ROMs: what RomFile= of a guest file may hold. */

#include "guest.h"

/* Checks a PCI option ROM (PCI Firmware Specification 3.3, 5; UEFI Specification, 14.4.2): the signatures, that it is made
 * for a device with these ids, and, for a guest with UEFI, that it has an image for that. data is the whole file. Returns 0,
 * or -EBADMSG and in *ret_reason why not, as the end of a sentence about the file; -ENOMEM. */
int rom_check(const uint8_t *data, size_t size, uint16_t vendor, uint16_t device, bool want_efi, char **ret_reason);

/* Reads and checks path, which the guest file names, for f. Returns 0; -E_CONFIG; -errno. Logged. */
int rom_file_check(int root, const Guest *g, const PciFunction *f, const char *path);
