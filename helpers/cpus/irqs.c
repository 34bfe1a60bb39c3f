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

int irq_read(int root, const char *name, CpuSet *ret) {
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
        if (irq_read(root, name, &mask) < 0 || !cpu_set_intersects(&mask, cpus))
                return 0;
        return cpu_record_add_mask(record, CPU_MASK_IRQ, name, &mask);
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
                if (cpu_mask_name_is_valid(CPU_MASK_IRQ, names[i]))
                        r = note(root, names[i], cpus, record);
        strings_free(names, n);
        return r;
}

static const char *text_of(char buffer[static CPU_SET_TEXT_MAX], const char *name, const CpuSet *mask) {
        return is_default(name) ? cpu_set_print_mask(mask, buffer) : cpu_set_print(mask, buffer);
}

int irq_write(int root, const char *name, const CpuSet *mask) {
        char path[PATH_SIZE], text[CPU_SET_TEXT_MAX];

        return root_write(root, path_of(path, name), text_of(text, name, mask));
}

void irq_print(FILE *f, const char *name, const CpuSet *mask) {
        char path[PATH_SIZE], text[CPU_SET_TEXT_MAX];

        fprintf(f, "write   /%s %s\n", path_of(path, name), text_of(text, name, mask));
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
