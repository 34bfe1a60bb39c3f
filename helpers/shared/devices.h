/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which PCI functions a guest gets, and whether it may have them: what its file names, with all functions of their slots. */

#include "guest.h"

/* Looks the guest's devices up below root and judges each; what may not be given is refused with the reason and the next
 * step. *ret is in the order of the guest file, functions of a slot together and ascending. Returns 0; -E_CONFIG: the
 * guest file asks for what it cannot have; -E_LACKS: the IOMMU is off, or does not part a device from others; -errno. */
int guest_devices_find(int root, const Guest *g, PciFunctions *ret);
