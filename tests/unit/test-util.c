/* SPDX-License-Identifier: BSD-3-Clause */
/* The string helpers that no other test goes through. */

#include "fixture.h"

static void test_list_append(void **state) {
        _cleanup_(freep) char *list = NULL;

        (void) state;
        assert_int_equal(list_append(&list, ", ", "%s", "a"), 0);
        assert_string_equal(list, "a");
        assert_int_equal(list_append(&list, ", ", "%d%%", 7), 0);
        assert_string_equal(list, "a, 7%");
        assert_int_equal(list_append(&list, " and ", "%s", "%s"), 0);
        assert_string_equal(list, "a, 7% and %s");
        assert_int_equal(list_append(&list, "\n", "%s", ""), 0);
        assert_string_equal(list, "a, 7% and %s\n");
}

static void test_now(void **state) {
        uint64_t first = now_usec();

        (void) state;
        assert_true(first > 0);
        assert_true(now_usec() >= first);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list_append),
                cmocka_unit_test(test_now),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
