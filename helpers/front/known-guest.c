/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks for a guest by its name. */

#include "exit-status.h"
#include "guest-files.h"
#include "guest.h"
#include "known-guest.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "root.h"
#include "suggest.h"

static int unknown(int root, const char *name) {
        Suggestion nearest = {};
        char **names = NULL;
        size_t n = 0;
        int r = guest_files_list(root, &names, &n);

        for (size_t i = 0; r >= 0 && i < n; i++)
                suggest(name, names[i], &nearest);
        if (nearest.word)
                r = log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "There is no guest “%s”; did you mean “%s”?", name,
                        nearest.word);
        else
                r = log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        "There is no guest “%s”; `vxm list` shows those there are, and `vxm init %s` makes one.", name,
                        name);
        strings_free(names, n);
        return r;
}

int known_guest_name(const char *name) {
        if (guest_name_is_valid(name))
                return 0;
        return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                "“%s” is no name for a guest; it has small letters, digits and “-”, and begins with a letter.", name);
}

int known_guest(const char *name) {
        _cleanup_(closep) int root = root_open("/");
        _cleanup_(guest_files_done) GuestFiles files = {};
        int r = known_guest_name(name);

        if (r < 0)
                return r;
        if (root < 0)
                return log_error_errno(root, "Cannot open /: %s.", strerror(-root));
        if (guest_files_find(root, GUEST_FILES, name, &files) >= 0)
                return 0;
        return guest_runs(root, name) ? 0 : unknown(root, name);
}
