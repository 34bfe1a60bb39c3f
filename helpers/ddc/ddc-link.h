/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How monitors are spoken to: by libddcutil, or, where it cannot say it, by our own packets. ddc-run.c knows no other way, and
 * tests give it monitors of their own. */

#include "monitors.h"

typedef struct DdcLink DdcLink;
struct DdcLink {
        void *userdata;

        /* The bus of a monitor whose driver does not tell it, found by its EDID. Returns it; -EAGAIN: nobody there answers so;
         * -ENXIO: there is no bus; or an error as below. */
        int (*find)(const DdcLink *link, const Monitor *m);

        /* Whether a bus still leads to a monitor, as far as can be told. Returns 0, or -ENODEV: another one answers there. */
        int (*check)(const DdcLink *link, int bus, const char *identity);

        /* Whether somebody listens to DDC/CI there, and source can be spoken as. Returns 0; -EAGAIN: nobody, now; -ENOENT: the bus has no
         * node; -EACCES: it may not be opened; -ENOPKG: there is no libddcutil; -errno. */
        int (*answers)(const DdcLink *link, int bus, uint8_t source);

        /* Read, set a feature, as source. They return 0; -EOPNOTSUPP: the monitor says it has no such feature; -EPROTO: its answers are
         * garbled; -EAGAIN, -EIO, -errno: it did not work, and may later. */
        int (*get)(const DdcLink *link, int bus, uint8_t source, uint8_t feature, uint8_t *ret);
        int (*set)(const DdcLink *link, int bus, uint8_t source, uint8_t feature, uint8_t value);
        int (*capabilities)(const DdcLink *link, int bus, char **ret);

        uint64_t (*now)(const DdcLink *link);
        void (*wait)(const DdcLink *link, uint64_t usec);
};

/* The one for this machine, root being its own; userdata is to be the root handle's address. */
DdcLink ddc_link(int *root);
