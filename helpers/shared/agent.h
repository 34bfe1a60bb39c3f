/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The part of the QEMU guest agent's protocol (docs/interop/qemu-ga-ref) that asking a guest to power off needs. What
 * comes back was written by the guest: bounded, checked, and worth one bit: did it answer. */

#include "lines.h"
#include "util.h"

typedef struct Agent {
        int fd;
        unsigned sync_id;
        LineBuffer lines;
} Agent;

/* Connects to the agent's socket (an absolute path) and sends guest-sync-delimited: id must come back if somebody is
 * there. Never blocks. Returns 0 or -errno; -EAGAIN or -ECONNREFUSED: somebody else talks to the agent. */
int agent_connect(const char *path, unsigned id, Agent *ret);

/* Reads once, when fd is readable. Returns 1 when the sync has been answered, 0: not yet; -ECONNRESET, -EPROTO, -errno: forget it. */
int agent_process(Agent *agent);

/* Takes in bytes as if read; for tests and fuzzing. Returns as agent_process(). */
int agent_feed(Agent *agent, const void *data, size_t size);

/* Asks the guest to power off. It will not answer. Returns 0 or -errno. */
int agent_shutdown(Agent *agent);

/* Asks the guest to reboot, in the same way. */
int agent_reboot(Agent *agent);

void agent_done(Agent *agent);
