/* SPDX-License-Identifier: BSD-3-Clause */
/* Which function does what a verb says. */

#include "exit-status.h"
#include "guest-socket.h"
#include "life.h"
#include "log.h"
#include "messages.h"
#include "parse.h"

static int act(LifeSession *s, LifeVerb verb, const char *argument, bool json) {
        switch (verb) {
        case LIFE_PAUSE:
                return life_pause(s);
        case LIFE_RESUME:
                return life_resume(s);
        case LIFE_REBOOT:
                return life_reboot(s);
        case LIFE_RESET:
                return life_reset(s);
        case LIFE_SNAPSHOTS:
                return life_snapshots(s, json);
        case LIFE_SNAPSHOT_SAVE:
                return life_snapshot_save(s, argument);
        case LIFE_SNAPSHOT_LOAD:
                return life_snapshot_load(s, argument);
        case LIFE_SNAPSHOT_DELETE:
                return life_snapshot_delete(s, argument);
        case LIFE_SCREENDUMP:
                return life_screendump(s, argument);
        case LIFE_STATUS:
        default:
                return life_status(s, life_guest(s), json);
        }
}

/* To be off is a state as any other: no message then, and no error. */
static int show_status(const char *sockets, const char *guest, bool json) {
        _cleanup_(life_closep) LifeSession *s = NULL;
        int previous = log_get_max_priority(), r;

        if (access(sockets, F_OK) < 0 && errno == ENOENT)
                return life_status(NULL, guest, json);
        log_set_max_priority(-1);
        r = life_open(sockets, guest, &s);
        log_set_max_priority(previous);
        if (r == -ENOTCONN)
                return life_status(NULL, guest, json);
        r = r < 0 ? life_open(sockets, guest, &s) : r; /* once more, for its message */
        return r < 0 ? r : life_status(s, guest, json);
}

int life_run(LifeVerb verb, const char *guest, const char *argument, bool json) {
        _cleanup_(life_closep) LifeSession *s = NULL;
        _cleanup_(freep) char *sockets = NULL;
        int r;

        if (!guest_name_is_valid(guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", guest);
        if (format(&sockets, GUEST_SOCKETS "/%s", guest) < 0)
                return log_oom();
        if (verb == LIFE_STATUS)
                return show_status(sockets, guest, json);
        r = life_open(sockets, guest, &s);
        return r < 0 ? r : act(s, verb, argument, json);
}
