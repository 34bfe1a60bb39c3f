/* SPDX-License-Identifier: BSD-3-Clause */
/* Another machine: its name, and words for its shell. */

#include "fixture.h"
#include "host.h"

static void test_name(void **state) {
        (void) state;
        assert_int_equal(host_set("workstation"), 0);
        assert_string_equal(host_name(), "workstation");
        assert_int_equal(host_set("me@fe80::1%eth0"), 0);
        /* What would be an option of ssh, or of a shell. */
        assert_int_equal(host_set("-oProxyCommand=x"), -EINVAL);
        assert_int_equal(host_set(""), -EINVAL);
        assert_int_equal(host_set("a b"), -EINVAL);
        assert_int_equal(host_set("a;b"), -EINVAL);
        assert_int_equal(host_set(NULL), 0);
        assert_null(host_name());
}

/* What a real shell makes of it. */
static void test_quote(void **state) {
        static const char *const words[] = { "plain", "two words", "it's", "'", "", "$HOME `id` \"x\" \\", "a\nb", "*", "äö", "-n" };
        _cleanup_(freep) char *line = NULL, *said = NULL;
        FILE *f;
        char *p;

        (void) state;
        assert_int_equal(list_append(&line, "", "printf '%%s\\0'"), 0);
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_int_equal(host_quote(&line, words[i]), 0);
        f = popen(line, "r");
        assert_non_null(f);
        assert_int_equal(read_full(fileno(f), 4096, &said, NULL), 0);
        assert_int_equal(pclose(f), 0);
        p = said;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                assert_string_equal(p, words[i]);
                p += strlen(p) + 1;
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_quote),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
