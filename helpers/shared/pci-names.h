/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What people call a PCI function, by libpci and its list of ids. Apart from pci.h, so that only helpers that print names
 * link libpci. */

#include "pci.h"

/* “Advanced Micro Devices, Inc. [AMD/ATI] Navi 21”, or “Vendor 1234 Device 1111” where the list lacks it; never NULL but
 * when out of memory. */
char *pci_function_title(const PciFunction *f);

/* The same without the vendor: “Navi 21”. */
char *pci_function_model(const PciFunction *f);

/* Takes names from the list of the machine below root, if it has one, and not from this machine's. Before the first name. */
void pci_names_from(int root);
