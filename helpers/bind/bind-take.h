/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Gives devices to vfio-pci, and gives them back. */

#include <sys/types.h>

#include "guest.h"

typedef struct BindJob {
        int root;
        const char *guest; /* whose undo record it is */
        uint64_t deadline; /* µs that one write to a driver may take */
        bool dry_run;      /* print the steps, and do none of them */
} BindJob;

/* Judges what g asks for, notes how all is, and takes it for uid. Returns 0; -E_CONFIG, -E_LACKS, -E_BUSY or -errno, logged; bind_give_back()
 * undoes what has been done until then. */
int bind_take(const BindJob *job, const Guest *g, uid_t uid);

/* Gives back what the undo record says; without one there is nothing to do. Returns as bind_take(). */
int bind_give_back(const BindJob *job);
