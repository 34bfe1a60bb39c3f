/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A bus of the test's own, by a real dbus-daemon, with a systemd of the test's own on it: a child that owns its name,
 * answers from a table of units in shared memory, and plays what would happen as a list of lines. */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

enum {
        FAKE_UNITS_MAX = 1024,
        FAKE_CALLS_MAX = 4096,
        FAKE_NAME_SIZE = 96,
};

typedef struct FakeUnit {
        char name[FAKE_NAME_SIZE], active[16], sub[16], job[16];
} FakeUnit;

/* What happens after a call, once: a line each, in order.
 *
 *     UNIT ACTIVE SUB      the unit changes, which is told by PropertiesChanged
 *     job UNIT RESULT      the job that the last StartUnit, StopUnit or RestartUnit has made ends, by JobRemoved
 *     refuse NAME TEXT     that call gets this error instead of an answer */
typedef struct FakePlay {
        const char *call; /* the method, as “StartUnit” */
        const char *lines;
} FakePlay;

typedef struct FakeSystemd {
        FakeUnit units[FAKE_UNITS_MAX];
        size_t n_units;
        bool needs_reload, not_generated, condition_fails;
        char status[64];
        int exit_status, pre_exit_status;
        char calls[FAKE_CALLS_MAX]; /* methods, each followed by a blank */
} FakeSystemd;

typedef struct PrivateBus {
        char address[256];
        pid_t daemon, child;
        FakeSystemd *systemd; /* shared with the child */
} PrivateBus;

/* Starts both, and has DBUS_SYSTEM_BUS_ADDRESS point there. plays ends with a row without a call. Returns 0; 1: this
 * machine has no dbus-daemon; -1. */
int private_bus_start(PrivateBus *b, const char *directory, const FakePlay *plays, void (*prepare)(FakeSystemd *systemd));
void private_bus_stop(PrivateBus *b);

/* For prepare: one more unit. */
void fake_unit(FakeSystemd *systemd, const char *name, const char *active, const char *sub);
