/* SPDX-License-Identifier: BSD-3-Clause */
/* Pausing, resuming, resetting and rebooting a guest. */

#include <poll.h>

#include "agent.h"
#include "life.h"
#include "log.h"

#define SECOND UINT64_C(1000000)
#define AGENT_TIMEOUT (3 * SECOND)  /* an agent that is there answers within milliseconds, unless the guest is very busy */
#define REBOOT_TIMEOUT (60 * SECOND) /* what a guest that has been asked may take to end its programs */
#define RESET_TIMEOUT (30 * SECOND) /* QEMU resetting all devices, of which some are real */

int life_ask_state(LifeSession *s, const GuestState **ret) {
        _cleanup_(json_decrefp) json_t *status = NULL;
        int r = life_call(s, "Cannot see what the guest does", "query-status", NULL, &status);

        if (r >= 0)
                *ret = guest_state_of(status);
        return r;
}

int life_pause(LifeSession *s) {
        const GuestState *state;
        int r = life_ask_state(s, &state);

        if (r < 0)
                return r;
        if (!streq(state->name, "running")) {
                printf("Guest %s is %s already.\n", life_guest(s), state->text);
                return 0;
        }
        r = life_call(s, "Cannot pause the guest", "stop", NULL, NULL);
        if (r >= 0)
                printf("Guest %s is paused.\n", life_guest(s));
        return r;
}

/* A guest that sleeps has to be woken; of the others QEMU itself says which cannot go on. */
int life_resume(LifeSession *s) {
        const GuestState *state;
        bool sleeps;
        int r = life_ask_state(s, &state);

        if (r < 0)
                return r;
        if (streq(state->name, "running")) {
                printf("Guest %s runs already.\n", life_guest(s));
                return 0;
        }
        if (state->lost)
                return log_error_errno(ECANCELED, "Guest %s is %s and cannot go on from there; start it anew with vxm reset-hard %s.",
                        life_guest(s), state->text, life_guest(s));
        sleeps = streq(state->name, "suspended");
        r = life_call(s, "Cannot let the guest go on", sleeps ? "system_wakeup" : "cont", NULL, NULL);
        if (r >= 0)
                printf("Guest %s %s.\n", life_guest(s), sleeps ? "wakes up" : "goes on");
        return r;
}

static void note_reset(const char *name, const json_t *data, void *userdata) {
        (void) data;
        if (streq(name, "RESET"))
                *(bool *) userdata = true;
}

static bool is_true(void *userdata) {
        return *(bool *) userdata;
}

static int tell_gone(const LifeSession *s, int r) {
        return log_error_errno(r, "Guest %s is gone; see systemctl status vxm-guest@%s.", life_guest(s), life_guest(s));
}

/* What has been stopped by an error runs again after a reset; what somebody has paused stays so. */
int life_reset(LifeSession *s) {
        const GuestState *state;
        bool seen = false;
        int r = life_ask_state(s, &state);

        if (r < 0)
                return r;
        life_listen(s, note_reset, &seen);
        r = life_call(s, "Cannot reset the guest", "system_reset", NULL, NULL);
        if (r >= 0) {
                r = life_wait(s, RESET_TIMEOUT, is_true, &seen);
                if (r < 0)
                        tell_gone(s, r);
        }
        life_listen(s, NULL, NULL);
        if (r == 0)
                return log_error_errno(ETIMEDOUT, "QEMU has not reset guest %s within %d s; see systemctl status vxm-guest@%s.",
                        life_guest(s), (int) (RESET_TIMEOUT / SECOND), life_guest(s));
        if (r > 0 && state->ill)
                r = life_call(s, "Cannot let the guest go on", "cont", NULL, NULL);
        if (r >= 0)
                printf("Guest %s was reset%s.\n", life_guest(s), streq(state->name, "paused") ? ", and is still paused" : "");
        return r < 0 ? r : 0;
}

/* ---- reboot ---- */

/* Waits until the agent has answered, or does not. */
static bool agent_answers(Agent *agent) {
        uint64_t deadline = now_usec() + AGENT_TIMEOUT;

        for (uint64_t now; (now = now_usec()) < deadline;) {
                struct pollfd p = { .fd = agent->fd, .events = POLLIN };
                int r = poll(&p, 1, (int) ((deadline - now) / 1000 + 1)) > 0 ? agent_process(agent) : 0;

                if (r != 0)
                        return r > 0;
        }
        return false;
}

static bool ask_agent(const LifeSession *s) {
        _cleanup_(agent_done) Agent agent = { .fd = -EBADF };
        _cleanup_(freep) char *path = NULL;

        return format(&path, "%s/agent", life_sockets(s)) >= 0 && agent_connect(path, (unsigned) getpid(), &agent) >= 0 &&
               agent_answers(&agent) && agent_reboot(&agent) >= 0;
}

/* As on the keyboard that each guest has: Linux reboots, Windows shows a screen. */
static int press_ctrl_alt_del(LifeSession *s) {
        json_t *keys = json_pack("{s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}", "keys", "type", "qcode", "data", "ctrl", "type", "qcode",
                "data", "alt", "type", "qcode", "data", "delete");

        return keys ? life_call(s, "Cannot press keys", "send-key", keys, NULL) : log_oom();
}

int life_reboot(LifeSession *s) {
        const GuestState *state;
        bool seen = false, agent;
        int r = life_ask_state(s, &state);

        if (r < 0)
                return r;
        if (!streq(state->name, "running")) {
                printf("Guest %s is %s, and can be asked for nothing; resetting it.\n", life_guest(s), state->text);
                return life_reset(s);
        }
        life_listen(s, note_reset, &seen);
        agent = ask_agent(s);
        printf("Guest %s is asked to reboot, %s, for at most %d s.\n", life_guest(s),
                agent ? "by its agent" : "by Ctrl-Alt-Del, as no agent answers", (int) (REBOOT_TIMEOUT / SECOND));
        fflush(stdout);
        r = agent ? 0 : press_ctrl_alt_del(s);
        if (r < 0)
                return r;
        r = life_wait(s, REBOOT_TIMEOUT, is_true, &seen);
        life_listen(s, NULL, NULL);
        if (r == 0) {
                printf("It does not; resetting it.\n");
                return life_reset(s);
        }
        if (r < 0)
                return tell_gone(s, r);
        printf("Guest %s reboots.\n", life_guest(s));
        return 0;
}
