/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-units: stops the units that stand between a guest and its GPU, and starts them again.
 *
 * Started by vxm-units@.service, one instance a guest: once to stop (ExecStart=), once to start again (ExecStopPost=,
 * with --release, idempotent). Asks systemd over the system bus, and writes its record in /run/vxm/units, nothing else.
 * Stops nothing unless all of it can be stopped and started again. Does not look who holds the GPU: vxm-bind does. */

#include "cli.h"
#include "conf.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "root.h"
#include "units-bus.h"

/* A bound on what does not end at all: each unit has a time limit of its own, its TimeoutStopSec=. */
#define STOP_TIMEOUT (UINT64_C(5) * 60 * 1000000)

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

/* Another machine's files say nothing about the units of this one. */
static bool is_this_machine(void) {
        return streq(arg_root, "/");
}

/* unit as it was asked for; id as systemd calls it. */
static int refuse(const Guest *g, const char *unit, const char *id, const char *reason) {
        const char *key = unit_is_implied(g, unit) ? "SingleGpu=yes, hence " : "StopUnits=";

        if (streq(unit, id))
                return conf_log(
                        LOG_ERR, g->file, 0, "[GPU] %s%s: cannot be stopped for a guest: %s.", key, unit, reason);
        return conf_log(
                LOG_ERR, g->file, 0, "[GPU] %s%s: cannot be stopped for a guest; it is %s: %s.", key, unit, id, reason);
}

/* What can be told without asking systemd. */
static int judge_names(const Guest *g, const UnitNames *wanted) {
        for (size_t i = 0; i < wanted->n; i++) {
                const char *unit = wanted->names[i], *reason = unit_name_refusal(unit, arg_guest);

                if (reason)
                        return refuse(g, unit, unit, reason);
        }
        return 0;
}

/* A unit in another guest's record has been stopped by that guest: it only looks as if it had not run. */
static int look_for_holder(int root, UnitState *state) {
        _cleanup_(freep) char *holder = NULL;
        int r;

        if (arg_dry_run)
                return 0;
        r = units_record_holder(root, arg_guest, state->id, &holder);
        if (r < 0)
                return log_error_errno(r, "Cannot read the undo record /run/vxm/units/%s: %s; correct or remove it.",
                        holder ? holder : "", strerror(-r));
        state->held = r > 0;
        return 0;
}

static int plan_unit(int root, const Guest *g, UnitsBus *b, const char *unit, UnitsPlan *plan) {
        _cleanup_(unit_state_done) UnitState state = {};
        const char *reason;
        int r;

        r = units_bus_look(b, unit, &state);
        if (r < 0)
                return r;
        if (unit_is_implied(g, unit) && streq(state.load_state, "not-found"))
                return log_info("There is no %s that would have to stop.", unit), 0;
        reason = unit_state_refusal(&state);
        reason = reason ? reason : unit_name_refusal(state.id, arg_guest);
        if (reason)
                return refuse(g, unit, state.id, reason);

        r = look_for_holder(root, &state);
        if (r < 0)
                return r;
        r = units_plan_add(plan, &state);
        return r < 0 ? log_error_errno(r, "Cannot note %s: %s.", state.id, strerror(-r)) : 0;
}

static int make_plan(int root, const Guest *g, UnitsBus *b, const UnitNames *wanted, UnitsPlan *plan) {
        _cleanup_(unit_names_done) UnitNames earlier = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < wanted->n; i++)
                r = plan_unit(root, g, b, wanted->names[i], plan);
        if (r < 0 || arg_dry_run)
                return r;

        r = units_record_load(root, arg_guest, &earlier);
        r = r == -ENOENT ? 0 : r < 0 ? r : units_plan_keep(plan, &earlier);
        if (r >= 0 && plan->record.n > 0)
                r = units_record_save(root, arg_guest, &plan->record);
        return r < 0 ? log_error_errno(r, "Cannot renew the undo record /run/vxm/units/%s: %s; no unit has been stopped.",
                               arg_guest, strerror(-r))
                     : 0;
}

static void print_steps(const char *verb, const UnitNames *units, const char *condition) {
        for (size_t i = 0; i < units->n; i++)
                printf("%-7s %s%s\n", verb, units->names[i], condition);
}

static int stop_units(int root) {
        _cleanup_(unit_names_done) UnitNames wanted = {};
        _cleanup_(units_plan_done) UnitsPlan plan = {};
        _cleanup_(units_bus_done) UnitsBus bus = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r;
        r = units_wanted(g, &wanted);
        if (r < 0)
                return log_error_errno(r, "%s: Cannot note the units to stop: %s.", g->file, strerror(-r));
        r = judge_names(g, &wanted);
        if (r < 0 || wanted.n == 0)
                return r;
        if (!is_this_machine())
                return print_steps("stop", &wanted, ", if it runs"), 0;

        r = units_bus_open(&bus);
        if (r >= 0 && !arg_dry_run)
                r = one_shot_lock(root, "units", arg_dry_run, &lock);
        r = r < 0 ? r : make_plan(root, g, &bus, &wanted, &plan);
        if (r < 0)
                return r;
        if (arg_dry_run)
                return print_steps("stop", &plan.stop, ""), 0;
        lock = (close(lock), -EBADF);
        return units_bus_stop(&bus, &plan.stop, STOP_TIMEOUT);
}

/* Returns 1 when another guest still wants the unit stopped. That guest's end starts it then. */
static int is_left_stopped(int root, const char *unit) {
        _cleanup_(freep) char *holder = NULL;
        int r;

        r = units_record_holder(root, arg_guest, unit, &holder);
        if (r > 0)
                log_info("%s stays stopped, for guest %s.", unit, holder);
        if (r < 0) /* better one too many than a host without its desktop */
                log_warning("Cannot read the undo record /run/vxm/units/%s: %s; correct or remove it.",
                        holder ? holder : "", strerror(-r));
        return r > 0;
}

/* Starts one unit of the record. What may work another time goes into left. */
static int start_unit(int root, UnitsBus *b, const char *unit, UnitNames *left) {
        _cleanup_(unit_state_done) UnitState state = {};
        _cleanup_(freep) char *reason = NULL;
        int r;

        if (is_left_stopped(root, unit))
                return 0;
        r = units_bus_look(b, unit, &state);
        if (r >= 0 && state.activity == UNIT_UP)
                return 0; /* by an earlier run, or by somebody else */
        if (r >= 0) {
                r = units_bus_start(b, unit, &reason);
                if (r >= 0)
                        return log_event(
                                LOG_INFO, MESSAGE_UNIT_STARTED, FIELDS("VXM_UNIT", unit), "%s is started again.", unit);
                (void) log_event_errno(r, MESSAGE_UNIT_FAILED, FIELDS("VXM_UNIT", unit),
                        "%s cannot be started again: %s; see `systemctl status %s`, then `systemctl start %s`.", unit,
                        reason ? reason : strerror(-r), unit, unit);
        }
        if (r != -ENOENT && unit_names_add(left, unit) < 0)
                return log_oom();
        return r;
}

/* All of them are tried: one that is broken must not keep the others stopped. */
static int start_recorded(int root, UnitsBus *b, const UnitNames *record) {
        _cleanup_(unit_names_done) UnitNames left = {};
        _cleanup_(closep) int lock = -EBADF;
        int r, q, first_error = 0;

        r = one_shot_lock(root, "units", arg_dry_run, &lock);
        if (r < 0)
                return r;
        for (size_t i = 0; i < record->n; i++) {
                r = start_unit(root, b, record->names[i], &left);
                first_error = first_error < 0 ? first_error : r;
        }
        q = left.n > 0 ? units_record_save(root, arg_guest, &left) : units_record_forget(root, arg_guest);
        if (q < 0)
                return log_error_errno(q, "Cannot write /run/vxm/units/%s: %s.", arg_guest, strerror(-q));
        if (left.n > 0)
                return log_error_errno(first_error,
                        "Not all units run again; which do not stays noted in /run/vxm/units/%s. Try again: %s --release %s",
                        arg_guest, program_invocation_name, arg_guest);
        return first_error;
}

static int start_again(int root) {
        _cleanup_(unit_names_done) UnitNames record = {};
        _cleanup_(units_bus_done) UnitsBus bus = {};
        int r;

        r = units_record_load(root, arg_guest, &record);
        if (r == -ENOENT)
                return arg_dry_run ? 0 : units_record_forget(root, arg_guest);
        if (r < 0)
                return log_error_errno(r,
                        "Cannot read the undo record /run/vxm/units/%s: %s; correct it, then try again: "
                        "%s --release %s",
                        arg_guest, strerror(-r), program_invocation_name, arg_guest);
        if (arg_dry_run)
                return print_steps("start", &record, ""), 0;

        r = units_bus_open(&bus);
        r = r < 0 ? r : units_bus_host_ends(&bus);
        if (r < 0)
                return r;
        if (r > 0) {
                log_info("The host is shutting down; what was stopped for the guest is not started again.");
                return units_record_forget(root, arg_guest);
        }
        /* Of a run that was killed: a job that still stops a unit would stand against its start. */
        (void) units_bus_settle(&bus, &record, STOP_TIMEOUT);
        return start_recorded(root, &bus, &record);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "start again what an earlier run stopped, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-units", "Stops units for a guest's life, and starts them again.", "GUEST", 1,
                options, .root_alone = "goes with --dry-run; the units stopped would be those of this machine." };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, stop_units, start_again });
}
