/* SPDX-License-Identifier: BSD-3-Clause */
/* Exit statuses are API: these numbers stand in units, manuals and scripts. */

#include "exit-status.h"
#include "fixture.h"

static void test_numbers(void **state) {
        (void) state;
        assert_int_equal(STATUS_DONE, 0);
        assert_int_equal(STATUS_FAILED, 1);
        assert_int_equal(STATUS_USAGE, 64);
        assert_int_equal(STATUS_LACKS, 69);
        assert_int_equal(STATUS_BUSY, 75);
        assert_int_equal(STATUS_CONFIG, 78);
}

static void test_conversion(void **state) {
        (void) state;
        assert_int_equal(exit_status(0), 0);
        assert_int_equal(exit_status(1), 0);
        assert_int_equal(exit_status(-E_LACKS), 69);
        assert_int_equal(exit_status(-E_BUSY), 75);
        assert_int_equal(exit_status(-E_CONFIG), 78);
}

/* Whatever errno brings, the status is one of ours: never 77, which meson takes for skipped, nor a shell's own. */
static void test_every_errno(void **state) {
        (void) state;
        for (int error = 1; error < 4096; error++) {
                int status = exit_status(-error);

                assert_true(status == 1 || status == 69 || status == 75 || status == 78);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_conversion),
                cmocka_unit_test(test_every_errno),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
