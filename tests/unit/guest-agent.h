/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Guest agents for tests: the real qemu-ga, which then runs commands on this machine, or one that lies. */

#include <sys/types.h>

#include "fixture.h"

/* The sockets that a guest called name would have are below the fixture's directory, which is "sockets" for those who look for guests. */
typedef struct GuestAgent {
        Fixture *f;
        char *directory; /* the guest's */
        pid_t pid;
} GuestAgent;

/* Starts qemu-ga. Skips the test where there is none. */
void guest_agent_start(Fixture *f, const char *name, GuestAgent *ret);

/* Starts hostile-agent.py, which does what its scenario of that name says. */
void guest_agent_start_hostile(Fixture *f, const char *name, const char *scenario, GuestAgent *ret);

void guest_agent_stop(GuestAgent *a);
