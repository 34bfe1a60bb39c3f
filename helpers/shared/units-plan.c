/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans the stopping of units for a guest. */

#include <fnmatch.h>

#include "root.h"
#include "units-plan.h"

/* By systemd's convention whichever display manager is enabled has this alias. */
#define DISPLAY_MANAGER "display-manager.service"

enum {
        LINKS_MAX = 8, /* an alias of an alias; a loop ends, too */
};

void unit_state_done(UnitState *s) {
        free(s->id);
        free(s->load_state);
        free(s->stop_job);
        *s = (UnitState){};
}

int units_wanted(const Guest *g, UnitNames *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < g->n_stop_units; i++)
                r = unit_names_add(ret, g->stop_units[i]);
        if (r >= 0 && g->single_gpu)
                r = unit_names_add(ret, DISPLAY_MANAGER);
        return r;
}

bool unit_is_implied(const Guest *g, const char *unit) {
        for (size_t i = 0; i < g->n_stop_units; i++)
                if (streq(g->stop_units[i], unit))
                        return false;
        return g->single_gpu && streq(unit, DISPLAY_MANAGER);
}

/* Where a unit's name leads, by one link. Of several directories the first one that has the name counts. */
static char *follow_alias(int root, const char *name) {
        static const char *const directories[] = { "etc/systemd/system", "run/systemd/system",
                "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(freep) char *path = NULL, *target = NULL;

                if (format(&path, "%s/%s", directories[i], name) < 0)
                        return NULL;
                if (!root_exists(root, path))
                        continue;
                return root_readlink_name(root, path, &target) < 0 ? NULL : TAKE_PTR(target);
        }
        return NULL;
}

static bool leads_to(int root, const char *alias, const char *unit) {
        _cleanup_(freep) char *name = strdup(alias);

        for (int links = 0; name && links <= LINKS_MAX; links++) {
                char *next;

                if (streq(name, unit))
                        return true;
                next = follow_alias(root, name);
                free(name);
                name = next;
        }
        return false;
}

bool unit_is_wanted(int root, const Guest *g, const char *unit) {
        for (size_t i = 0; i < g->n_stop_units; i++)
                if (leads_to(root, g->stop_units[i], unit))
                        return true;
        return g->single_gpu && leads_to(root, DISPLAY_MANAGER, unit);
}

/* Without memory it is no other guest's unit: then nothing is stopped, which is the safe side. */
static bool is_other_guest(const char *unit, const char *guest) {
        _cleanup_(freep) char *own = NULL;

        return fnmatch("vxm-guest@*.service", unit, 0) == 0 && format(&own, "vxm-guest@%s.service", guest) >= 0 &&
               !streq(unit, own);
}

const char *unit_name_refusal(const char *unit, const char *guest) {
        static const struct {
                const char *pattern;
                const char *reason; /* NULL: it may be stopped */
        } rows[] = {
                { "vxm-*", "it is part of vxm; to have another guest stopped, name vxm-guest@NAME.service" },
                { "systemd-nspawn@*.service", NULL },
                { "systemd-*", "it is part of systemd, which runs the guest" },
                { "dbus.service", "the system bus is the way to start units again" },
                { "dbus.socket", "the system bus is the way to start units again" },
                { "dbus-broker.service", "the system bus is the way to start units again" },
                { "init.scope", "it is systemd itself" },
                { "-.mount", "it is the root file system" },
                { "sysinit.target", "all that runs needs it" },
                { "basic.target", "all that runs needs it" },
                { "*.slice", "a slice holds units, and does not run itself; name those in it" },
                { "*.scope", "a scope cannot be started again; name the unit that makes it, or log out" },
                { "*.device", "systemd only watches devices" },
        };

        if (is_other_guest(unit, guest))
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (fnmatch(rows[i].pattern, unit, 0) == 0)
                        return rows[i].reason;
        return NULL;
}

const char *unit_state_refusal(const UnitState *s) {
        if (streq(s->load_state, "not-found"))
                return "there is no such unit; see `systemctl list-units --all`, `systemctl list-unit-files`";
        if (streq(s->load_state, "masked"))
                return s->activity == UNIT_DOWN ? NULL : "it is masked, and could not be started again";
        if (!streq(s->load_state, "loaded"))
                return "systemd cannot load it; `systemctl status` tells why";
        if (!s->can_stop)
                return "systemd stops it on no one's request";
        return s->can_start ? NULL : "systemd would start it again on no one's request";
}

UnitActivity unit_activity(const char *active_state, const char *job_type) {
        static const char *const starting[] = { "start", "restart", "reload-or-start" };

        /* A job that waits tells more of what is meant to be than the state, which is the time before it. */
        for (size_t i = 0; i < ELEMENTSOF(starting); i++)
                if (streq(job_type, starting[i]))
                        return UNIT_UP;
        if (streq(active_state, "inactive") || streq(active_state, "failed"))
                return UNIT_DOWN;
        return streq(active_state, "deactivating") || streq(job_type, "stop") ? UNIT_ENDING : UNIT_UP;
}

int units_plan_add(UnitsPlan *plan, const UnitState *s) {
        int r = 0;

        if (s->activity == UNIT_UP || s->held)
                r = unit_names_add(&plan->record, s->id);
        if (r >= 0 && s->activity != UNIT_DOWN)
                r = unit_names_add(&plan->stop, s->id);
        return r;
}

int units_plan_keep(UnitsPlan *plan, const UnitNames *earlier) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < earlier->n; i++)
                r = unit_names_add(&plan->record, earlier->names[i]);
        return r;
}

void units_plan_done(UnitsPlan *plan) {
        unit_names_done(&plan->record);
        unit_names_done(&plan->stop);
}
