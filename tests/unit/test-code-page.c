/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of a Windows console becomes UTF-8, and a command line its text. */

#include "code-page.h"
#include "fixture.h"

static void test_parse(void **state) {
        static const struct {
                const char *text;
                unsigned page;
        } rows[] = {
                { "Active code page: 437\r\n", 437 },
                { "Aktive Codepage: 850.\r\n", 850 },
                { "\x8c\xbb\x8d\xdd\x82\xcc 932\r\n", 932 },
                { "Active code page: 65001\r\n", 65001 },
                { "", 0 },
                { "none", 0 },
                { "12 apples, page 1252", 1252 },
                { "99999999999999999999", 0 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(code_page_parse(rows[i].text, strlen(rows[i].text)), rows[i].page);
}

static void test_decode(void **state) {
        static const struct {
                unsigned page;
                const char *data, *text;
        } rows[] = {
                { 437, "caf\x82", "café" },
                { 850, "\x9a\xe1", "Üß" },
                { 1252, "\x80 \xfc", "€ ü" },
                { 932, "\x93\xfa\x96\x7b", "日本" },
                { 936, "\xd6\xd0\xce\xc4", "中文" },
                { 932, "a\x93", "a\xef\xbf\xbd" }, /* half a character */
                { 1252, "\x81.", "\xef\xbf\xbd." }, /* none at all */
                { 1258, "oa", "oa" }, /* what the next one might have changed */
                { 1258, "a\xd2.a", "ả.a" },
                { 1255, "\xe0\xff", "א\xef\xbf\xbd" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *text = NULL;
                size_t size;
                int r = code_page_decode(rows[i].page, rows[i].data, strlen(rows[i].data), &text, &size);

                if (r == -ENOPKG) { /* a machine with few of iconv's tables */
                        assert_null(text);
                        continue;
                }
                assert_int_equal(r, 1);
                assert_string_equal(text, rows[i].text);
                assert_int_equal(size, strlen(rows[i].text));
        }
}

static void test_left_alone(void **state) {
        char *text;
        size_t size;

        (void) state;
        assert_int_equal(code_page_decode(65001, "x", 1, &text, &size), 0);
        assert_int_equal(code_page_decode(0, "x", 1, &text, &size), 0);
        assert_int_equal(code_page_decode(850, "", 0, &text, &size), 0);
        assert_int_equal(code_page_decode(850, "\x9a\0\x9a", 3, &text, &size), 0); /* no text */
        assert_null(text);
        assert_int_equal(code_page_decode(4711, "x", 1, &text, &size), -ENOPKG);
}

static void test_encode(void **state) {
        _cleanup_(freep) char *bytes = NULL;
        size_t size;

        (void) state;
        assert_int_equal(code_page_encode(850, "Ü", &bytes, &size), 0);
        assert_int_equal(size, 1);
        assert_string_equal(bytes, "\x9a");
        assert_int_equal(code_page_encode(850, "日", &bytes, &size), -EILSEQ);
        assert_int_equal(code_page_encode(4711, "ü", &bytes, &size), -ENOPKG);
        free(bytes);
        assert_int_equal(code_page_encode(4711, "x", &bytes, &size), 0); /* the same in all of them */
        assert_string_equal(bytes, "x");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_decode),
                cmocka_unit_test(test_left_alone),
                cmocka_unit_test(test_encode),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
