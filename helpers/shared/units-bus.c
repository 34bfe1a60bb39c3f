/* SPDX-License-Identifier: BSD-3-Clause */
/* Units on the bus. */

#include "log.h"
#include "messages.h"
#include "parse.h"
#include "systemd-bus.h"
#include "units-bus.h"

#define UNIT SYSTEMD ".Unit"
#define JOB SYSTEMD ".Job"

int units_bus_open(UnitsBus *ret) {
        return systemd_bus_open(&ret->bus);
}

void units_bus_done(UnitsBus *b) {
        for (size_t i = 0; i < b->n_jobs; i++) {
                free(b->jobs[i].unit);
                free(b->jobs[i].path);
        }
        free(b->jobs);
        sd_bus_slot_unref(b->slot);
        sd_bus_flush_close_unref(b->bus);
        *b = (UnitsBus){};
}

/* ---- looking ---- */

typedef struct Look {
        UnitsBus *b;
        const char *unit;
        const char *path;
        sd_bus_error error;
} Look;

static int look_string(Look *l, const char *property, char **ret) {
        return sd_bus_get_property_string(l->b->bus, SYSTEMD, l->path, UNIT, property, &l->error, ret);
}

static int look_bool(Look *l, const char *property, bool *ret) {
        int value = 0, r;

        r = sd_bus_get_property_trivial(l->b->bus, SYSTEMD, l->path, UNIT, property, &l->error, 'b', &value);
        *ret = value != 0;
        return r;
}

/* The type of the unit's job, "" for none. One that has just ended is none: the state is asked for later, and tells. */
static int look_job(Look *l, char **ret_type, char **ret_path) {
        _cleanup_(messagep) sd_bus_message *m = NULL;
        const char *path;
        uint32_t id;
        int r;

        r = sd_bus_get_property(l->b->bus, SYSTEMD, l->path, UNIT, "Job", &l->error, &m, "(uo)");
        r = r < 0 ? r : sd_bus_message_read(m, "(uo)", &id, &path);
        if (r < 0)
                return r;
        if (id == 0 || sd_bus_get_property_string(l->b->bus, SYSTEMD, path, JOB, "JobType", NULL, ret_type) < 0)
                return free_and_strdup(ret_type, "");
        return streq(*ret_type, "stop") ? free_and_strdup(ret_path, path) : 0;
}

static int look_properties(Look *l, UnitState *ret) {
        _cleanup_(freep) char *job = NULL, *active = NULL;
        int r;

        r = look_string(l, "Id", &ret->id);
        r = r < 0 ? r : look_string(l, "LoadState", &ret->load_state);
        r = r < 0 ? r : look_bool(l, "CanStop", &ret->can_stop);
        r = r < 0 ? r : look_bool(l, "CanStart", &ret->can_start);
        r = r < 0 ? r : look_job(l, &job, &ret->stop_job);
        r = r < 0 ? r : look_string(l, "ActiveState", &active);
        if (r < 0)
                return r;
        if (!unit_name_is_valid(ret->id)) /* it is going to be noted */
                return -EPROTO;
        ret->activity = unit_activity(active, job);
        return 0;
}

int units_bus_look(UnitsBus *b, const char *unit, UnitState *ret) {
        _cleanup_(messagep) sd_bus_message *m = NULL;
        Look l = { .b = b, .unit = unit };
        int r;

        /* Unlike GetUnit it knows units that are not in memory, as most are that do not run. */
        r = sd_bus_call_method(b->bus, SYSTEMD, MANAGER_PATH, MANAGER, "LoadUnit", &l.error, &m, "s", unit);
        r = r < 0 ? r : sd_bus_message_read(m, "o", &l.path);
        r = r < 0 ? r : look_properties(&l, ret);
        if (r < 0)
                (void) log_error_errno(r, "Cannot ask systemd about %s: %s.", unit, systemd_bus_why(&l.error, r));
        sd_bus_error_free(&l.error);
        return r < 0 ? r : 0;
}

int units_bus_host_ends(UnitsBus *b) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(freep) char *state = NULL;
        int r;

        r = sd_bus_get_property_string(b->bus, SYSTEMD, MANAGER_PATH, MANAGER, "SystemState", &error, &state);
        if (r < 0)
                return log_error_errno(r, "Cannot ask systemd whether the host is shutting down: %s.",
                        systemd_bus_why(&error, r));
        return streq(state, "stopping");
}

/* ---- jobs ---- */

static int job_failed(const UnitJob *job, const char *result) {
        return log_event_errno(EIO, MESSAGE_UNIT_FAILED, FIELDS("VXM_UNIT", job->unit),
                "%s could not be stopped (%s); see `systemctl status %s`.", job->unit, result, job->unit);
}

/* JobRemoved(u id, o job, s unit, s result) comes for all jobs there are. */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path, *unit, *result;
        UnitsBus *b = userdata;
        uint32_t id;

        (void) error;
        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (size_t i = 0; i < b->n_jobs; i++) {
                UnitJob *job = &b->jobs[i];

                if (!streq_ptr(job->path, path))
                        continue;
                job->path = (free(job->path), NULL);
                b->n_running--;
                if (b->stopping && !streq(result, "done"))
                        b->error = job_failed(job, result);
        }
        return 0;
}

/* Before the first job is queued or looked at, so that none can end unseen. */
static int watch_jobs(UnitsBus *b) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (b->slot)
                return 0;
        r = sd_bus_match_signal(b->bus, &b->slot, sd_bus_is_bus_client(b->bus) > 0 ? SYSTEMD : NULL, MANAGER_PATH,
                MANAGER, "JobRemoved", on_job_removed, b);
        r = r < 0 ? r : sd_bus_call_method(b->bus, SYSTEMD, MANAGER_PATH, MANAGER, "Subscribe", &error, NULL, "");
        return r < 0 ? log_error_errno(r, "Cannot have systemd tell about its jobs: %s.", systemd_bus_why(&error, r)) : 0;
}

static int add_job(UnitsBus *b, const char *unit, const char *path) {
        UnitJob *job = ARRAY_GROW(b->jobs, b->n_jobs);

        if (!job || !(job->unit = strdup(unit)))
                return log_oom();
        b->n_jobs++;
        job->path = strdup(path);
        if (!job->path)
                return log_oom();
        b->n_running++;
        return 0;
}

static int too_late(const UnitsBus *b, uint64_t timeout) {
        for (size_t i = 0; i < b->n_jobs; i++)
                if (b->jobs[i].path)
                        (void) log_event_errno(EBUSY, MESSAGE_UNIT_FAILED, FIELDS("VXM_UNIT", b->jobs[i].unit),
                                "%s has not stopped within %g min; see `systemctl status %s`.", b->jobs[i].unit,
                                (double) timeout / 60e6, b->jobs[i].unit);
        return -EBUSY;
}

static int wait_for_jobs(UnitsBus *b, uint64_t timeout) {
        uint64_t deadline = now_usec() + timeout;

        while (b->n_running > 0) {
                uint64_t now = now_usec();
                int r;

                r = sd_bus_process(b->bus, NULL);
                if (r > 0)
                        continue; /* there may be more */
                if (r == 0 && now >= deadline)
                        return too_late(b, timeout);
                r = r < 0 ? r : sd_bus_wait(b->bus, deadline - now);
                if (r < 0 && r != -EINTR)
                        return log_error_errno(
                                r, "Lost the system bus: %s; see `systemctl status dbus`.", strerror(-r));
        }
        return b->error;
}

/* ---- stopping and starting ---- */

static int stop_unit(UnitsBus *b, const char *unit) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(messagep) sd_bus_message *m = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(b->bus, SYSTEMD, MANAGER_PATH, MANAGER, "StopUnit", &error, &m, "ss", unit, "replace");
        if (sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit"))
                return 0; /* it ended, and has been forgotten */
        r = r < 0 ? r : sd_bus_message_read(m, "o", &path);
        if (r < 0)
                return log_event_errno(r, MESSAGE_UNIT_FAILED, FIELDS("VXM_UNIT", unit),
                        "%s could not be stopped: %s; see `systemctl status %s`.", unit, systemd_bus_why(&error, r), unit);
        return add_job(b, unit, path);
}

/* A job that is done may have been followed by another one already. */
static int check_down(UnitsBus *b, const char *unit) {
        _cleanup_(unit_state_done) UnitState state = {};
        int r;

        r = units_bus_look(b, unit, &state);
        if (r < 0)
                return r;
        if (state.activity == UNIT_UP)
                return log_event_errno(EBUSY, MESSAGE_UNIT_FAILED, FIELDS("VXM_UNIT", unit),
                        "%s was stopped, and started again at once; name what does so in [GPU] StopUnits= too, its "
                        "socket say (`systemctl show -P TriggeredBy %s`).",
                        unit, unit);
        log_event(LOG_INFO, MESSAGE_UNIT_STOPPED, FIELDS("VXM_UNIT", unit), "%s is stopped for the guest.", unit);
        return 0;
}

int units_bus_stop(UnitsBus *b, const UnitNames *units, uint64_t timeout) {
        int r;

        b->stopping = true;
        r = watch_jobs(b);
        for (size_t i = 0; r >= 0 && i < units->n; i++)
                r = stop_unit(b, units->names[i]);
        r = r < 0 ? r : wait_for_jobs(b, timeout);
        for (size_t i = 0; r >= 0 && i < units->n; i++)
                r = check_down(b, units->names[i]);
        return r;
}

int units_bus_settle(UnitsBus *b, const UnitNames *units, uint64_t timeout) {
        int r;

        r = watch_jobs(b);
        for (size_t i = 0; r >= 0 && i < units->n; i++) {
                _cleanup_(unit_state_done) UnitState state = {};

                r = units_bus_look(b, units->names[i], &state);
                if (r >= 0 && state.stop_job)
                        r = add_job(b, units->names[i], state.stop_job);
        }
        return r < 0 ? r : wait_for_jobs(b, timeout);
}

int units_bus_start(UnitsBus *b, const char *unit, char **ret_why) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call_method(b->bus, SYSTEMD, MANAGER_PATH, MANAGER, "StartUnit", &error, NULL, "ss", unit, "fail");
        if (r >= 0)
                return 0;
        if (free_and_strdup(ret_why, systemd_bus_why(&error, r)) < 0)
                return -ENOMEM;
        return sd_bus_error_has_name(&error, SYSTEMD ".NoSuchUnit") ||
                               sd_bus_error_has_name(&error, SYSTEMD ".UnitMasked") ||
                               sd_bus_error_has_name(&error, SYSTEMD ".LoadFailed") ||
                               sd_bus_error_has_name(&error, SYSTEMD ".BadUnitSetting")
                       ? -ENOENT
                       : r;
}
