/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of vxm-cpus: what is written comes back, what is damaged is refused; and guests in each other's way. */

#include "cpu-record.h"
#include "exit-status.h"
#include "fixture.h"
#include "root.h"

static const char whole[] = "vcpus 2,10,3,11\nspare 4\nothers 4\nisolate yes\nunit system.slice -\nunit user.slice "
                            "0-7\n"
                            "irq 24 0-15\nirq default 0-15\nthread 2:0 0-15\nthread 4194304:18446744073709551615 "
                            "0-7\nworkqueues unbound 0-15\n";

static int parse(const char *text, CpuRecord *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return cpu_record_parse(copy, ret);
}

static void test_whole(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {}, again = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        assert_int_equal(parse(whole, &record), 0);
        assert_int_equal(record.placement.n, 4);
        assert_int_equal(record.placement.vcpus[1], 10);
        assert_true(record.isolate);
        assert_true(cpu_set_is_empty(&cpu_record_find_unit(&record, "system.slice")->allowed));
        assert_int_equal(cpu_set_count(&cpu_record_find_unit(&record, "user.slice")->allowed), 8);
        assert_non_null(cpu_record_find_mask(&record, CPU_MASK_IRQ, "default"));
        assert_null(cpu_record_find_mask(&record, CPU_MASK_IRQ, "25"));
        assert_non_null(cpu_record_find_mask(&record, CPU_MASK_THREAD, "2:0"));
        assert_null(cpu_record_find_mask(&record, CPU_MASK_IRQ, "unbound"));
        assert_non_null(cpu_record_find_mask(&record, CPU_MASK_WORKQUEUES, "unbound"));

        fixture_directory(f, "run/vxm/cpus");
        assert_int_equal(cpu_record_save(f->root, "g", &record), 0);
        assert_int_equal(root_read(f->root, "run/vxm/cpus/g", &text), 0);
        assert_memory_equal(text, whole, strlen(text)); /* less the last newline */
        assert_int_equal(strlen(text) + 1, strlen(whole));
        assert_int_equal(cpu_record_load(f->root, "g", &again), 0);
        cpu_record_done(&again);
        assert_int_equal(cpu_record_forget(f->root, "g"), 0);
        assert_int_equal(cpu_record_load(f->root, "g", &again), -ENOENT);
        assert_int_equal(cpu_record_forget(f->root, "g"), 0);
}

static void test_damaged(void **state) {
        static const char *const rows[] = { "", "vcpus 1\n", "others 0\n", "vcpus -\nothers 0\n",
                "vcpus 1,1\nothers 0\n", "vcpus 1024\nothers 0\n", "vcpus 1\nothers -\n",
                "vcpus 1\nothers 0\nisolate maybe\n", "vcpus 1\nothers 0\nx y\n", "vcpus 1\nothers 0\nunit a.slice\n",
                "vcpus 1\nothers 0\nunit a 1\n", "vcpus 1\nothers 0\nunit ../a.slice 1\n",
                "vcpus 1\nothers 0\nirq 1 -\n", "vcpus 1\nothers 0\nirq 01 1\n", "vcpus 1\nothers 0\nirq ../1 1\n",
                "vcpus 1\nothers 0\nirq 1 1 1\n", "vcpus 1\nothers 0\nthread 1 1\n", "vcpus 1\nothers 0\nthread 1: 1\n",
                "vcpus 1\nothers 0\nthread :1 1\n", "vcpus 1\nothers 0\nthread 0:1 1\n",
                "vcpus 1\nothers 0\nthread 1:01 1\n", "vcpus 1\nothers 0\nthread 1:1:1 1\n",
                "vcpus 1\nothers 0\nthread 4194305:1 1\n", "vcpus 1\nothers 0\nthread ../1:1 1\n",
                "vcpus 1\nothers 0\nthread 1:1 -\n", "vcpus 1\nothers 0\nworkqueues 1\n",
                "vcpus 1\nothers 0\nworkqueues writeback 1\n", "vcpus 1 2\nothers 0\n", "vcpus 1\nothers 0\nunit a.slice 1 \n" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CpuRecord record;

                if (parse(rows[i], &record) != -EBADMSG)
                        fail_msg("taken: %s", rows[i]);
        }
}

/* What was noted first is how it was before. */
static void test_first_counts(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        CpuSet first = { .words = { 1 } }, second = { .words = { 2 } };

        (void) state;
        assert_int_equal(cpu_record_add_unit(&record, "a.slice", &first), 0);
        assert_int_equal(cpu_record_add_unit(&record, "a.slice", &second), 0);
        assert_int_equal(cpu_record_add_mask(&record, CPU_MASK_IRQ, "1", &first), 0);
        assert_int_equal(cpu_record_add_mask(&record, CPU_MASK_IRQ, "1", &second), 0);
        assert_int_equal(record.n_units, 1);
        assert_int_equal(record.units[0].allowed.words[0], 1);
        assert_int_equal(record.n_masks, 1);
        assert_int_equal(record.masks[0].mask.words[0], 1);
}

/* Each kind has a limit of its own. */
static void test_limit(void **state) {
        _cleanup_(cpu_record_done) CpuRecord record = {};
        CpuSet mask = { .words = { 1 } };
        char name[32];
        int r = 0;

        (void) state;
        assert_int_equal(cpu_record_add_mask(&record, CPU_MASK_WORKQUEUES, "unbound", &mask), 0);
        assert_int_equal(cpu_record_add_mask(&record, CPU_MASK_WORKQUEUES, "others", &mask), -E2BIG);
        for (unsigned i = 1; r == 0 && i < 100000; i++) {
                (void) snprintf(name, sizeof name, "%u:1", i);
                r = cpu_record_add_mask(&record, CPU_MASK_THREAD, name, &mask);
        }
        assert_int_equal(r, -E2BIG);
        assert_int_equal(record.n_masks, 1 + 8192);
        assert_int_equal(cpu_record_add_mask(&record, CPU_MASK_IRQ, "1", &mask), 0);
}

static int place(Fixture *f, const char *pin, bool isolate, CpuPlacement *ret) {
        Guest g = { .name = (char *) "g",
                .file = (char *) "/g.guest",
                .cpu_count = 2,
                .cpu_isolate = isolate,
                .cpu_pin = { .kind = pin ? CPU_PIN_LIST : CPU_PIN_AUTO } };
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        _cleanup_(host_cpus_done) HostCpus host = {};

        assert_int_equal(cpu_set_parse(pin ? pin : "", &g.cpu_pin.list), 0);
        assert_int_equal(host_cpus_load(f->root, &host), 0);
        assert_int_equal(cpu_claims_load(f->root, "g", &claims), 0);
        assert_int_equal(claims.n, 2);
        return cpu_claims_place(&host, &g, &claims, ret);
}

static void test_claims(void **state) {
        Fixture *f = *state;
        CpuPlacement p;

        fixture_machine(f, "cpus-4c8t");
        fixture_write(f, "run/vxm/cpus/g", "nonsense of its own\n");
        fixture_write(f, "run/vxm/cpus/a", "vcpus 4,5\nothers 0-3\nisolate yes\n");
        fixture_write(f, "run/vxm/cpus/b", "vcpus 2,3\nothers 0-1\nisolate no\n");
        fixture_write(f, "run/vxm/cpus/.c.new", "half of");

        fixture_capture(f);
        assert_int_equal(place(f, "5,6", false, &p), -E_BUSY);
        fixture_assert_logged(f, "/g.guest: [CPU] Pin=: CPU 5 is held by guest a; stop that guest, or name others.");
        fixture_capture(f);
        assert_int_equal(place(f, "2-3", true, &p), -E_BUSY);
        fixture_assert_logged(f, "CPU 2-3 is held by guest b;");

        assert_int_equal(place(f, "2-3", false, &p), 0); /* shared by two that are only pinned */
        assert_false(cpu_set_has(&p.others, 4));
        assert_int_equal(place(f, NULL, true, &p), 0);
        assert_int_equal(p.vcpus[0], 6);
        assert_int_equal(p.vcpus[1], 7);
}

static void test_damaged_claim(void **state) {
        _cleanup_(cpu_claims_done) CpuClaims claims = {};
        Fixture *f = *state;

        assert_int_equal(cpu_claims_load(f->root, "g", &claims), 0);
        fixture_write(f, "run/vxm/cpus/a", "nonsense\n");
        fixture_capture(f);
        assert_int_equal(cpu_claims_load(f->root, "g", &claims), -EBADMSG);
        fixture_assert_logged(f, "Cannot read the record /run/vxm/cpus/a: ");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_whole),
                fixture_test(test_damaged),
                fixture_test(test_first_counts),
                fixture_test(test_limit),
                fixture_test(test_claims),
                fixture_test(test_damaged_claim),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
