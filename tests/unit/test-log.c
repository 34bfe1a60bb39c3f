/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages that are collected for who asks what would be said. */

#include "fixture.h"
#include "log.h"

static void test_to_stream(void **state) {
        _cleanup_(freep) char *text = NULL, *rest = NULL;
        Fixture *f = *state;
        size_t size;
        FILE *stream;

        stream = open_memstream(&text, &size);
        assert_non_null(stream);
        fixture_capture(f);
        log_set_max_priority(LOG_INFO);
        log_to_stream(stream);
        assert_int_equal(log_error_errno(-EBUSY, "%s is busy", "it"), -EBUSY);
        log_warning("two");
        log_debug("unseen");
        log_to_stream(NULL);
        log_warning("elsewhere");
        fclose(stream);
        assert_string_equal(text, "it is busy\ntwo\n");
        rest = fixture_log(f);
        assert_string_equal(rest, "vxm: elsewhere\n");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_to_stream),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
