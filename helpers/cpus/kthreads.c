/* SPDX-License-Identifier: BSD-3-Clause */
/* Masks of the kernel's threads and workqueues. */

#include "cpu-pin.h"
#include "kthreads.h"
#include "parse.h"
#include "root.h"

#define WORKQUEUES "sys/devices/virtual/workqueue/cpumask"
#define ALLOWED "\nCpus_allowed_list:\t"

enum {
        PATH_SIZE = 64,
        NAME_SIZE = 64,
};

/* Field 9 of /proc/PID/stat, as include/linux/sched.h has them. */
enum {
        PF_KTHREAD = 0x00200000,
        PF_NO_SETAFFINITY = 0x04000000, /* the kernel has bound it, and refuses everybody else */
};

typedef struct ThreadStat {
        uint64_t flags;
        uint64_t start;
} ThreadStat;

/* ---- threads ---- */

static int read_file(int root, pid_t pid, const char *file, char **ret) {
        char path[PATH_SIZE];
        int r;

        (void) snprintf(path, sizeof path, "proc/%d/%s", pid, file);
        r = root_read(root, path, ret);
        return r == -ENOENT ? -ESRCH : r;
}

/* The second field is the name in parentheses, with whatever spaces and parentheses it has of its own; all that follow
 * are numbers but for the first, a letter. */
static int read_stat(int root, pid_t pid, ThreadStat *ret) {
        _cleanup_(freep) char *text = NULL;
        bool flags = false, start = false;
        char *rest;
        int r = read_file(root, pid, "stat", &text);

        if (r < 0)
                return r;
        rest = strrchr(text, ')');
        for (unsigned field = 2; rest && field <= 22; field++) {
                const char *word = strsep(&rest, " ");

                if (field == 9)
                        flags = parse_number(word, 0, UINT32_MAX, &ret->flags) >= 0;
                else if (field == 22)
                        start = parse_number(word, 0, UINT64_MAX, &ret->start) >= 0;
        }
        return flags && start ? 0 : -EBADMSG;
}

static int read_allowed(int root, pid_t pid, CpuSet *ret) {
        _cleanup_(freep) char *text = NULL;
        char *line;
        int r = read_file(root, pid, "status", &text);

        if (r < 0)
                return r;
        line = strstr(text, ALLOWED);
        if (!line)
                return -EBADMSG;
        line += STRLEN(ALLOWED);
        line[strcspn(line, "\n")] = '\0';
        return cpu_set_parse(line, ret);
}

static bool is_movable(const ThreadStat *stat) {
        return (stat->flags & PF_KTHREAD) && !(stat->flags & PF_NO_SETAFFINITY);
}

static int note(int root, pid_t pid, const CpuSet *cpus, CpuRecord *record) {
        char name[NAME_SIZE];
        ThreadStat stat;
        CpuSet mask;

        /* What cannot be read, because it has ended meanwhile, is not going to be moved either. */
        if (read_stat(root, pid, &stat) < 0 || !is_movable(&stat) || read_allowed(root, pid, &mask) < 0)
                return 0;
        if (!cpu_set_intersects(&mask, cpus) || cpu_set_contains(cpus, &mask))
                return 0;
        (void) snprintf(name, sizeof name, "%d:%llu", pid, (unsigned long long) stat.start);
        return cpu_record_add_mask(record, CPU_MASK_THREAD, name, &mask);
}

int kthreads_note(int root, const CpuSet *cpus, CpuRecord *record) {
        char **names = NULL;
        uint64_t pid;
        size_t n = 0;
        int r;

        r = root_list(root, "proc", &names, &n);
        if (r == -ENOENT)
                return 0;
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (parse_number(names[i], 1, INT32_MAX, &pid) >= 0)
                        r = note(root, (pid_t) pid, cpus, record);
        strings_free(names, n);
        return r;
}

int kthread_read(int root, const char *name, CpuSet *ret) {
        ThreadStat stat;
        uint64_t start;
        pid_t pid;
        int r;

        r = cpu_thread_name_parse(name, &pid, &start);
        r = r < 0 ? r : read_stat(root, pid, &stat);
        if (r < 0)
                return r;
        return is_movable(&stat) && stat.start == start ? read_allowed(root, pid, ret) : -ESRCH;
}

int kthread_write(int root, const char *name, const CpuSet *mask) {
        uint64_t start;
        pid_t pid;
        int r = cpu_thread_name_parse(name, &pid, &start);

        if (r < 0)
                return r;
        return root_is_this_machine(root) ? cpu_pin_thread(pid, mask) : -ESRCH;
}

bool kthread_is_fixed(int r) {
        /* EINVAL: bound meanwhile (PF_NO_SETAFFINITY), or its control group leaves it none of these CPUs; EPERM: a
         * security module's word; EBUSY: it has a deadline (SCHED_DEADLINE), which could not be kept there. */
        return r == -EINVAL || r == -EPERM || r == -EBUSY;
}

void kthread_print(FILE *f, const char *name, const CpuSet *mask) {
        char text[CPU_SET_TEXT_MAX];

        fprintf(f, "set     thread %s CPUs=%s\n", name, cpu_set_print(mask, text));
}

/* ---- workqueues ---- */

int workqueues_read(int root, const char *name, CpuSet *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = root_read(root, WORKQUEUES, &text);

        (void) name; /* there is only one */
        return r < 0 ? r : cpu_set_parse_mask(text, ret);
}

int workqueues_note(int root, const CpuSet *cpus, CpuRecord *record) {
        static const char name[] = "unbound";
        CpuSet mask;

        if (workqueues_read(root, name, &mask) < 0 || !cpu_set_intersects(&mask, cpus))
                return 0;
        return cpu_record_add_mask(record, CPU_MASK_WORKQUEUES, name, &mask);
}

int workqueues_write(int root, const char *name, const CpuSet *mask) {
        char text[CPU_SET_TEXT_MAX];

        (void) name;
        return root_write(root, WORKQUEUES, cpu_set_print_mask(mask, text));
}

void workqueues_print(FILE *f, const char *name, const CpuSet *mask) {
        char text[CPU_SET_TEXT_MAX];

        (void) name;
        fprintf(f, "write   /" WORKQUEUES " %s\n", cpu_set_print_mask(mask, text));
}
