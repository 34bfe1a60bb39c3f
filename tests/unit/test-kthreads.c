/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's threads and workqueues: which are noted, and which are left alone. */

#include "fixture.h"
#include "kthreads.h"
#include "masks.h"
#include "root.h"

/* proc(5): the name, the flags and the start are what counts. */
static void add_thread(Fixture *f, unsigned pid, const char *name, unsigned flags, unsigned start, const char *allowed) {
        _cleanup_(freep) char *path = NULL, *stat = NULL, *status_path = NULL, *status = NULL;

        assert_int_equal(format(&path, "proc/%u/stat", pid), 0);
        assert_int_equal(format(&stat, "%u (%s) S 2 0 0 0 -1 %u 0 0 0 0 0 3 0 0 20 0 1 0 %u 0 0 18446744073709551615 0\n",
                                 pid, name, flags, start),
                0);
        assert_int_equal(format(&status_path, "proc/%u/status", pid), 0);
        assert_int_equal(format(&status, "Name:\t%s\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\nMems_allowed:\t1\n", name,
                                 allowed),
                0);
        fixture_write(f, path, stat);
        fixture_write(f, status_path, status);
}

enum {
        KERNEL = 0x00208040,
        BOUND = 0x04208040,
        PROCESS = 0x00400100,
};

static void assert_noted(const CpuRecord *record, CpuMaskKind kind, const char *name, const char *wanted) {
        const CpuRecordMask *mask = cpu_record_find_mask(record, kind, name);
        char text[CPU_SET_TEXT_MAX];

        assert_non_null(mask);
        assert_string_equal(cpu_set_print(&mask->mask, text), wanted);
}

static void test_note(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        Fixture *f = *state;
        CpuSet cpus;

        add_thread(f, 1, "systemd", PROCESS, 3, "0-7");
        add_thread(f, 2, "kthreadd", KERNEL, 0, "0-7");
        add_thread(f, 17, "migration/4", BOUND, 4, "4");
        add_thread(f, 31, "a thread) S 2 0 (", KERNEL, 31, "0-7");
        add_thread(f, 32, "not (S 2 0 0 0 -1 2129984", PROCESS, 32, "0-7");
        add_thread(f, 33, "elsewhere", KERNEL, 33, "0-3");
        add_thread(f, 34, "on both", KERNEL, 34, "3-4");
        add_thread(f, 35, "there alone", KERNEL, 35, "4");
        add_thread(f, 36, "there, too", KERNEL, 36, "4-5");
        add_thread(f, 37, "nonsense", KERNEL, 37, "all");
        fixture_directory(f, "proc/38"); /* gone between the list and the look */
        fixture_write(f, "proc/39/stat", "39 (short) S 2 0 0");
        fixture_write(f, "proc/40/stat", "");
        add_thread(f, 41, "no list", KERNEL, 41, "0-7");
        fixture_write(f, "proc/41/status", "Name:\tno list\n");
        fixture_write(f, "proc/self/stat", "");
        assert_int_equal(cpu_set_parse("4-5", &cpus), 0);
        assert_int_equal(kthreads_note(f->root, &cpus, &record), 0);
        assert_noted(&record, CPU_MASK_THREAD, "2:0", "0-7");
        assert_noted(&record, CPU_MASK_THREAD, "31:31", "0-7");
        assert_noted(&record, CPU_MASK_THREAD, "34:34", "3-4");
        assert_int_equal(record.n_masks, 3);
}

static void test_nothing(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        CpuSet cpus = { .words = { 1 } };
        Fixture *f = *state;

        assert_int_equal(masks_note(f->root, &cpus, &record), 0);
        assert_int_equal(record.n_masks, 0);
}

/* What has the PID by now is another thread, or none of the kernel's. */
static void test_recycled(void **state) {
        Fixture *f = *state;
        CpuSet mask;

        add_thread(f, 50, "jbd2/vda1-8", KERNEL, 500, "0-7");
        add_thread(f, 51, "a program", PROCESS, 510, "0-7");
        assert_int_equal(kthread_read(f->root, "50:500", &mask), 0);
        assert_int_equal(mask.words[0], 0xff);
        assert_int_equal(kthread_read(f->root, "50:499", &mask), -ESRCH);
        assert_int_equal(kthread_read(f->root, "51:510", &mask), -ESRCH);
        assert_int_equal(kthread_read(f->root, "52:520", &mask), -ESRCH);
        assert_int_equal(kthread_read(f->root, "50", &mask), -EINVAL);

        assert_false(mask_is_over(f->root, &(CpuRecordMask) { .kind = CPU_MASK_THREAD, .name = (char *) "50:500" }));
        assert_true(mask_is_over(f->root, &(CpuRecordMask) { .kind = CPU_MASK_THREAD, .name = (char *) "50:499" }));
}

/* A captured machine's threads are not those that this one has by the same PIDs: nothing is done to any. */
static void test_other_machine(void **state) {
        CpuRecordMask mask = { CPU_MASK_THREAD, NULL, { .words = { 1 } } };
        _cleanup_(freep) char *name = NULL;
        Fixture *f = *state;
        CpuSet before = { .words = { 0xff } };

        add_thread(f, (unsigned) getpid(), "ours", KERNEL, 1, "0-7");
        assert_int_equal(format(&name, "%d:1", getpid()), 0);
        mask.name = name;
        assert_int_equal(kthread_write(f->root, name, &before), -ESRCH);
        assert_int_equal(mask_set(f->root, &mask), 0);
}

/* This machine's processes are no threads of the kernel's, so that a record could not say where they run. */
static void test_no_process(void **state) {
        _cleanup_(closep) int root = root_open("/");
        CpuSet mask;
        char name[32];

        (void) state;
        assert_true(root >= 0);
        for (unsigned start = 0; start < 3; start++) {
                (void) snprintf(name, sizeof name, "%d:%u", getpid(), start);
                assert_int_equal(kthread_read(root, name, &mask), -ESRCH);
        }
}

static void test_workqueues(void **state) {
        CpuRecordMask mask = { CPU_MASK_WORKQUEUES, (char *) "unbound", { .words = { 0xcf } } };
        _cleanup_(cpu_record_done) CpuRecord record = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;
        CpuSet cpus;

        assert_int_equal(mask_set(f->root, &mask), 0); /* a kernel that has none */
        assert_false(mask_is_over(f->root, &mask));
        fixture_write(f, "sys/devices/virtual/workqueue/cpumask", "ff");
        assert_int_equal(cpu_set_parse("8", &cpus), 0);
        assert_int_equal(workqueues_note(f->root, &cpus, &record), 0);
        assert_int_equal(record.n_masks, 0);
        assert_int_equal(cpu_set_parse("4-5", &cpus), 0);
        assert_int_equal(workqueues_note(f->root, &cpus, &record), 0);
        assert_noted(&record, CPU_MASK_WORKQUEUES, "unbound", "0-7");

        assert_int_equal(mask_set(f->root, &mask), 1);
        assert_int_equal(root_read(f->root, "sys/devices/virtual/workqueue/cpumask", &text), 0);
        assert_string_equal(text, "cf");
        assert_int_equal(mask_set(f->root, &mask), 0); /* is so already */
}

/* What the kernel says of one that it does not let go. */
static void test_fixed(void **state) {
        (void) state;
        assert_true(kthread_is_fixed(-EINVAL) && kthread_is_fixed(-EPERM) && kthread_is_fixed(-EBUSY));
        assert_false(kthread_is_fixed(0) || kthread_is_fixed(1) || kthread_is_fixed(-ENOMEM));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_note),
                fixture_test(test_nothing),
                fixture_test(test_recycled),
                fixture_test(test_other_machine),
                fixture_test(test_no_process),
                fixture_test(test_workqueues),
                fixture_test(test_fixed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
