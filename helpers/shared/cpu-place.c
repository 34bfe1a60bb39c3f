/* SPDX-License-Identifier: BSD-3-Clause */
/* Places guests on the host's CPUs.
 *
 * Pin=auto prefers, in this order: CPUs that no other guest holds; all from one L3 cache, of several the largest cache
 * and then the one of which the least is left over; whole cores; and nothing of the first CPU's core, as the kernel and
 * firmware have most of their work there. */

#include "cpu-place.h"
#include "exit-status.h"

CpuSet cpu_placement_own(const CpuPlacement *p) {
        CpuSet set = p->spare;

        for (size_t i = 0; i < p->n; i++)
                cpu_set_add(&set, p->vcpus[i]);
        return set;
}

/* ---- the order of CPUs ---- */

static int compare_unsigned(unsigned a, unsigned b) {
        return a < b ? -1 : a > b;
}

/* Those of a core beside each other, those of a cache, those of a package. */
static int compare_cpus(const void *a, const void *b) {
        const HostCpu *x = *(const HostCpu *const *) a, *y = *(const HostCpu *const *) b;
        int r;

        r = compare_unsigned(x->package, y->package);
        r = r != 0 ? r : compare_unsigned(cpu_set_next(&x->domain, 0), cpu_set_next(&y->domain, 0));
        r = r != 0 ? r : compare_unsigned(cpu_set_next(&x->core, 0), cpu_set_next(&y->core, 0));
        return r != 0 ? r : compare_unsigned(x->number, y->number);
}

/* The first CPUs of the set become vCPUs; the rest of it is to spare. */
static int take(const HostCpus *host, const CpuSet *set, size_t count, CpuPlacement *ret) {
        _cleanup_(freep) const HostCpu **order = calloc(host->n, sizeof *order);
        size_t n = 0;

        if (!order)
                return -ENOMEM;
        for (size_t i = 0; i < host->n; i++)
                if (cpu_set_has(set, host->items[i].number))
                        order[n++] = &host->items[i];
        qsort(order, n, sizeof *order, compare_cpus);

        for (size_t i = 0; i < n; i++)
                if (i < count)
                        ret->vcpus[ret->n++] = order[i]->number;
                else
                        cpu_set_add(&ret->spare, order[i]->number);
        return 0;
}

/* ---- Pin=LIST ---- */

static int judge_list(const HostCpus *host, const CpuSet *list, char **ret_why) {
        CpuSet missing = cpu_set_minus(list, &host->present), offline;
        char text[CPU_SET_TEXT_MAX], there[CPU_SET_TEXT_MAX];
        int r = 0;

        if (!cpu_set_is_empty(&missing)) {
                r = format(ret_why, "there is no CPU %s; this machine has %s", cpu_set_print(&missing, text),
                        cpu_set_print(&host->present, there));
                return r < 0 ? r : -E_CONFIG;
        }
        offline = cpu_set_minus(list, &host->online);
        if (!cpu_set_is_empty(&offline)) {
                r = format(ret_why,
                        "CPU %s is offline; write 1 to /sys/devices/system/cpu/cpu%u/online, or leave it out",
                        cpu_set_print(&offline, text), cpu_set_next(&offline, 0));
                return r < 0 ? r : -E_CONFIG;
        }
        return 0;
}

/* ---- Pin=auto ---- */

/* All CPUs of cores that lie in the set as a whole. */
static CpuSet whole_cores(const HostCpus *host, const CpuSet *set) {
        CpuSet whole = {};

        for (size_t i = 0; i < host->n; i++) {
                CpuSet core = cpu_set_common(&host->items[i].core, &host->online);

                if (cpu_set_contains(set, &core))
                        whole = cpu_set_union(&whole, &core);
        }
        return whole;
}

/* Of the set, by whole cores as long as there are any, as many CPUs as are wanted; of its last core a part may be too
 * many. */
static CpuSet pick(const HostCpus *host, const CpuSet *set, size_t count) {
        CpuSet picked = {}, whole = whole_cores(host, set), partial = cpu_set_minus(set, &whole);
        const CpuSet *const turns[] = { &whole, &partial };

        for (size_t t = 0; t < ELEMENTSOF(turns); t++)
                for (unsigned i = cpu_set_next(turns[t], 0); i < CPU_SET_MAX; i = cpu_set_next(turns[t], i + 1)) {
                        const HostCpu *cpu = host_cpus_find(host, i);
                        CpuSet core = cpu_set_common(&cpu->core, turns[t]);

                        if (cpu_set_count(&picked) < count && !cpu_set_has(&picked, i))
                                picked = cpu_set_union(&picked, &core);
                }
        return picked;
}

/* The CPUs of the one L3 cache that suits best and has enough of the set. */
static bool find_domain(const HostCpus *host, const CpuSet *set, size_t count, CpuSet *ret) {
        const HostCpu *best = NULL;
        size_t best_n = 0;

        for (size_t i = 0; i < host->n; i++) {
                const HostCpu *cpu = &host->items[i];
                CpuSet in = cpu_set_common(&cpu->domain, set);
                size_t n = cpu_set_count(&in);

                if (cpu_set_next(&cpu->domain, 0) != cpu->number || n < count)
                        continue; /* once a domain */
                if (!best || cpu->cache_size > best->cache_size ||
                        (cpu->cache_size == best->cache_size && n < best_n)) {
                        best = cpu;
                        best_n = n;
                        *ret = in;
                }
        }
        return best;
}

/* From several caches: of those with the most first, so that they are as few as can be. */
static CpuSet gather(const HostCpus *host, const CpuSet *set, size_t count) {
        CpuSet gathered = {}, left = *set;

        while (cpu_set_count(&gathered) < count && !cpu_set_is_empty(&left)) {
                CpuSet most = {};

                for (size_t i = 0; i < host->n; i++) {
                        CpuSet in = cpu_set_common(&host->items[i].domain, &left);

                        if (cpu_set_count(&in) > cpu_set_count(&most))
                                most = in;
                }
                left = cpu_set_minus(&left, &most);
                most = pick(host, &most, count - cpu_set_count(&gathered));
                gathered = cpu_set_union(&gathered, &most);
        }
        return gathered;
}

/* The sets to choose from, the best first: without the first core, then with what of it the host can spare. */
static bool choose(const HostCpus *host, const CpuSet *free_cpus, size_t count, bool isolate, CpuSet *ret) {
        const HostCpu *first = &host->items[0];
        CpuSet all_but_core = cpu_set_minus(free_cpus, &first->core), all_but_first = *free_cpus, whole, domain;

        if (isolate) {
                CpuSet rest = {};

                cpu_set_add(&rest, first->number);
                all_but_first = cpu_set_minus(free_cpus, &rest);
        }
        whole = whole_cores(host, &all_but_core);

        const CpuSet *const sets[] = { &whole, &all_but_core, &all_but_first };

        for (size_t i = 0; i < ELEMENTSOF(sets); i++) {
                if (find_domain(host, sets[i], count, &domain)) {
                        *ret = pick(host, &domain, count);
                        return true;
                }
                if (cpu_set_count(sets[i]) >= count) {
                        *ret = gather(host, sets[i], count);
                        return true;
                }
        }
        return false;
}

static int too_few(const HostCpus *host, const Guest *g, const CpuSet *taken, char **ret_why) {
        CpuSet held = cpu_set_common(taken, &host->online);
        char text[CPU_SET_TEXT_MAX];
        int r;

        if (!cpu_set_is_empty(&held)) {
                r = format(ret_why, "%zu CPUs are wanted, and of this machine's %zu other guests hold %s",
                        (size_t) g->cpu_count, host->n, cpu_set_print(&held, text));
                return r < 0 ? r : -E_BUSY;
        }
        r = format(ret_why, "%zu CPUs are wanted, and this machine has %zu%s; lower Count=", (size_t) g->cpu_count,
                host->n, g->cpu_isolate ? ", of which it needs one itself" : "");
        return r < 0 ? r : -E_CONFIG;
}

/* ---- both ---- */

/* Where QEMU's other threads run, if nothing is to spare: on what no vCPU is pinned to, by any guest if that can be. */
static CpuSet place_others(const HostCpus *host, const CpuSet *own, const CpuSet *taken, const CpuSet *fenced) {
        CpuSet open = cpu_set_minus(&host->online, fenced), others = cpu_set_minus(&open, own),
               quiet = cpu_set_minus(&others, taken);

        return !cpu_set_is_empty(&quiet) ? quiet : !cpu_set_is_empty(&others) ? others : open;
}

int cpu_place(const HostCpus *host, const Guest *g, const CpuSet *taken, const CpuSet *fenced, CpuPlacement *ret,
        char **ret_why) {
        CpuSet set = g->cpu_pin.list, own, all, left;
        CpuPlacement p = {};
        int r;

        if (g->cpu_pin.kind == CPU_PIN_AUTO) {
                CpuSet free_cpus = cpu_set_minus(&host->online, taken);

                if (!choose(host, &free_cpus, g->cpu_count, g->cpu_isolate, &set))
                        return too_few(host, g, taken, ret_why);
        } else {
                r = judge_list(host, &set, ret_why);
                if (r < 0)
                        return r;
        }
        r = take(host, &set, g->cpu_count, &p);
        if (r < 0)
                return r;
        if (g->cpu_pin.kind == CPU_PIN_AUTO && !g->cpu_isolate)
                p.spare = (CpuSet){}; /* the other thread of a core that is not needed is nobody's */

        own = cpu_placement_own(&p);
        all = cpu_set_union(&own, fenced);
        left = cpu_set_minus(&host->online, &all);
        if (g->cpu_isolate && cpu_set_is_empty(&left)) {
                r = format(ret_why, "the host would be left without a CPU; leave it at least one");
                return r < 0 ? r : -E_CONFIG;
        }
        p.others = !cpu_set_is_empty(&p.spare) ? p.spare : place_others(host, &own, taken, fenced);
        *ret = p;
        return 0;
}

/* ---- what the guest sees ---- */

static bool same_core(const HostCpu *a, const HostCpu *b) {
        return cpu_set_has(&a->core, b->number);
}

static bool same_domain(const HostCpu *a, const HostCpu *b) {
        return a->package == b->package && cpu_set_has(&a->domain, b->number);
}

/* How many vCPUs each run of neighbours has that belong together; 0: they are not all as long. */
static size_t even_runs(
        const HostCpus *host, const CpuPlacement *p, bool (*together)(const HostCpu *a, const HostCpu *b)) {
        size_t length = 0, run = 0;

        for (size_t i = 0; i < p->n; i++) {
                const HostCpu *cpu = host_cpus_find(host, p->vcpus[i]);
                const HostCpu *next = i + 1 < p->n ? host_cpus_find(host, p->vcpus[i + 1]) : NULL;

                if (!cpu)
                        return 0; /* gone offline since */
                run++;
                if (next && together(cpu, next))
                        continue;
                if (length != 0 && run != length)
                        return 0;
                length = run;
                run = 0;
        }
        return length;
}

static bool has_whole_caches(const HostCpus *host, const CpuPlacement *p) {
        CpuSet own = cpu_placement_own(p);

        for (size_t i = 0; i < p->n; i++) {
                const HostCpu *cpu = host_cpus_find(host, p->vcpus[i]);

                if (!cpu || !cpu_set_contains(&own, &cpu->domain))
                        return false;
        }
        return cpu_set_is_empty(&p->spare);
}

CpuTopology cpu_topology(const HostCpus *host, const CpuPlacement *p) {
        size_t threads = even_runs(host, p, same_core), in_domain = even_runs(host, p, same_domain);
        size_t dies;

        threads = threads == 0 ? 1 : threads;
        dies = in_domain == 0 || in_domain % threads != 0 ? 1 : p->n / in_domain;
        return (CpuTopology){
                .sockets = 1,
                .dies = (unsigned) dies,
                .cores = (unsigned) (p->n / dies / threads),
                .threads = (unsigned) threads,
                .whole_caches = has_whole_caches(host, p),
        };
}
