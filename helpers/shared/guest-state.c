/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of a guest as a table. */

#include "guest-state.h"

#define RESET "vxm reset-hard %s starts it anew"

/* Which of them cannot go on: runstate_needs_reset() in QEMU's system/runstate.c. */
static const GuestState states[] = {
        { .name = "running", .text = "running" },
        { .name = "paused", .text = "paused", .next = "vxm resume %s lets it go on" },
        { .name = "suspended", .text = "asleep", .next = "vxm resume %s wakes it" },
        { .name = "shutdown", .text = "off" },
        { .name = "save-vm", .text = "being saved" },
        { .name = "restore-vm", .text = "being restored" },
        { .name = "prelaunch", .text = "about to run" },
        { .name = "io-error", .text = "stopped by a disk's error", .next = "vxm resume %s lets it try again", .ill = true },
        { .name = "watchdog", .text = "stopped by its watchdog", .next = RESET, .ill = true },
        { .name = "guest-panicked", .text = "panicked", .next = RESET, .ill = true, .lost = true },
        { .name = "internal-error", .text = "stopped by an error of QEMU or KVM", .next = RESET, .ill = true, .lost = true },
};

const GuestState *guest_state_find(const char *name) {
        static const GuestState unknown = { .name = "unknown", .text = "in an unknown state" };

        for (size_t i = 0; name && i < ELEMENTSOF(states); i++)
                if (streq(states[i].name, name))
                        return &states[i];
        return &unknown;
}

const GuestState *guest_state_of(const json_t *status) {
        return guest_state_find(json_get_string(status, "status"));
}
