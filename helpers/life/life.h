/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What can be done to a guest that runs, from outside: one function a verb. Each says on standard output what has been done,
 * logs what could not be, and returns 0 (done, or already so) or as life_call() and life_open(). */

#include "guest-state.h"
#include "life-session.h"

typedef enum LifeVerb {
        LIFE_STATUS,
        LIFE_PAUSE,
        LIFE_RESUME,
        LIFE_REBOOT,
        LIFE_RESET,
        LIFE_SNAPSHOTS,
        LIFE_SNAPSHOT_SAVE,
        LIFE_SNAPSHOT_LOAD,
        LIFE_SNAPSHOT_DELETE,
        LIFE_SCREENDUMP,
} LifeVerb;

/* Does what verb says to a guest, with a tag of a snapshot or the name of a file where the verb wants one. json: for what
 * shows something. */
int life_run(LifeVerb verb, const char *guest, const char *argument, bool json);

/* life-run.c */
int life_pause(LifeSession *s);
int life_resume(LifeSession *s);
int life_reset(LifeSession *s);
int life_reboot(LifeSession *s);
int life_ask_state(LifeSession *s, const GuestState **ret);

/* life-status.c. Shows a guest that does not run, too: s is NULL then. */
int life_status(LifeSession *s, const char *guest, bool json);

/* life-snapshot.c */
int life_snapshots(LifeSession *s, bool json);
int life_snapshot_save(LifeSession *s, const char *tag);
int life_snapshot_load(LifeSession *s, const char *tag);
int life_snapshot_delete(LifeSession *s, const char *tag);

/* life-screendump.c */
int life_screendump(LifeSession *s, const char *path);
