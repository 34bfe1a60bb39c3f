/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables that fit a terminal. */

#include "fixture.h"
#include "text-table.h"

static char *print(const TextColumn columns[], size_t n_columns, const char *const cells[], size_t n_rows) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_int_equal(text_table_print(f, columns, n_columns, cells, n_rows), 0);
        fclose(f);
        return text;
}

static void test_fits(void **state) {
        static const TextColumn columns[] = { { "A" }, { "NUMBER", true }, { "TEXT" } };
        static const char *const cells[] = { "a", "1", "short", "bcd", "22",
                "äöü a text that is far too long for a line of eighty columns, whatever else there is in this table or not" };
        _cleanup_(freep) char *text = print(columns, 3, cells, 2);
        const char *expected = "A   NUMBER TEXT\n"
                               "a        1 short\n"
                               "bcd     22 äöü a text that is far too long for a line of eighty columns, whatev…\n";

        (void) state;
        assert_string_equal(text, expected);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
