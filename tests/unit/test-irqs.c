/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt masks: which are noted, and what is written. */

#include "fixture.h"
#include "irqs.h"
#include "masks.h"
#include "root.h"

static void assert_mask(const CpuRecord *record, const char *name, const char *wanted) {
        const CpuRecordMask *irq = cpu_record_find_mask(record, CPU_MASK_IRQ, name);
        char text[CPU_SET_TEXT_MAX];

        assert_non_null(irq);
        assert_string_equal(cpu_set_print(&irq->mask, text), wanted);
}

static void test_note(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        Fixture *f = *state;
        CpuSet cpus;

        fixture_machine(f, "cpus-8c16t");
        fixture_write(f, "proc/irq/30/smp_affinity_list", "nonsense\n");
        fixture_directory(f, "proc/irq/31");
        fixture_directory(f, "proc/irq/eth0");
        assert_int_equal(cpu_set_parse("4-5", &cpus), 0);
        assert_int_equal(irqs_note(f->root, &cpus, &record), 0);
        assert_int_equal(record.n_masks, 4);
        assert_mask(&record, "default", "0-15");
        assert_mask(&record, "0", "0-15");
        assert_mask(&record, "24", "5");
        assert_mask(&record, "26", "4-7,12-15");
}

static void test_nothing(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        Fixture *f = *state;
        CpuSet cpus = { .words = { 1 } };

        assert_int_equal(irqs_note(f->root, &cpus, &record), 0);
        assert_int_equal(record.n_masks, 0);
}

static void assert_file(Fixture *f, const char *path, const char *wanted) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, path, &text), 0);
        assert_string_equal(text, wanted);
}

static void test_set(void **state) {
        CpuRecordMask irq = { CPU_MASK_IRQ, (char *) "24", { .words = { 0x2f } } };
        Fixture *f = *state;

        fixture_machine(f, "cpus-8c16t");
        fixture_write(f, "proc/irq/24/smp_affinity_list", "5");
        assert_int_equal(mask_set(f->root, &irq), 1);
        assert_file(f, "proc/irq/24/smp_affinity_list", "0-3,5");
        assert_int_equal(mask_set(f->root, &irq), 0); /* is so already */

        irq.name = (char *) "default";
        fixture_write(f, "proc/irq/default_smp_affinity", "ff");
        assert_int_equal(mask_set(f->root, &irq), 1);
        assert_file(f, "proc/irq/default_smp_affinity", "2f");

        irq.name = (char *) "99"; /* has gone; another one may be called so yet */
        assert_int_equal(mask_set(f->root, &irq), 0);
        assert_false(mask_is_over(f->root, &irq));
}

/* What the kernel says of one that it does not let go. */
static void test_fixed(void **state) {
        (void) state;
        assert_true(irq_is_fixed(-EIO) && irq_is_fixed(-EACCES));
        assert_false(irq_is_fixed(0) || irq_is_fixed(1) || irq_is_fixed(-ENOMEM));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_note),
                fixture_test(test_nothing),
                fixture_test(test_set),
                fixture_test(test_fixed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
