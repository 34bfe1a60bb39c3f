/* SPDX-License-Identifier: BSD-3-Clause */
/* How many events of a kind are told, and what of the rest. */

#include "event-limit.h"
#include "fixture.h"

static void test_burst(void **state) {
        EventLimit l = {};
        unsigned missed;

        (void) state;
        for (int i = 0; i < EVENT_LIMIT_BURST; i++)
                assert_int_equal(event_limit(&l, 1000 + (uint64_t) i, &missed), EVENT_TELL);
        assert_int_equal(event_limit(&l, 2000, &missed), EVENT_TELL_LAST);
        for (int i = 0; i < 1000000; i++)
                assert_int_equal(event_limit(&l, 3000, &missed), EVENT_DROP);
        assert_int_equal(missed, 0);
        assert_int_equal(event_limit(&l, 999 + EVENT_LIMIT_INTERVAL, &missed), EVENT_DROP);
        /* the next while: what was missed is told once */
        assert_int_equal(event_limit(&l, 1000 + EVENT_LIMIT_INTERVAL, &missed), EVENT_TELL);
        assert_int_equal(missed, 1000002);
        assert_int_equal(event_limit(&l, 1001 + EVENT_LIMIT_INTERVAL, &missed), EVENT_TELL);
        assert_int_equal(missed, 0);
}

static void test_now_and_then(void **state) {
        EventLimit l = {};
        unsigned missed;

        (void) state;
        for (uint64_t i = 1; i < 100; i++) {
                assert_int_equal(event_limit(&l, i * EVENT_LIMIT_INTERVAL / 5, &missed), EVENT_TELL);
                assert_int_equal(missed, 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_burst), cmocka_unit_test(test_now_and_then) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
