/* SPDX-License-Identifier: BSD-3-Clause */
/* What may be meant by a word that was mistyped. */

#include "fixture.h"
#include "suggest.h"

static void test_distance(void **state) {
        char longer[SUGGEST_WORD_MAX + 2];

        (void) state;
        memset(longer, 'a', sizeof longer - 1);
        longer[sizeof longer - 1] = '\0';
        assert_int_equal(suggest_distance("", ""), 0);
        assert_int_equal(suggest_distance("start", "start"), 0);
        assert_int_equal(suggest_distance("strat", "start"), 1); /* swapped */
        assert_int_equal(suggest_distance("star", "start"), 1);
        assert_int_equal(suggest_distance("start", "stop"), 3);
        assert_int_equal(suggest_distance("", "stop"), 4);
        assert_int_equal(suggest_distance("x", longer), SIZE_MAX);
        assert_int_equal(suggest_distance(longer + 1, ""), SUGGEST_WORD_MAX);
}

static const char *nearest(const char *typed) {
        static const char *const words[] = { "start", "stop", "restart", "status", "list", "log", "console" };
        Suggestion best = {};

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                suggest(typed, words[i], &best);
        return best.word;
}

static void test_suggestion(void **state) {
        (void) state;
        assert_string_equal(nearest("strat"), "start");
        assert_string_equal(nearest("sotp"), "stop");
        assert_string_equal(nearest("lits"), "list");
        assert_string_equal(nearest("cons"), "console"); /* begun */
        assert_string_equal(nearest("stauts"), "status");
        assert_null(nearest("destroy"));
        assert_null(nearest("x"));
        assert_null(nearest(""));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_distance),
                cmocka_unit_test(test_suggestion),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
