/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What people call a PCI function, by udev's database or libpci's list of ids. */

#include "pci.h"

/* “Advanced Micro Devices, Inc. [AMD/ATI] Navi 21”, or “Vendor 1234 Device 1111” where the list lacks it; never NULL but
 * when out of memory. */
char *pci_function_title(const PciFunction *f);

/* The same without the vendor: “Navi 21”. */
char *pci_function_model(const PciFunction *f);

/* Whose names these are: for this machine udev's, for another one below root those of its list, or of this machine's if it has
 * none. Before the first name. root has to stay open. */
void pci_names_from(int root);
