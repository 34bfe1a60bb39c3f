/* SPDX-License-Identifier: BSD-3-Clause */
/* Which kernel modules could take a PCI function from vfio-pci. */

#pragma once

#include "pci.h"

/* The modules of host drivers that match any of the functions, by their modalias in all kernels installed below root, and
 * the modules of the drivers they have now; sorted, each once, none of vfio. A kernel whose list of modules cannot be
 * read is passed over. Returns 0 or -errno; strings_free() frees *ret. */
int static_modules_find(int root, const PciFunctions *functions, char ***ret, size_t *ret_n);
