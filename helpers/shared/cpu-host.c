/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the host's processors: Documentation/ABI/testing/sysfs-devices-system-cpu. */

#include <cpuid.h>

#include "cpu-host.h"
#include "exit-status.h"
#include "parse.h"
#include "root.h"

#define CPUS "sys/devices/system/cpu"

enum {
        CACHES_MAX = 16, /* indices looked at; processors have 4 or 5 */
        PATH_SIZE = 96,
};

static int read_list(int root, const char *path, CpuSet *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = root_read(root, path, &text);

        return r < 0 ? r : cpu_set_parse(text, ret);
}

/* “32768K” */
static uint64_t read_cache_size(int root, const char *directory) {
        _cleanup_(freep) char *text = NULL;
        char path[PATH_SIZE];
        uint64_t size;

        (void) snprintf(path, sizeof path, "%s/size", directory);
        return root_read(root, path, &text) < 0 || parse_size(text, 1, UINT64_C(1) << 40, &size) < 0 ? 0 : size;
}

/* Leaves the domain empty when the CPU has no L3 cache, or the kernel tells of none. */
static void read_cache(int root, HostCpu *cpu) {
        for (int i = 0; i < CACHES_MAX; i++) {
                char directory[PATH_SIZE / 2], path[PATH_SIZE];
                uint64_t level;

                (void) snprintf(directory, sizeof directory, CPUS "/cpu%u/cache/index%d", cpu->number, i);
                (void) snprintf(path, sizeof path, "%s/level", directory);
                if (root_read_number(root, path, &level) < 0)
                        return;
                if (level != 3)
                        continue;
                (void) snprintf(path, sizeof path, "%s/shared_cpu_list", directory);
                if (read_list(root, path, &cpu->domain) >= 0)
                        cpu->cache_size = read_cache_size(root, directory);
                return;
        }
}

/* What a kernel does not tell, virtual machines' least of all, is as on the simplest of machines. */
static int read_cpu(int root, unsigned number, HostCpu *ret) {
        char path[PATH_SIZE];
        uint64_t package;
        int r;

        *ret = (HostCpu){ .number = number };
        (void) snprintf(path, sizeof path, CPUS "/cpu%u/topology/physical_package_id", number);
        if (root_read_number(root, path, &package) >= 0)
                ret->package = (unsigned) package;
        (void) snprintf(path, sizeof path, CPUS "/cpu%u/topology/thread_siblings_list", number);
        r = read_list(root, path, &ret->core);
        if (r < 0 && r != -ENOENT)
                return r;
        cpu_set_add(&ret->core, number);
        read_cache(root, ret);
        return 0;
}

static CpuSet package_of(const HostCpus *cpus, unsigned package) {
        CpuSet set = {};

        for (size_t i = 0; i < cpus->n; i++)
                if (cpus->items[i].package == package)
                        cpu_set_add(&set, cpus->items[i].number);
        return set;
}

int host_cpus_load(int root, HostCpus *ret) {
        _cleanup_(host_cpus_done) HostCpus cpus = {};
        int r;

        r = read_list(root, CPUS "/online", &cpus.online);
        if (r == -ENOENT || (r >= 0 && cpu_set_is_empty(&cpus.online)))
                return -E_LACKS;
        if (r < 0)
                return r;
        if (read_list(root, CPUS "/present", &cpus.present) < 0)
                cpus.present = cpus.online;

        for (unsigned i = cpu_set_next(&cpus.online, 0); i < CPU_SET_MAX; i = cpu_set_next(&cpus.online, i + 1)) {
                HostCpu *cpu = ARRAY_GROW(cpus.items, cpus.n);

                if (!cpu)
                        return -ENOMEM;
                r = read_cpu(root, i, cpu);
                if (r < 0)
                        return r;
                cpus.n++;
        }
        for (size_t i = 0; i < cpus.n; i++)
                if (cpu_set_is_empty(&cpus.items[i].domain))
                        cpus.items[i].domain = package_of(&cpus, cpus.items[i].package);

        *ret = cpus;
        cpus = (HostCpus){};
        return 0;
}

void host_cpus_done(HostCpus *cpus) {
        free(cpus->items);
        *cpus = (HostCpus){};
}

const HostCpu *host_cpus_find(const HostCpus *cpus, unsigned number) {
        for (size_t i = 0; i < cpus->n; i++)
                if (cpus->items[i].number == number)
                        return &cpus->items[i];
        return NULL;
}

/* The bits are described in AMD's APM volume 3, appendix E, and Intel's SDM volume 2A, CPUID. */
static HostCpuKind ask_processor(void) {
        HostCpuKind kind = {};
        unsigned a, b, c, d;
        char vendor[13] = "";

        if (!__get_cpuid(0, &a, &b, &c, &d))
                return kind;
        memcpy(vendor, &b, 4);
        memcpy(vendor + 4, &d, 4);
        memcpy(vendor + 8, &c, 4);
        kind.amd = streq(vendor, "AuthenticAMD") || streq(vendor, "HygonGenuine");
        kind.intel = streq(vendor, "GenuineIntel");
        if (__get_cpuid(0x80000001, &a, &b, &c, &d))
                kind.topoext = (c >> 22 & 1) != 0;
        if (__get_cpuid(0x80000007, &a, &b, &c, &d))
                kind.invariant_tsc = (d >> 8 & 1) != 0;
        return kind;
}

/* Whether the first line of that name in /proc/cpuinfo has this word. */
static bool cpuinfo_has(const char *cpuinfo, const char *name, const char *word) {
        const char *line = strstr(cpuinfo, name), *end = line ? strchrnul(line, '\n') : NULL;
        size_t n = strlen(word);

        if (!line)
                return false;
        for (const char *p = strstr(line, word); p && p < end; p = strstr(p + n, word))
                if ((p[-1] == ' ' || p[-1] == '\t') && (p[n] == ' ' || p[n] == '\n' || p[n] == '\0'))
                        return true;
        return false;
}

static HostCpuKind read_cpuinfo(int root) {
        _cleanup_(freep) char *text = NULL;

        if (root_read(root, "proc/cpuinfo", &text) < 0)
                return (HostCpuKind){};
        return (HostCpuKind){
                .amd = cpuinfo_has(text, "vendor_id", "AuthenticAMD") || cpuinfo_has(text, "vendor_id", "HygonGenuine"),
                .intel = cpuinfo_has(text, "vendor_id", "GenuineIntel"),
                .topoext = cpuinfo_has(text, "flags", "topoext"),
                .invariant_tsc =
                        cpuinfo_has(text, "flags", "constant_tsc") && cpuinfo_has(text, "flags", "nonstop_tsc"),
        };
}

HostCpuKind host_cpu_kind(int root) {
        HostCpuKind kind = root_is_this_machine(root) ? ask_processor() : read_cpuinfo(root);
        _cleanup_(freep) char *nested = NULL;

        if (kind.intel && root_read(root, "sys/module/kvm_intel/parameters/nested", &nested) >= 0)
                kind.nested = streq(nested, "Y") || streq(nested, "1");
        return kind;
}
