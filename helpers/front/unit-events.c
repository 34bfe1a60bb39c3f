/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals of org.freedesktop.systemd1(5). */

#include "log.h"
#include "unit-events.h"

#define UNIT_PATHS MANAGER_PATH "/unit"

static bool is_of_guest(const char *unit) {
        char guest[GUEST_NAME_MAX + 1];
        size_t rank;

        return guest_unit_parse(unit, guest, &rank) != NULL;
}

/* a{sv}: all that has changed; of this, ActiveState is looked for. */
static int read_active(sd_bus_message *m, const char **ret) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        *ret = NULL;
        while (r > 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *property;

                r = sd_bus_message_read(m, "s", &property);
                r = r < 0 ? r : streq(property, "ActiveState") ? sd_bus_message_read(m, "v", "s", ret) : sd_bus_message_skip(m, "v");
                r = r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return r;
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        _cleanup_(freep) char *unit = NULL;
        const char *interface, *active;
        UnitEvents *e = userdata;

        (void) error;
        if (sd_bus_path_decode(sd_bus_message_get_path(m), UNIT_PATHS, &unit) <= 0 || !is_of_guest(unit))
                return 0;
        if (sd_bus_message_read(m, "s", &interface) < 0 || read_active(m, &active) < 0 || !active)
                return 0;
        if (e->on_state)
                e->on_state(unit, active, e->userdata);
        return 0;
}

/* JobNew(u id, o job, s unit), JobRemoved(u id, o job, s unit, s result). */
static int on_job(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path, *unit, *result = NULL;
        UnitEvents *e = userdata;
        uint32_t id;

        (void) error;
        if (sd_bus_message_read(m, "uos", &id, &path, &unit) < 0)
                return 0;
        if (streq(sd_bus_message_get_member(m), "JobRemoved") && sd_bus_message_read(m, "s", &result) < 0)
                return 0;
        if (result && streq_ptr(e->job, path) && free_and_strdup(&e->result, result) < 0)
                return -ENOMEM;
        if (is_of_guest(unit) && e->on_job)
                e->on_job(unit, e->userdata);
        return 0;
}

/* On a connection without a bus between there is no sender to ask for. */
static int add_match(UnitEvents *e, size_t slot, const char *rule, sd_bus_message_handler_t handler) {
        _cleanup_(freep) char *text = NULL;
        int r = format(&text, "type='signal',%s%s", sd_bus_is_bus_client(e->bus) > 0 ? "sender='" SYSTEMD "'," : "", rule);

        return r < 0 ? r : sd_bus_add_match(e->bus, &e->slots[slot], text, handler, e);
}

int unit_events_open(UnitEvents *e) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = add_match(e, 0,
                "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='" UNIT_PATHS
                "',arg0='" SYSTEMD ".Unit'",
                on_properties);
        r = r < 0 ? r : add_match(e, 1, "interface='" MANAGER "',member='JobNew'", on_job);
        r = r < 0 ? r : add_match(e, 2, "interface='" MANAGER "',member='JobRemoved'", on_job);
        r = r < 0 ? r : sd_bus_call_method(e->bus, SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe", &error, NULL, "");
        return r < 0 ? log_error_errno(r, "Cannot have systemd tell about its units: %s.", systemd_bus_why(&error, r)) : 0;
}

void unit_events_done(UnitEvents *e) {
        for (size_t i = 0; i < ELEMENTSOF(e->slots); i++)
                sd_bus_slot_unref(e->slots[i]);
        free(e->job);
        free(e->result);
        *e = (UnitEvents){};
}

static int lost(int r) {
        return log_error_errno(r, "Lost the system bus: %s; what is under way goes on, vxm status shows it.", strerror(-r));
}

int unit_events_process(UnitEvents *e) {
        int heard = 0, r;

        while ((r = sd_bus_process(e->bus, NULL)) > 0)
                heard = 1;
        return r < 0 ? lost(r) : heard;
}

int unit_events_wait(UnitEvents *e) {
        int r;

        while ((r = unit_events_process(e)) == 0) {
                r = sd_bus_wait(e->bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return lost(r);
        }
        return r < 0 ? r : 0;
}
