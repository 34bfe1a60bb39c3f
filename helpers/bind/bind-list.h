/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the machine has to give: `vxm-bind --list` and `--tree`. Looks only. */

#include "util.h"

/* Prints all GPUs, each with what a guest would get of it and what stands against that. Returns 0 or -errno, logged. */
int bind_list(int root, bool json, FILE *f);

/* Prints all IOMMU groups with their members, and what the host would lose with each. Returns 0 or -errno, logged. */
int bind_tree(int root, bool json, FILE *f);
