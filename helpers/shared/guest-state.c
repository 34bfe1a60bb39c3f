/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of a guest as a table. */

#include "guest-state.h"

static const GuestState states[] = {
        { "running", "running", NULL, false },
        { "paused", "paused", "vxm-qemu --resume %s lets it go on", false },
        { "suspended", "asleep", "vxm-qemu --resume %s wakes it", false },
        { "shutdown", "off", NULL, false },
        { "save-vm", "being saved", NULL, false },
        { "restore-vm", "being restored", NULL, false },
        { "prelaunch", "about to run", NULL, false },
        { "io-error", "stopped by a disk's error", "vxm-qemu --resume %s lets it try again", true },
        { "guest-panicked", "panicked", "vxm-qemu --reset %s starts it anew", true },
        { "watchdog", "stopped by its watchdog", "vxm-qemu --reset %s starts it anew", true },
        { "internal-error", "stopped by an error of QEMU or KVM", "vxm-qemu --reset %s starts it anew", true },
};

const GuestState *guest_state_find(const char *name) {
        static const GuestState unknown = { "unknown", "in an unknown state", NULL, false };

        for (size_t i = 0; name && i < ELEMENTSOF(states); i++)
                if (streq(states[i].name, name))
                        return &states[i];
        return &unknown;
}

const GuestState *guest_state_of(const json_t *status) {
        return guest_state_find(json_get_string(status, "status"));
}
