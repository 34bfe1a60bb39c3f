/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning of each helper that runs once. */

#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "root.h"

int one_shot_run(const char *path, const char *guest, int (*act)(int root)) {
        _cleanup_(closep) int root = root_open(path);

        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", path, strerror(-root));
        if (!guest_name_is_valid(guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", guest);
        return act(root);
}
