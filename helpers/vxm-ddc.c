/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-ddc: switches the monitors that a guest's file names to the guest's input, and back to the host's, by DDC/CI.
 *
 * Started by vxm-ddc@.service, one instance a guest, for guests with [Monitor]: once when the guest runs (ExecStart=), once when it
 * does not any more (ExecStopPost=, with --release, idempotent). By hand, --probe shows the monitors there are. Speaks over the host's
 * I²C buses, /dev/i2c-N, and writes its record in /run/vxm/ddc, nothing else. A monitor that does not do as it is told is nothing to the
 * guest: what is wrong is explained in the journal. */

#include "cli.h"
#include "ddc-probe.h"
#include "ddc-run.h"
#include "devices.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "root.h"

/* How long monitors are waited for, all together. The guest runs already; when it is stopped, it waits for the way back. */
#define TAKE_USEC UINT64_C(10000000)
#define RELEASE_USEC UINT64_C(5000000)

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_probe;
static bool arg_json;
static bool arg_dry_run;

/* Quirks are this machine's, as its hwdb is. */
static int read_monitors(int root, Monitors *ret) {
        int r = monitors_read(root, ret);

        for (size_t i = 0; r >= 0 && root_is_this_machine(root) && i < ret->n; i++) {
                _cleanup_(freep) char *modalias = NULL;

                r = edid_modalias(&ret->items[i].edid, &modalias);
                if (r >= 0 && monitor_quirk_load(modalias, &ret->items[i].quirk) < 0)
                        log_warning("The hwdb cannot be read; %s is spoken to as the standard has it.", ret->items[i].connector);
        }
        return r < 0 ? log_error_errno(r, "Cannot read the monitors in /sys/class/drm: %s.", strerror(-r)) : 0;
}

/* ---- to the guest ---- */

/* What the guest will have is no way to the monitor: its card's connectors vanish with its driver. */
static int leave_out_guests(int root, const Guest *g, Monitors *l) {
        GuestFunctions functions = {};
        int previous = log_get_max_priority(), r;
        size_t kept = 0;

        if (!guest_has_devices(g))
                return 0;
        log_set_max_priority(-1); /* vxm-bind tells what is wrong with devices */
        r = guest_devices_find(root, g, &functions);
        log_set_max_priority(previous);
        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                bool is_guests = false;

                for (size_t j = 0; l->items[i].pci && j < functions.n; j++)
                        is_guests |= streq(functions.items[j].pci.name, l->items[i].pci);
                if (is_guests)
                        monitor_done(&l->items[i]);
                else
                        l->items[kept++] = l->items[i];
        }
        if (r >= 0)
                l->n = kept;
        guest_functions_done(&functions);
        return 0;
}

static int print_plan(const DdcPlan *plan) {
        for (size_t i = 0; i < plan->n; i++) {
                const DdcStep *step = &plan->items[i];
                const MonitorQuirk *q = &step->monitor->quirk;
                _cleanup_(freep) char *what = NULL, *back = NULL;

                if (monitor_describe(step->monitor, &what) < 0 ||
                        (step->host == DDC_HOST_UNKNOWN ? format(&back, "what it shows then")
                                                        : format(&back, "0x%02x", (unsigned) step->host)) < 0)
                        return log_oom();
                printf("switch  %s to 0x%02x, back to %s; feature 0x%02x from address 0x%02x\n", what, step->guest, back, q->feature,
                        q->source);
        }
        return 0;
}

/* Under a lock, so that of two guests that want a monitor one gets it; what an earlier run has noted and not undone stays. */
static int note(void *userdata, const DdcSwitch *s) {
        _cleanup_(ddc_record_done) DdcRecord record = {};
        _cleanup_(freep) char *holder = NULL;
        _cleanup_(closep) int lock = -EBADF;
        int root = *(const int *) userdata, r;

        r = one_shot_lock(root, "ddc", false, &lock);
        if (r < 0)
                return r;
        r = ddc_record_holder(root, arg_guest, s, &holder);
        if (r < 0)
                return log_error_errno(r, "Cannot read /run/vxm/ddc/%s: %s.", holder ? holder : "", strerror(-r));
        if (r > 0)
                return log_event_errno(E_BUSY, MESSAGE_MONITOR_FAILED, NULL,
                        "The monitor at %s is at guest %s; stop that first, or switch by the monitor's own button.", s->connector, holder);
        r = ddc_record_load(root, arg_guest, &record);
        if (r == -ENOENT)
                r = 0;
        r = r < 0 ? r : ddc_record_add(&record, s);
        r = r < 0 ? r : ddc_record_save(root, arg_guest, &record);
        return r < 0 ? log_error_errno(r, "Cannot write the undo record /run/vxm/ddc/%s: %s; the monitor at %s is not switched.", arg_guest,
                               strerror(-r), s->connector)
                     : 0;
}

static int load_earlier(int root, DdcRecord *ret) {
        int r = ddc_record_load(root, arg_guest, ret);

        return r < 0 && r != -ENOENT ? log_error_errno(r,
                               "Cannot read the undo record /run/vxm/ddc/%s: %s; correct or remove it, then try again: %s %s%s", arg_guest,
                               strerror(-r), program_invocation_name, arg_release ? "--release " : "", arg_guest)
                                     : r;
}

/* The monitors that are known are switched, whatever is wrong with others. */
static int take(int root) {
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(monitors_done) Monitors monitors = {};
        _cleanup_(ddc_plan_done) DdcPlan plan = {};
        _cleanup_(ddc_record_done) DdcRecord earlier = {};
        const DdcLink link = ddc_link(&root);
        int r, q;

        r = guest_load(root, arg_guest, &g);
        if (r < 0 || g->n_monitors == 0)
                return r;
        r = read_monitors(root, &monitors);
        r = r < 0 || !arg_dry_run ? r : leave_out_guests(root, g, &monitors);
        if (r < 0)
                return r;
        r = ddc_plan_make(g, &monitors, &plan);
        if (r < 0 && r != -E_CONFIG)
                return r;
        if (arg_dry_run) {
                q = print_plan(&plan);
        } else {
                q = load_earlier(root, &earlier);
                q = q < 0 && q != -ENOENT ? q : ddc_run_take(&link, &plan, &earlier, TAKE_USEC, note, &root);
        }
        return r < 0 ? r : q;
}

/* ---- back to the host ---- */

static int forget_record(int root) {
        int r = ddc_record_forget(root, arg_guest);

        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/ddc/%s: %s.", arg_guest, strerror(-r)) : 0;
}

static int release(int root) {
        _cleanup_(ddc_record_done) DdcRecord record = {};
        _cleanup_(monitors_done) Monitors monitors = {};
        const DdcLink link = ddc_link(&root);
        int r = load_earlier(root, &record);

        if (r == -ENOENT)
                return arg_dry_run ? 0 : forget_record(root);
        if (r < 0)
                return r;
        if (arg_dry_run) {
                for (size_t i = 0; i < record.n; i++)
                        printf("switch  the monitor at %s to 0x%02x; feature 0x%02x from address 0x%02x\n", record.items[i].connector,
                                record.items[i].host, record.items[i].feature, record.items[i].source);
                return 0;
        }
        r = read_monitors(root, &monitors);
        r = r < 0 ? r : ddc_run_release(&link, &monitors, &record, RELEASE_USEC);
        return r < 0 ? r : forget_record(root);
}

/* ---- looking ---- */

static int probe(void) {
        _cleanup_(closep) int root = root_open(arg_root);
        _cleanup_(monitors_done) Monitors monitors = {};
        const DdcLink link = ddc_link(&root);
        int r;

        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        r = read_monitors(root, &monitors);
        return r < 0 ? r : ddc_probe(arg_dry_run ? NULL : &link, &monitors, arg_json, stdout);
}

static bool options_fit(void) {
        bool good = arg_probe ? !arg_guest && !arg_release : arg_guest && !arg_json;

        if (!good)
                fputs("vxm-ddc: expected GUEST, or --probe alone; see vxm-ddc --help.\n", stderr);
        return good;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "switch back what an earlier run switched, by its record", &arg_release, NULL },
                { "probe", NULL, "show the monitors there are, and their inputs", &arg_probe, NULL },
                { "json", NULL, "with --probe: for machines", &arg_json, NULL },
                { "dry-run", NULL, "print the steps, and speak to no monitor", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-ddc", "Switches monitors to a guest's input, and back to the host's.", "[GUEST]", 1, options, true,
                .root_alone = "goes with --dry-run; the monitors switched would be this machine's." };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_guest = operands[0];
        if (!options_fit())
                return STATUS_USAGE;
        log_setup("vxm-ddc", arg_guest);
        return exit_status(arg_probe ? probe() : one_shot_run(arg_root, arg_guest, arg_release ? release : take));
}
