/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The nodes in /dev that lead into the drivers of PCI functions. */

#include <sys/types.h>

#include "pci.h"

typedef struct DeviceNode {
        char *path;   /* “/dev/dri/card1” */
        dev_t number; /* 0: not known */
        bool block;
} DeviceNode;

typedef struct DeviceNodes {
        DeviceNode *items; /* each once */
        size_t n;
} DeviceNodes;

/* Collects them: what uevent files below the functions' directories name, /dev/nvidiaN and, if no other GPU needs them,
 * NVIDIA's shared nodes, and the node of the VFIO group. Returns 0 or -errno; -ELOOP when a tree is too deep. */
int device_nodes_find(int root, const PciFunction functions[], size_t n_functions, DeviceNodes *ret);

void device_nodes_done(DeviceNodes *l);
