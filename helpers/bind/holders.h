/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Who has a function's devices open right now. A driver whose device is open may wait in its remove() for ever, and the
 * write that made it leave with it; so this is looked at before anything is written. */

#include "device-nodes.h"

typedef struct Holder {
        pid_t pid;
        char *command;   /* as the kernel has it: at most 15 bytes */
        char *unit;      /* of the system's manager, NULL: none */
        char *user_unit; /* of the user's manager, NULL: none */
        char *session;   /* logind's id, NULL: none */
        char *node;      /* “/dev/dri/card1” */
        bool yields;     /* lets go by itself when the device goes: a sound server with nothing but a control node open; logind */
} Holder;

typedef struct Holders {
        Holder *items; /* sorted by pid, then node */
        size_t n;
        size_t n_unseen; /* processes that we may not look into: 0 for root with CAP_SYS_PTRACE in the host's /proc */
} Holders;

/* Finds the processes but ourselves that have a node of these functions open: the nodes of all devices below their
 * directories, NVIDIA's own, and VFIO's. Nodes that serve all NVIDIA GPUs count when all of these are among the functions.
 * Returns 0 or -errno. */
int holders_find(int root, const PciFunction functions[], size_t n_functions, Holders *ret);

/* The same of nodes that are known: to look for the holders of several devices with one look into /proc, or again. */
int holders_of_nodes(int root, const DeviceNodes *nodes, Holders *ret);

/* “kwin_wayland (pid 812, session 2, unit plasma-kwin_wayland.service) has /dev/dri/card1 open” */
int holder_describe(const Holder *h, char **ret);

void holders_done(Holders *l);
