/* SPDX-License-Identifier: BSD-3-Clause */
/* A front of posix_spawn(3). */

#include <spawn.h>

#include "masked-spawn.h"

int spawn_with_mask(const char *program, char *const argv[], char *const environment[], const sigset_t *mask, pid_t *ret) {
        posix_spawnattr_t attributes;
        int r;

        r = posix_spawnattr_init(&attributes);
        if (r > 0)
                return -r;
        r = posix_spawnattr_setsigmask(&attributes, mask);
        r = r > 0 ? r : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = r > 0 ? r : posix_spawnp(ret, program, NULL, &attributes, argv, environment);
        (void) posix_spawnattr_destroy(&attributes);
        return -r;
}
