/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A manager of the test's own: a child at the other end of a socket pair, whose answers lie in shared memory. */

#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct FakeBus {
        void *memory; /* size bytes, of parent and child, zero at first */
        size_t size;
        pid_t child;
} FakeBus;

/* Makes the memory. Returns 0 or -1. */
int fake_bus_make(FakeBus *b, size_t size);

/* Starts the child, which has on_call answer with the memory as its userdata, and connects to it. Returns 0 or -1. */
int fake_bus_start(FakeBus *b, sd_bus_message_handler_t on_call, sd_bus **ret);

/* When the connection is closed: waits for the child's end. */
void fake_bus_done(FakeBus *b);
