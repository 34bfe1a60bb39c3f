/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* All there is to say of the machine's GPUs to somebody who would give one to a guest. No guest file is needed for it. */

#include "devices.h"
#include "display.h"
#include "holders.h"
#include "host-use.h"
#include "pci-details.h"

typedef struct GpuReport {
        PciFunction gpu;
        char *title;
        PciDetails details;
        HostConsole console;   /* of all functions of its slot */
        GuestFunctions guest;  /* what a guest would get, see guest_devices_of_gpu() */
        char *loss;            /* what the host would lose with that; NULL: nothing */
        DeviceNodes nodes;     /* of those functions … */
        Holders holders;       /* … and who has them open */
        bool boots;            /* the machine boots on it */
        bool needs_single_gpu; /* the host would go dark without it */
        bool held;             /* somebody would have to let go first */
        bool passable;         /* a guest file may name it, as things are or once it has been let go */
        char *verdict;         /* in words */
} GpuReport;

typedef struct GpuReports {
        GpuReport *items; /* sorted by address */
        size_t n;
        size_t n_unseen; /* processes that we may not look into */
} GpuReports;

/* Reads details of GPUs and their groups only. Returns 0, or -errno that has been logged. */
int gpu_reports_read(int root, GpuReports *ret);

void gpu_reports_done(GpuReports *l);
