/* SPDX-License-Identifier: BSD-3-Clause */
/* Properties and jobs of one unit. */

#include "exit-status.h"
#include "guest-bus.h"
#include "host.h"
#include "log.h"

/* As in vxm-generator.c. */
#define DROP_IN "/50-vxm.conf"

void guest_facts_done(GuestFacts *f) {
        free(f->path);
        free(f->load_state);
        free(f->active);
        free(f->sub);
        free(f->description);
        free(f->status);
        free(f->result);
        free(f->file_state);
        *f = (GuestFacts){};
}

static int read_string(sd_bus_message *m, void *value) {
        const char *s;
        int r = sd_bus_message_read(m, "v", "s", &s);

        return r < 0 ? r : free_and_strdup(value, s);
}

static int read_boolean(sd_bus_message *m, void *value) {
        int b, r = sd_bus_message_read(m, "v", "b", &b);

        if (r >= 0)
                *(bool *) value = b != 0;
        return r;
}

static int read_u32(sd_bus_message *m, void *value) {
        return sd_bus_message_read(m, "v", "u", value);
}

static int read_i32(sd_bus_message *m, void *value) {
        return sd_bus_message_read(m, "v", "i", value);
}

static int read_u64(sd_bus_message *m, void *value) {
        return sd_bus_message_read(m, "v", "t", value);
}

/* Whether a list of paths has our drop-in. */
static int read_generated(sd_bus_message *m, void *value) {
        const char *path;
        int r = sd_bus_message_enter_container(m, 'v', "as");

        r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "s");
        while (r > 0 && (r = sd_bus_message_read(m, "s", &path)) > 0) {
                size_t n = strlen(path);

                if (n > STRLEN(DROP_IN) && streq(path + n - STRLEN(DROP_IN), DROP_IN))
                        *(bool *) value = true;
        }
        r = r < 0 ? r : sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* a(sasbttttuii): of each command its path, its words, whether its failure is ignored, when it began and ended, its
 * process, and how it ended. */
static int read_commands(sd_bus_message *m, void *value) {
        int r = sd_bus_message_enter_container(m, 'v', "a(sasbttttuii)");

        r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");
        while (r > 0 && (r = sd_bus_message_enter_container(m, 'r', "sasbttttuii")) > 0) {
                int32_t code, status;

                r = sd_bus_message_skip(m, "sasbttttu");
                r = r < 0 ? r : sd_bus_message_read(m, "ii", &code, &status);
                if (r >= 0 && status != 0 && *(int32_t *) value == 0)
                        *(int32_t *) value = status;
                r = r < 0 ? r : sd_bus_message_exit_container(m);
        }
        r = r < 0 ? r : sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static const struct Property {
        const char *name;
        int (*read)(sd_bus_message *m, void *value);
        size_t offset;
} properties[] = {
        { "LoadState", read_string, offsetof(GuestFacts, load_state) },
        { "ActiveState", read_string, offsetof(GuestFacts, active) },
        { "SubState", read_string, offsetof(GuestFacts, sub) },
        { "Description", read_string, offsetof(GuestFacts, description) },
        { "StatusText", read_string, offsetof(GuestFacts, status) },
        { "Result", read_string, offsetof(GuestFacts, result) },
        { "UnitFileState", read_string, offsetof(GuestFacts, file_state) },
        { "NeedDaemonReload", read_boolean, offsetof(GuestFacts, needs_reload) },
        { "DropInPaths", read_generated, offsetof(GuestFacts, generated) },
        { "ConditionResult", read_boolean, offsetof(GuestFacts, condition) },
        { "MainPID", read_u32, offsetof(GuestFacts, pid) },
        { "ExecMainStatus", read_i32, offsetof(GuestFacts, exit_status) },
        { "ExecStartPre", read_commands, offsetof(GuestFacts, pre_exit_status) },
        { "StateChangeTimestamp", read_u64, offsetof(GuestFacts, since) },
        { "MemoryCurrent", read_u64, offsetof(GuestFacts, memory) },
};

static int read_property(sd_bus_message *m, GuestFacts *f) {
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                if (streq(properties[i].name, name))
                        return properties[i].read(m, (char *) f + properties[i].offset);
        return sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, GuestFacts *f) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r > 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_property(m, f);
                r = r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return r;
}

/* What has not been told is empty, not NULL. */
static int fill_strings(GuestFacts *f) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(properties); i++) {
                char **value = (char **) ((char *) f + properties[i].offset);

                if (properties[i].read == read_string && !*value)
                        r = free_and_strdup(value, "");
        }
        return r;
}

int guest_facts_read(sd_bus *bus, const char *unit, GuestFacts *ret) {
        _cleanup_(messagep) sd_bus_message *loaded = NULL, *reply = NULL;
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(guest_facts_done) GuestFacts f = { .memory = UINT64_MAX };
        const char *path;
        int r;

        /* Unlike GetUnit it knows units that are not in memory, as those of a guest that does not run. */
        r = sd_bus_call_method(bus, SYSTEMD, MANAGER_PATH, MANAGER, "LoadUnit", &error, &loaded, "s", unit);
        r = r < 0 ? r : sd_bus_message_read(loaded, "o", &path);
        r = r < 0 ? r : free_and_strdup(&f.path, path);
        /* Of all interfaces: of the unit and of the service. */
        r = r < 0 ? r
                  : sd_bus_call_method(bus, SYSTEMD, f.path, "org.freedesktop.DBus.Properties", "GetAll", &error, &reply, "s", "");
        r = r < 0 ? r : read_properties(reply, &f);
        r = r < 0 ? r : fill_strings(&f);
        if (r < 0)
                return log_error_errno(r, "Cannot ask systemd about %s: %s.", unit, systemd_bus_why(&error, r));
        *ret = f;
        f = (GuestFacts){};
        return 0;
}

/* ---- jobs ---- */

int guest_job_unknown(const char *unit) {
        return log_error_errno(E_LACKS, "systemd%s%s has no %s; install vxm there, then run systemctl daemon-reload.",
                host_name() ? " of " : "", host_name() ? host_name() : "", unit);
}

static int refused(const sd_bus_error *error, int r, const char *verb, const char *unit) {
        char guest[GUEST_NAME_MAX + 1] = "";
        size_t rank;

        (void) guest_unit_parse(unit, guest, &rank);
        if (r == -EACCES || r == -EPERM || sd_bus_error_has_name(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED))
                return log_error_errno(EACCES,
                        "You may not %s guest %s: be root, or in the group vxm (usermod -aG vxm USER, then log in anew).", verb, guest);
        if (sd_bus_error_has_name(error, SYSTEMD ".NoSuchUnit"))
                return guest_job_unknown(unit);
        return log_error_errno(r, "Cannot %s guest %s: %s; see systemctl status %s.", verb, guest, systemd_bus_why(error, r), unit);
}

int guest_job_queue(sd_bus *bus, const char *method, const char *verb, const char *unit, char **ret_job) {
        _cleanup_(messagep) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *path;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, SYSTEMD, MANAGER_PATH, MANAGER, method);
        /* A desktop's agent may ask for a password then. */
        r = r < 0 ? r : sd_bus_message_set_allow_interactive_authorization(m, true);
        r = r < 0 ? r : sd_bus_message_append(m, "ss", unit, "replace");
        r = r < 0 ? r : sd_bus_call(bus, m, UINT64_MAX, &error, &reply);
        r = r < 0 ? r : sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return refused(&error, r, verb, unit);
        return free_and_strdup(ret_job, path) < 0 ? log_oom() : 0;
}
