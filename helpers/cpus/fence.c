/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans the fence around guests' CPUs.
 *
 * The host's slices lose the CPUs of all guests with Isolate=yes, and interrupts and the kernel's threads go elsewhere.
 * Those guests run in a slice of their own. QEMU's other threads run on the host's CPUs, so that nothing stands in a vCPU's way; only if each
 * of the guests has CPUs to spare for them can the slice be cut off altogether, as a partition that no other thread can
 * be in. */

#include "exit-status.h"
#include "fence.h"
#include "masks.h"

const char *const fence_host_units[] = { "init.scope", "system.slice", "user.slice", "machine.slice" };
const size_t n_fence_host_units = ELEMENTSOF(fence_host_units);

void fence_plan_done(FencePlan *plan) {
        for (size_t i = 0; i < plan->n_units; i++)
                free(plan->units[i].name);
        for (size_t i = 0; i < plan->n_masks; i++)
                free(plan->masks[i].name);
        free(plan->units);
        free(plan->masks);
        *plan = (FencePlan){};
}

static bool stays(const CpuClaim *claim, const char *leaving) {
        return claim->record.isolate && !streq_ptr(claim->guest, leaving);
}

/* Which of the units this is; and the guest, if it is that of one who stays. */
static bool is_host_unit(const char *unit) {
        for (size_t i = 0; i < n_fence_host_units; i++)
                if (streq(fence_host_units[i], unit))
                        return true;
        return false;
}

static const CpuClaim *find_guest(const CpuClaims *guests, const char *leaving, const char *unit) {
        const char *instance = startswith(unit, "vxm-guest@");

        for (size_t i = 0; instance && i < guests->n; i++) {
                const char *rest = startswith(instance, guests->items[i].guest);

                if (rest && streq(rest, ".service") && stays(&guests->items[i], leaving))
                        return &guests->items[i];
        }
        return NULL;
}

/* Within what it had; all that the host has, if that was nothing in particular. */
static CpuSet fence_off(const FencePlan *plan, const CpuSet *original) {
        return cpu_set_is_empty(original) ? plan->host : cpu_set_common(original, &plan->host);
}

static CpuSet guest_cpus(const FencePlan *plan, const CpuRecord *record) {
        CpuSet own = cpu_placement_own(&record->placement);

        return cpu_set_is_empty(&record->placement.spare) ? cpu_set_union(&own, &plan->host) : own;
}

static bool is_partition(const FencePlan *plan) {
        return !streq(plan->partition, "member");
}

static int plan_unit(
        FencePlan *plan, const CpuClaims *guests, const char *leaving, const CpuRecordUnit *was, char **ret_why) {
        const CpuClaim *guest = find_guest(guests, leaving, was->name);
        bool fence = !cpu_set_is_empty(&plan->fenced);
        CpuSet allowed = was->allowed;
        CpuRecordUnit *unit;
        int r;

        if (fence && is_host_unit(was->name)) {
                allowed = fence_off(plan, &was->allowed);
                if (cpu_set_is_empty(&allowed) && !leaving) {
                        r = format(ret_why, "%s has AllowedCPUs= of its own, of which none would be left", was->name);
                        return r < 0 ? r : -E_CONFIG;
                }
                if (cpu_set_is_empty(&allowed))
                        allowed = was->allowed;
        } else if (is_partition(plan) && streq(was->name, FENCE_GUEST_SLICE)) {
                allowed = plan->fenced;
        } else if (guest) {
                allowed = guest_cpus(plan, &guest->record);
        }

        unit = ARRAY_GROW(plan->units, plan->n_units);
        if (!unit || !(unit->name = strdup(was->name)))
                return -ENOMEM;
        unit->allowed = allowed;
        plan->n_units++;
        return 0;
}

static bool has_unit(const FencePlan *plan, const char *name) {
        for (size_t i = 0; i < plan->n_units; i++)
                if (streq(plan->units[i].name, name))
                        return true;
        return false;
}

static bool has_mask(const FencePlan *plan, const CpuRecordMask *mask) {
        for (size_t i = 0; i < plan->n_masks; i++)
                if (plan->masks[i].kind == mask->kind && streq(plan->masks[i].name, mask->name))
                        return true;
        return false;
}

/* An interrupt that only guests' CPUs took goes to any of the host's; a thread that may run on none but these is bound
 * there, and stays. */
static CpuSet keep_off(const FencePlan *plan, const CpuRecordMask *was) {
        CpuSet mask = fence_off(plan, &was->mask);

        if (!cpu_set_is_empty(&mask))
                return mask;
        return was->kind == CPU_MASK_THREAD ? was->mask : plan->host;
}

static int plan_mask(FencePlan *plan, const CpuRecordMask *was, bool fence) {
        CpuRecordMask *mask = ARRAY_GROW(plan->masks, plan->n_masks);

        if (!mask || !(mask->name = strdup(was->name)))
                return -ENOMEM;
        mask->kind = was->kind;
        mask->mask = fence ? keep_off(plan, was) : was->mask;
        plan->n_masks++;
        return 0;
}

/* Those of the one who leaves, or of all others. */
static int plan_masks(FencePlan *plan, const CpuClaims *guests, const char *leaving, bool of_leaving) {
        bool fence = !of_leaving && !cpu_set_is_empty(&plan->fenced);
        int r = 0;

        for (size_t i = 0; i < guests->n; i++) {
                const CpuRecord *record = &guests->items[i].record;

                if (streq_ptr(guests->items[i].guest, leaving) != of_leaving)
                        continue;
                for (size_t j = 0; r >= 0 && j < record->n_masks; j++)
                        if (!has_mask(plan, &record->masks[j]))
                                r = plan_mask(plan, &record->masks[j], fence);
        }
        return r;
}

/* Who gives comes before who gets: a partition takes no CPU that another unit still has. */
static void reverse_units(FencePlan *plan) {
        for (size_t i = 0; i < plan->n_units / 2; i++) {
                CpuRecordUnit unit = plan->units[i];

                plan->units[i] = plan->units[plan->n_units - 1 - i];
                plan->units[plan->n_units - 1 - i] = unit;
        }
}

static void sum_up(FencePlan *plan, const CpuSet *online, const CpuClaims *guests, const char *leaving) {
        size_t staying = 0, sparing = 0;
        bool spread = false;

        for (size_t i = 0; i < guests->n; i++) {
                const CpuClaim *claim = &guests->items[i];
                CpuSet own = cpu_placement_own(&claim->record.placement);

                if (!stays(claim, leaving))
                        continue;
                plan->fenced = cpu_set_union(&plan->fenced, &own);
                staying++;
                sparing += !cpu_set_is_empty(&claim->record.placement.spare);
                spread |= cpu_set_count(&claim->record.placement.spare) > 1;
        }
        plan->host = cpu_set_minus(online, &plan->fenced);
        plan->partition = staying == 0 || sparing < staying ? "member" : spread ? "root" : "isolated";
}

int fence_plan(const CpuSet *online, const CpuClaims *guests, const char *leaving, FencePlan *ret, char **ret_why) {
        _cleanup_(fence_plan_done) FencePlan plan = {};
        int r = 0;

        sum_up(&plan, online, guests, leaving);
        if (cpu_set_is_empty(&plan.host) && !leaving) {
                r = format(ret_why, "the host would be left without a CPU; leave it at least one");
                return r < 0 ? r : -E_CONFIG;
        }
        for (size_t i = 0; i < guests->n; i++) {
                const CpuRecord *record = &guests->items[i].record;

                for (size_t j = 0; r >= 0 && j < record->n_units; j++)
                        if (!has_unit(&plan, record->units[j].name))
                                r = plan_unit(&plan, guests, leaving, &record->units[j], ret_why);
        }
        r = r < 0 ? r : plan_masks(&plan, guests, leaving, false);
        r = r < 0 ? r : plan_masks(&plan, guests, leaving, true);
        if (r < 0)
                return r;
        if (leaving)
                reverse_units(&plan);

        *ret = plan;
        plan = (FencePlan){};
        return 0;
}

void fence_plan_print(const FencePlan *plan, FILE *f) {
        char text[CPU_SET_TEXT_MAX];

        for (size_t i = 0; i < plan->n_units; i++)
                fprintf(f, "set     %s AllowedCPUs=%s\n", plan->units[i].name,
                        cpu_set_print(&plan->units[i].allowed, text));
        if (is_partition(plan))
                fprintf(f, "write   /sys/fs/cgroup/%s/cpuset.cpus.partition %s\n", FENCE_GUEST_SLICE, plan->partition);
        for (size_t i = 0; i < plan->n_masks; i++)
                mask_print(&plan->masks[i], f);
}
