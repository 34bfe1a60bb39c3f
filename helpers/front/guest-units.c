/* SPDX-License-Identifier: BSD-3-Clause */
/* Units of guests, as org.freedesktop.systemd1(5) lists them. */

#include "guest-units.h"
#include "log.h"

void guest_units_done(GuestUnits *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].name);
                free(l->items[i].description);
                free(l->items[i].active);
                free(l->items[i].sub);
                free(l->items[i].job);
                free(l->items[i].path);
                free(l->items[i].says);
        }
        free(l->items);
        *l = (GuestUnits){};
}

/* ---- reading ---- */

/* (ssssssouso): name, description, load state, active state, sub state, unit followed, path, number, type and path of
 * its job. */
static int read_unit(sd_bus_message *m, GuestUnits *l) {
        const char *name, *description, *load, *active, *sub, *followed, *path, *job, *job_path;
        char guest[GUEST_NAME_MAX + 1];
        const GuestUnitKind *kind;
        uint32_t job_id;
        size_t rank;
        GuestUnit *u;
        int r;

        r = sd_bus_message_read(m, "(ssssssouso)", &name, &description, &load, &active, &sub, &followed, &path, &job_id, &job, &job_path);
        if (r <= 0)
                return r;
        kind = guest_unit_parse(name, guest, &rank);
        if (!kind)
                return 1;
        u = ARRAY_GROW(l->items, l->n);
        if (!u)
                return -ENOMEM;
        l->n++;
        memcpy(u->guest, guest, sizeof guest);
        u->kind = kind;
        u->rank = rank;
        r = free_and_strdup(&u->name, name);
        r = r < 0 ? r : free_and_strdup(&u->description, description);
        r = r < 0 ? r : free_and_strdup(&u->active, active);
        r = r < 0 ? r : free_and_strdup(&u->sub, sub);
        r = r < 0 ? r : free_and_strdup(&u->job, job_id > 0 ? job : "");
        r = r < 0 ? r : free_and_strdup(&u->path, path);
        return r < 0 ? r : 1;
}

static int compare(const void *left, const void *right) {
        const GuestUnit *a = left, *b = right;
        int r = strcmp(a->guest, b->guest);

        if (r == 0)
                r = (a->rank > b->rank) - (a->rank < b->rank);
        return r != 0 ? r : strcmp(a->name, b->name);
}

static int append_patterns(sd_bus_message *m, const char *guest) {
        char services[64], shares[64];

        (void) snprintf(services, sizeof services, "vxm-*@%s.*", guest ? guest : "*");
        (void) snprintf(shares, sizeof shares, "vxm-share@%s:*", guest ? guest : "*");
        return sd_bus_message_append(m, "asas", 0, 2, services, shares);
}

static int call(sd_bus *bus, const char *guest, sd_bus_error *error, sd_bus_message **ret) {
        _cleanup_(messagep) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, MANAGER_PATH, MANAGER, "ListUnitsByPatterns");
        r = r < 0 ? r : append_patterns(m, guest);
        return r < 0 ? r : sd_bus_call(bus, m, 0, error, ret);
}

int guest_units_read(sd_bus *bus, const char *guest, GuestUnits *ret) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(messagep) sd_bus_message *reply = NULL;
        _cleanup_(guest_units_done) GuestUnits l = {};
        int r;

        r = call(bus, guest, &error, &reply);
        r = r < 0 ? r : sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r > 0)
                r = read_unit(reply, &l);
        if (r < 0)
                return log_error_errno(r, "Cannot ask systemd about guests: %s.", systemd_bus_why(&error, r));
        if (l.n > 0)
                qsort(l.items, l.n, sizeof *l.items, compare);
        *ret = l;
        l = (GuestUnits){};
        return 0;
}

static bool is_own(const GuestUnit *u) {
        return streq(u->kind->name, "vxm-guest");
}

int guest_units_ask(sd_bus *bus, GuestUnits *l) {
        for (size_t i = 0; i < l->n; i++) {
                GuestUnit *u = &l->items[i];
                _cleanup_(freep) char *says = NULL;

                if (!is_own(u) || !streq(u->active, "active") ||
                        sd_bus_get_property_string(bus, SYSTEMD, u->path, SYSTEMD ".Service", "StatusText", NULL, &says) < 0)
                        continue;
                if (free_and_strdup(&u->says, isempty(says) ? NULL : says) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* ---- what it means ---- */

GuestView guest_units_of(const GuestUnits *l, const char *guest) {
        GuestView v = { .guest = guest };

        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].guest, guest)) {
                        v.units = v.units ? v.units : &l->items[i];
                        v.n++;
                }
        return v;
}

const GuestUnit *guest_view_unit(const GuestView *v) {
        for (size_t i = 0; i < v->n; i++)
                if (is_own(&v->units[i]))
                        return &v->units[i];
        return NULL;
}

static bool has_active(const GuestView *v, const char *active) {
        for (size_t i = 0; i < v->n; i++)
                if (streq(v->units[i].active, active))
                        return true;
        return false;
}

/* By the guest's own unit, as long as that is on its way or there. */
static const char *own_state(const GuestUnit *u) {
        static const struct {
                const char *active, *sub, *state;
        } rows[] = {
                { "active", NULL, "running" },
                { "reloading", NULL, "running" },
                { "activating", "auto-restart", "restarting" },
                { "activating", NULL, "starting" },
                { "deactivating", NULL, "stopping" },
        };

        for (size_t i = 0; u && i < ELEMENTSOF(rows); i++)
                if (streq(u->active, rows[i].active) && (!rows[i].sub || streq(u->sub, rows[i].sub)))
                        return rows[i].state;
        return NULL;
}

const char *guest_view_state(const GuestView *v) {
        const GuestUnit *own = guest_view_unit(v);
        const char *state = own_state(own);

        if (state)
                return state;
        if ((own && streq(own->job, "start")) || has_active(v, "activating"))
                return "preparing";
        if (has_active(v, "active") || has_active(v, "deactivating"))
                return "undoing";
        return has_active(v, "failed") ? "failed" : "off";
}

bool guest_view_is_settled(const GuestView *v) {
        for (size_t i = 0; i < v->n; i++) {
                const GuestUnit *u = &v->units[i];

                if (streq(u->sub, "auto-restart"))
                        continue;
                if (!isempty(u->job) || streq(u->active, "activating") || streq(u->active, "deactivating"))
                        return false;
        }
        return true;
}

/* ---- JSON ---- */

static int append_unit(json_t *units, json_t *failed, const GuestUnit *u) {
        if (streq(u->active, "failed") && json_array_append_new(failed, json_string(u->name)) < 0)
                return -ENOMEM;
        return json_array_append_new(units, json_pack("{s:s, s:s, s:s, s:s?}", "unit", u->name, "active", u->active, "sub", u->sub, "job",
                                                    isempty(u->job) ? NULL : u->job));
}

json_t *guest_view_json(const GuestView *v) {
        const GuestUnit *own = guest_view_unit(v);
        json_t *units = json_array(), *failed = json_array();
        int r = units && failed ? 0 : -ENOMEM;

        for (size_t i = 0; r >= 0 && i < v->n; i++)
                r = append_unit(units, failed, &v->units[i]);
        if (r < 0) {
                json_decref(units);
                json_decref(failed);
                return NULL;
        }
        return json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:o}", "guest", v->guest, "state", guest_view_state(v), "description",
                own ? own->description : NULL, "status", own ? own->says : NULL, "failed", failed, "units", units);
}
