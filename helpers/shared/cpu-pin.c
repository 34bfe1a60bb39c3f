/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads on their CPUs: sched_setaffinity(2), and sched(7) for real-time ones. */

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "cpu-pin.h"

enum {
        MASK_BYTES = CPU_SET_MAX / 8, /* at least the kernel's own size on any machine that CpuSet is enough for */
};

int cpu_pin_thread(pid_t tid, const CpuSet *set) {
        uint8_t bytes[MASK_BYTES];

        (void) cpu_set_to_bytes(set, bytes);
        return sched_setaffinity(tid, sizeof bytes, (const cpu_set_t *) (const void *) bytes) < 0 ? -errno : 0;
}

static int get_affinity(pid_t tid, CpuSet *ret) {
        uint64_t words[CPU_SET_MAX / 64] = {};

        if (sched_getaffinity(tid, sizeof words, (cpu_set_t *) (void *) words) < 0)
                return -errno;
        *ret = cpu_set_from_bytes((const uint8_t *) words, sizeof words);
        return 0;
}

int cpu_pin_self(const CpuPlacement *p) {
        return cpu_pin_thread(0, &p->others);
}

int cpu_pin_allowed(CpuSet *ret) {
        return get_affinity(0, ret);
}

/* A thread of that process, or QEMU has made it up. Signal 0 is none: the kernel only looks. */
static int take_thread(const json_t *item, pid_t pid, pid_t *ret) {
        const json_t *id = json_object_get(item, "thread-id");
        json_int_t tid = json_is_integer(id) ? json_integer_value(id) : 0;

        if (tid <= 0 || tid > INT32_MAX)
                return -EPROTO;
        if (syscall(SYS_tgkill, pid, (pid_t) tid, 0) < 0)
                return errno == ESRCH ? -EPROTO : -errno;
        *ret = (pid_t) tid;
        return 0;
}

static int pin_vcpu(
        const CpuPlacement *p, bool realtime, pid_t pid, const json_t *item, bool seen[static GUEST_CPUS_MAX]) {
        const json_t *index = json_object_get(item, "cpu-index");
        json_int_t i = json_is_integer(index) ? json_integer_value(index) : -1;
        const struct sched_param first = { .sched_priority = 1 };
        CpuSet set = {}, got;
        pid_t tid;
        int r;

        if (i < 0 || (size_t) i >= p->n || seen[i])
                return -EPROTO;
        seen[i] = true;
        cpu_set_add(&set, p->vcpus[i]);

        r = take_thread(item, pid, &tid);
        r = r < 0 ? r : cpu_pin_thread(tid, &set);
        if (r >= 0 && realtime && sched_setscheduler(tid, SCHED_FIFO, &first) < 0)
                r = -errno;
        r = r < 0 ? r : get_affinity(tid, &got);
        if (r < 0)
                return r;
        return cpu_set_equal(&set, &got) && (!realtime || sched_getscheduler(tid) == SCHED_FIFO) ? 0 : -EIO;
}

int cpu_pin_vcpus(const CpuPlacement *p, bool realtime, pid_t pid, const json_t *cpus, char **ret_why) {
        bool seen[GUEST_CPUS_MAX] = {};

        if (!json_is_array(cpus) || json_array_size(cpus) != p->n) {
                int r = format(ret_why, "QEMU has %zu CPUs instead of %zu", json_array_size(cpus), p->n);

                return r < 0 ? r : -EPROTO;
        }
        for (size_t i = 0; i < p->n; i++) {
                int r = pin_vcpu(p, realtime, pid, json_array_get(cpus, i), seen), q;

                if (r >= 0)
                        continue;
                q = format(ret_why, "CPU %zu of the guest cannot be pinned to CPU %u of the host%s (%s)", i,
                        p->vcpus[i], realtime ? " in real time" : "", strerror(-r));
                return q < 0 ? q : r;
        }
        return 0;
}

int cpu_pin_iothreads(const CpuPlacement *p, pid_t pid, const json_t *iothreads, char **ret_why) {
        for (size_t i = 0; i < json_array_size(iothreads); i++) {
                CpuSet got;
                pid_t tid;
                int r, q;

                r = take_thread(json_array_get(iothreads, i), pid, &tid);
                r = r < 0 ? r : cpu_pin_thread(tid, &p->others);
                r = r < 0 ? r : get_affinity(tid, &got);
                if (r >= 0 && !cpu_set_contains(&p->others, &got))
                        r = -EIO;
                if (r >= 0)
                        continue;
                q = format(ret_why, "an I/O thread of QEMU cannot be pinned (%s)", strerror(-r));
                return q < 0 ? q : r;
        }
        return 0;
}
