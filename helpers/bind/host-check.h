/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of the machine is asked for any guest with devices. All look only, and return 0 and what is so in *ret_text, or the error that a
 * start would end with, logged with the next step. */

#include "findings.h"

/* Whether it was booted with vxm=off. -ENODATA: that cannot be told. */
int host_check_argument(int root, char **ret_text);

/* Whether there are IOMMU groups; -E_LACKS. */
int host_check_iommu(int root, char **ret_text);

/* Whether vfio-pci is loaded or can be; -E_LACKS. */
int host_check_module(int root, bool is_this_machine, FindingVerdict *verdict, char **ret_text);
