/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-cpus: chooses the CPUs that a guest runs on, and fences the host off them.
 *
 * Started by vxm-cpus@.service, one instance a guest: once before the guest (ExecStart=), once to undo it
 * (ExecStopPost=, with
 * --release, idempotent). Asks systemd to set AllowedCPUs= of the host's slices and of the guest, until the next boot;
 * writes interrupt masks in /proc/irq, the mask of unbound workqueues in /sys/devices/virtual/workqueue, the partition
 * of the guests' slice in /sys/fs/cgroup, and its record in /run/vxm/cpus; says where the kernel's own threads run. Does
 * not pin the guest's: vxm-qemu does, by that record. */

#include "cli.h"
#include "cpus-bus.h"
#include "exit-status.h"
#include "fence.h"
#include "log.h"
#include "masks.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "qemu-facts.h"
#include "root.h"
#include "systemd-bus.h"

#define PARTITION "sys/fs/cgroup/" FENCE_GUEST_SLICE "/cpuset.cpus.partition"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

/* Another machine's files say nothing about the units of this one. */
static bool is_this_machine(void) {
        return streq(arg_root, "/");
}

static int open_bus(sd_bus **ret) {
        return is_this_machine() ? systemd_bus_open(ret) : 0;
}

static int load_host(int root, HostCpus *ret) {
        int r = host_cpus_load(root, ret);

        return r < 0 ? log_error_errno(r, "Cannot read /sys/devices/system/cpu: %s.",
                               r == -E_LACKS ? "there is none" : strerror(-r))
                     : 0;
}

/* ---- acting ---- */

/* What the kernel says of the partition: "member", "root", "isolated", or "isolated invalid (why)". */
static int set_partition(int root, const char *wanted) {
        _cleanup_(freep) char *now = NULL, *then = NULL;
        int r = root_read(root, PARTITION, &now);

        if (r < 0 || streq(now, wanted))
                return 0; /* a kernel older than 6.1, or nobody is in the slice */
        r = root_write(root, PARTITION, wanted);
        r = r < 0 ? r : root_read(root, PARTITION, &then);
        if (r >= 0 && streq(then, wanted))
                return 0;
        log_full(arg_release ? LOG_ERR : LOG_INFO, 0, NULL, NULL, "The kernel does not make /%s “%s” (%s)%s.",
                PARTITION, wanted, r < 0 ? strerror(-r) : then,
                arg_release ? "" : "; the guest's CPUs are fenced off all the same");
        return r < 0 ? r : -EIO;
}

/* All of them are tried: where one fails, the others are wanted all the same. */
static int set_units(sd_bus *bus, const FencePlan *plan) {
        CpuSet all = cpu_set_union(&plan->host, &plan->fenced);
        int first_error = 0;

        for (size_t i = 0; i < plan->n_units; i++) {
                int r = cpus_bus_allow(bus, plan->units[i].name, &plan->units[i].allowed, &all);

                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

static int check_units(sd_bus *bus, const FencePlan *plan) {
        for (size_t i = 0; i < n_fence_host_units; i++) {
                const char *unit = fence_host_units[i];
                char text[CPU_SET_TEXT_MAX];
                CpuSet now;
                int r = cpus_bus_effective(bus, unit, &now);

                if (r < 0)
                        return r;
                if (cpu_set_intersects(&now, &plan->fenced))
                        return log_event_errno(EIO, MESSAGE_CPUS_FAILED, FIELDS("VXM_UNIT", unit),
                                "%s still runs on CPU %s; see `systemctl show -p AllowedCPUs,EffectiveCPUs %s`.", unit,
                                cpu_set_print(&now, text), unit);
        }
        return 0;
}

/* What the kernel does not let go stays where it is. On the way back that is said, and no more: the number may be another
 * device's by now, and trying again would not help. */
static int set_masks(int root, const FencePlan *plan) {
        bool fence = !cpu_set_is_empty(&plan->fenced);
        int first_error = 0;

        for (size_t i = 0; i < plan->n_masks; i++) {
                const CpuRecordMask *mask = &plan->masks[i];
                int r = mask_set(root, mask);

                if (r < 0 && arg_release)
                        r = mask_set(root, mask); /* the last chance to put it back */
                if (r >= 0 || (fence && mask_is_fixed(mask, r)))
                        continue;
                log_warning("Cannot set the CPUs of %s %s: %s.", mask_what(mask), mask->name, strerror(-r));
                if (!mask_is_fixed(mask, r) && first_error == 0)
                        first_error = r;
        }
        return fence ? 0 : first_error;
}

/* Each step is tried on the way back, whatever became of those before. */
static int act(int root, sd_bus *bus, const FencePlan *plan) {
        bool partition = !streq(plan->partition, "member");
        int r = 0, q;

        if (!partition)
                r = set_partition(root, plan->partition);
        q = set_units(bus, plan);
        r = r < 0 ? r : q;
        /* This question is answered after systemd has told the kernel. */
        (void) cpus_bus_effective(bus, fence_host_units[0], &(CpuSet){});
        if (r >= 0 && !arg_release)
                r = check_units(bus, plan);
        if (r < 0 && !arg_release)
                return r;
        if (partition)
                (void) set_partition(root, plan->partition);
        q = set_masks(root, plan);
        return r < 0 ? r : q;
}

/* ---- taking ---- */

/* As it was before the first guest: what a record has, and only else what is. */
static int look_at_unit(sd_bus *bus, const CpuClaims *claims, const char *unit, CpuSet *ret) {
        for (size_t i = 0; i < claims->n; i++) {
                const CpuRecordUnit *was = cpu_record_find_unit(&claims->items[i].record, unit);

                if (was)
                        return *ret = was->allowed, 0;
        }
        return bus ? cpus_bus_allowed(bus, unit, ret) : 0;
}

static int note_unit(sd_bus *bus, const CpuClaims *claims, const char *unit, CpuRecord *record) {
        CpuSet allowed = {};
        int r;

        r = look_at_unit(bus, claims, unit, &allowed);
        if (r < 0)
                return r; /* told */
        r = cpu_record_add_unit(record, unit, &allowed);
        return r < 0 ? log_error_errno(r, "Cannot note how %s is: %s.", unit, strerror(-r)) : 0;
}

static int note_units(sd_bus *bus, const CpuClaims *claims, CpuRecord *record) {
        _cleanup_(freep) char *own = NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_fence_host_units; i++)
                r = note_unit(bus, claims, fence_host_units[i], record);
        r = r < 0 ? r : note_unit(bus, claims, FENCE_GUEST_SLICE, record);
        if (r >= 0 && format(&own, "vxm-guest@%s.service", arg_guest) < 0)
                return log_oom();
        return r < 0 ? r : note_unit(bus, claims, own, record);
}

/* Of threads that have ended nothing is passed on, or the notes would grow with each guest that comes before another goes. */
static int copy_masks(int root, const CpuRecord *from, CpuRecord *record) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < from->n_masks; i++) {
                const CpuRecordMask *mask = &from->masks[i];

                if (!mask_is_over(root, mask))
                        r = cpu_record_add_mask(record, mask->kind, mask->name, &mask->mask);
        }
        return r;
}

static int note_masks(int root, const CpuClaims *claims, CpuRecord *record) {
        CpuSet own = cpu_placement_own(&record->placement);
        int r = 0;

        for (size_t i = 0; r >= 0 && i < claims->n; i++)
                r = copy_masks(root, &claims->items[i].record, record);
        r = r < 0 ? r : masks_note(root, &own, record);
        return r < 0 ? log_error_errno(
                               r, "Cannot note the CPUs of interrupts and of the kernel's threads: %s.", strerror(-r))
                     : 0;
}

/* What an earlier run of this guest's has noted, and not undone since, holds on. */
static int keep_earlier(int root, CpuRecord *record) {
        _cleanup_(cpu_record_done) CpuRecord earlier = {};
        int r = cpu_record_load(root, arg_guest, &earlier);

        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < earlier.n_units; i++)
                r = cpu_record_add_unit(record, earlier.units[i].name, &earlier.units[i].allowed);
        return r < 0 ? r : copy_masks(root, &earlier, record);
}

static int make_record(int root, sd_bus *bus, const Guest *g, const CpuClaims *claims, CpuRecord *record) {
        int r;

        record->isolate = g->cpu_isolate;
        r = keep_earlier(root, record);
        if (r < 0)
                return log_error_errno(r, "Cannot read the record /run/vxm/cpus/%s: %s; correct or remove it.",
                        arg_guest, strerror(-r));
        if (!g->cpu_isolate)
                return 0;
        r = note_units(bus, claims, record);
        return r < 0 ? r : note_masks(root, claims, record);
}

/* Puts the guest's own record to those of the others, which then are all that there are. */
static int join(CpuClaims *claims, CpuRecord *record) {
        CpuClaim *claim = ARRAY_GROW(claims->items, claims->n);

        if (!claim || !(claim->guest = strdup(arg_guest)))
                return log_oom();
        claims->n++;
        claim->record = *record;
        *record = (CpuRecord){};
        return 0;
}

static int plan_fence(const Guest *g, const HostCpus *host, const CpuClaims *all, FencePlan *ret) {
        _cleanup_(freep) char *why = NULL;
        int r = fence_plan(&host->online, all, NULL, ret, &why);

        if (r == -E_CONFIG)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: [CPU] Isolate=yes: %s.", g->file, why);
        return r < 0 ? log_oom() : 0;
}

static int fence(int root, sd_bus *bus, const FencePlan *plan, const CpuRecord *record) {
        CpuSet own = cpu_placement_own(&record->placement);
        char text[CPU_SET_TEXT_MAX], left[CPU_SET_TEXT_MAX];
        int r;

        r = act(root, bus, plan);
        if (r >= 0)
                log_event(LOG_INFO, MESSAGE_CPUS_FENCED, FIELDS("VXM_CPUS", cpu_set_print(&own, text)),
                        "The host is fenced off CPUs %s; it has %s.", text, cpu_set_print(&plan->host, left));
        return r;
}

static int print_plan(const CpuRecord *record, const FencePlan *plan) {
        const CpuRecord claim = { .placement = record->placement, .isolate = record->isolate };
        _cleanup_(freep) char *text = NULL;
        char *state;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return log_oom();
        (void) cpu_record_print(f, &claim);
        if (fclose(f) != 0)
                return log_oom();
        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                printf("note    %s\n", line);
        fence_plan_print(plan, stdout);
        return 0;
}

static int take_for(int root, const Guest *g) {
        _cleanup_(cpus_bus_closep) sd_bus *bus = NULL;
        _cleanup_(cpu_record_done) CpuRecord record = {};
        _cleanup_(fence_plan_done) FencePlan plan = {};
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        _cleanup_(host_cpus_done) HostCpus host = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = load_host(root, &host);
        r = r < 0 ? r : one_shot_lock(root, "cpus", arg_dry_run, &lock);
        r = r < 0 ? r : cpu_claims_load(root, arg_guest, &claims);
        r = r < 0 ? r : cpu_claims_place(&host, g, &claims, &record.placement);
        if (r >= 0 && g->cpu_isolate)
                r = open_bus(&bus);
        r = r < 0 ? r : make_record(root, bus, g, &claims, &record);
        r = r < 0 ? r : join(&claims, &record);
        r = r < 0 ? r : plan_fence(g, &host, &claims, &plan);
        if (r < 0)
                return r;

        const CpuRecord *own = &claims.items[claims.n - 1].record;

        if (arg_dry_run)
                return print_plan(own, &plan);
        r = cpu_record_save(root, arg_guest, own);
        if (r < 0)
                return log_error_errno(r, "Cannot write the record /run/vxm/cpus/%s: %s; nothing has been changed.",
                        arg_guest, strerror(-r));
        return g->cpu_isolate ? fence(root, bus, &plan, own) : 0;
}

static int take_cpus(int root) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r;
        if (g->cpu_pin.kind == CPU_PIN_NONE)
                return 0;
        /* Nothing is changed for a guest that could not start. Its devices and networks are the business of vxm-bind and
         * vxm-net, which come before. */
        r = qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_WITHOUT_NETWORK, &facts);
        return r < 0 ? r : take_for(root, g);
}

/* ---- giving back ---- */

static int unfence(int root, const FencePlan *plan, const CpuSet *own) {
        _cleanup_(cpus_bus_closep) sd_bus *bus = NULL;
        char text[CPU_SET_TEXT_MAX];
        int r;

        r = open_bus(&bus);
        r = r < 0 ? r : act(root, bus, plan);
        if (r >= 0)
                log_event(LOG_INFO, MESSAGE_CPUS_FENCED, FIELDS("VXM_CPUS", cpu_set_print(own, text)),
                        "The host has CPUs %s back.", text);
        return r;
}

static int release_recorded(int root, CpuRecord *record) {
        _cleanup_(fence_plan_done) FencePlan plan = {};
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        _cleanup_(host_cpus_done) HostCpus host = {};
        _cleanup_(freep) char *why = NULL;
        CpuSet own = cpu_placement_own(&record->placement);
        bool fenced = record->n_units > 0 || record->n_masks > 0;
        int r;

        r = load_host(root, &host);
        r = r < 0 ? r : cpu_claims_load(root, arg_guest, &claims);
        r = r < 0 ? r : join(&claims, record);
        if (r < 0)
                return r;
        r = fence_plan(&host.online, &claims, arg_guest, &plan, &why);
        if (r < 0)
                return log_oom();
        if (arg_dry_run)
                return fence_plan_print(&plan, stdout), 0;
        r = fenced ? unfence(root, &plan, &own) : 0;
        return r < 0 ? r : cpu_record_forget(root, arg_guest);
}

static int release_cpus(int root) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = one_shot_lock(root, "cpus", arg_dry_run, &lock);
        if (r < 0)
                return r;
        r = cpu_record_load(root, arg_guest, &record);
        if (r == -ENOENT)
                return arg_dry_run ? 0 : cpu_record_forget(root, arg_guest);
        if (r < 0)
                return log_error_errno(r,
                        "Cannot read the record /run/vxm/cpus/%s: %s; correct it, then try again: %s --release %s",
                        arg_guest, strerror(-r), program_invocation_name, arg_guest);
        return release_recorded(root, &record);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "undo what an earlier run did, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the machine below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-cpus", "Fences the host off a guest's CPUs, and lets it back.", "GUEST", 1,
                options, .root_alone = "goes with --dry-run; the units changed would be those of this machine." };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, take_cpus, release_cpus });
}
