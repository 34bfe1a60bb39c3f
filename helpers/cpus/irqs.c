/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt masks below /proc/irq. */

#include "irqs.h"
#include "root.h"

enum {
        PATH_SIZE = 64,
};

static bool is_default(const char *name) {
        return streq(name, "default");
}

static const char *path_of(char buffer[static PATH_SIZE], const char *name) {
        (void) snprintf(
                buffer, PATH_SIZE, "proc/irq/%s%s", name, is_default(name) ? "_smp_affinity" : "/smp_affinity_list");
        return buffer;
}

static int read_mask(int root, const char *name, CpuSet *ret) {
        _cleanup_(freep) char *text = NULL;
        char path[PATH_SIZE];
        int r = root_read(root, path_of(path, name), &text);

        if (r < 0)
                return r;
        return is_default(name) ? cpu_set_parse_mask(text, ret) : cpu_set_parse(text, ret);
}

static int note(int root, const char *name, const CpuSet *cpus, CpuRecord *record) {
        CpuSet mask;

        /* What cannot be read, because it has gone meanwhile, is not going to be written either. */
        if (read_mask(root, name, &mask) < 0 || !cpu_set_intersects(&mask, cpus))
                return 0;
        return cpu_record_add_irq(record, name, &mask);
}

int irqs_note(int root, const CpuSet *cpus, CpuRecord *record) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = note(root, "default", cpus, record);
        r = r < 0 ? r : root_list(root, "proc/irq", &names, &n);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (cpu_irq_name_is_valid(names[i]))
                        r = note(root, names[i], cpus, record);
        strings_free(names, n);
        return r;
}

int irq_set(int root, const CpuRecordIrq *irq) {
        char path[PATH_SIZE], text[CPU_SET_TEXT_MAX];
        CpuSet mask;
        int r;

        r = read_mask(root, irq->name, &mask);
        if (r >= 0 && cpu_set_equal(&mask, &irq->mask))
                return 0;
        if (r >= 0)
                r = root_write(root, path_of(path, irq->name),
                        is_default(irq->name) ? cpu_set_print_mask(&irq->mask, text) : cpu_set_print(&irq->mask, text));
        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

bool irq_is_fixed(int r) {
        /* EIO: bound to a CPU by its driver (IRQD_AFFINITY_MANAGED), or its controller cannot move it; EACCES, EPERM:
         * the same, told by the file's mode; ENOSPC, EINVAL: no vector is free there, or none of the CPUs is online. */
        static const int fixed[] = { -EIO, -EACCES, -EPERM, -ENOSPC, -EINVAL };

        for (size_t i = 0; i < ELEMENTSOF(fixed); i++)
                if (r == fixed[i])
                        return true;
        return false;
}
