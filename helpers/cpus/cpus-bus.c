/* SPDX-License-Identifier: BSD-3-Clause */
/* AllowedCPUs= on the bus. */

#include "cpus-bus.h"
#include "log.h"
#include "messages.h"
#include "systemd-bus.h"

void cpus_bus_closep(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}

/* Each type of unit has these properties on an interface of its own. */
static const char *interface_of(const char *unit) {
        const char *dot = strrchr(unit, '.');

        return streq_ptr(dot, ".slice")   ? SYSTEMD ".Slice"
               : streq_ptr(dot, ".scope") ? SYSTEMD ".Scope"
                                          : SYSTEMD ".Service";
}

static int read_property(sd_bus *bus, const char *unit, const char *property, sd_bus_error *error, CpuSet *ret) {
        _cleanup_(messagep) sd_bus_message *loaded = NULL, *m = NULL;
        const char *path;
        const void *bytes;
        size_t n;
        int r;

        r = sd_bus_call_method(bus, SYSTEMD, MANAGER_PATH, MANAGER, "LoadUnit", error, &loaded, "s", unit);
        r = r < 0 ? r : sd_bus_message_read(loaded, "o", &path);
        r = r < 0 ? r : sd_bus_get_property(bus, SYSTEMD, path, interface_of(unit), property, error, &m, "ay");
        r = r < 0 ? r : sd_bus_message_read_array(m, 'y', &bytes, &n);
        if (r < 0)
                return r;
        *ret = cpu_set_from_bytes(bytes, n);
        return 0;
}

static int ask(sd_bus *bus, const char *unit, const char *property, CpuSet *ret) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = read_property(bus, unit, property, &error, ret);

        return r < 0 ? log_error_errno(r, "Cannot ask systemd about %s of %s: %s.", property, unit,
                               systemd_bus_why(&error, r))
                     : 0;
}

int cpus_bus_allowed(sd_bus *bus, const char *unit, CpuSet *ret) {
        return ask(bus, unit, "AllowedCPUs", ret);
}

int cpus_bus_effective(sd_bus *bus, const char *unit, CpuSet *ret) {
        return ask(bus, unit, "EffectiveCPUs", ret);
}

/* SetUnitProperties(s name, b runtime, a(sv) properties) */
static int set_property(sd_bus *bus, const char *unit, const CpuSet *cpus, sd_bus_error *error) {
        _cleanup_(messagep) sd_bus_message *m = NULL;
        uint8_t bytes[CPU_SET_MAX / 8];
        size_t n = cpu_set_to_bytes(cpus, bytes);
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, MANAGER_PATH, MANAGER, "SetUnitProperties");
        r = r < 0 ? r : sd_bus_message_append(m, "sb", unit, 1);
        r = r < 0 ? r : sd_bus_message_open_container(m, 'a', "(sv)");
        r = r < 0 ? r : sd_bus_message_open_container(m, 'r', "sv");
        r = r < 0 ? r : sd_bus_message_append(m, "s", "AllowedCPUs");
        r = r < 0 ? r : sd_bus_message_open_container(m, 'v', "ay");
        r = r < 0 ? r : sd_bus_message_append_array(m, 'y', bytes, n);
        for (int i = 0; r >= 0 && i < 3; i++)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_call(bus, m, 0, error, NULL);
}

int cpus_bus_allow(sd_bus *bus, const char *unit, const CpuSet *cpus, const CpuSet *all) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        char text[CPU_SET_TEXT_MAX];
        CpuSet now;
        int r;

        r = cpus_bus_allowed(bus, unit, &now);
        if (r < 0 || cpu_set_equal(&now, cpus))
                return r;
        r = cpu_set_is_empty(cpus) ? set_property(bus, unit, all, &error) : 0;
        r = r < 0 ? r : set_property(bus, unit, cpus, &error);
        return r < 0 ? log_event_errno(r, MESSAGE_CPUS_FAILED, FIELDS("VXM_UNIT", unit),
                               "Cannot set AllowedCPUs=%s of %s: %s.", cpu_set_print(cpus, text), unit,
                               systemd_bus_why(&error, r))
                     : 1;
}
