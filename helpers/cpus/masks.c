/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of masks, and what is done to all of them alike. */

#include "irqs.h"
#include "kthreads.h"
#include "masks.h"

static const struct Kind {
        const char *what;
        int (*note)(int root, const CpuSet *cpus, CpuRecord *record);
        int (*read)(int root, const char *name, CpuSet *ret);
        int (*write)(int root, const char *name, const CpuSet *mask); /* only after read() has found it */
        bool (*is_fixed)(int r);
        void (*print)(FILE *f, const char *name, const CpuSet *mask);
} kinds[_CPU_MASK_KINDS] = {
        [CPU_MASK_IRQ] = { "interrupt", irqs_note, irq_read, irq_write, irq_is_fixed, irq_print },
        [CPU_MASK_THREAD] = { "kernel thread", kthreads_note, kthread_read, kthread_write, kthread_is_fixed,
                kthread_print },
        [CPU_MASK_WORKQUEUES] = { "workqueues", workqueues_note, workqueues_read, workqueues_write, kthread_is_fixed,
                workqueues_print },
};

int masks_note(int root, const CpuSet *cpus, CpuRecord *record) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(kinds); i++)
                r = kinds[i].note(root, cpus, record);
        return r;
}

bool mask_is_over(int root, const CpuRecordMask *mask) {
        CpuSet now;

        return kinds[mask->kind].read(root, mask->name, &now) == -ESRCH;
}

int mask_set(int root, const CpuRecordMask *mask) {
        const struct Kind *kind = &kinds[mask->kind];
        CpuSet now;
        int r;

        r = kind->read(root, mask->name, &now);
        if (r >= 0 && cpu_set_equal(&now, &mask->mask))
                return 0;
        r = r < 0 ? r : kind->write(root, mask->name, &mask->mask);
        return r == -ENOENT || r == -ESRCH ? 0 : r < 0 ? r : 1;
}

bool mask_is_fixed(const CpuRecordMask *mask, int r) {
        return kinds[mask->kind].is_fixed(r);
}

const char *mask_what(const CpuRecordMask *mask) {
        return kinds[mask->kind].what;
}

void mask_print(const CpuRecordMask *mask, FILE *f) {
        kinds[mask->kind].print(f, mask->name, &mask->mask);
}
