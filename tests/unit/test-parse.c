/* SPDX-License-Identifier: BSD-3-Clause */
/* The readers of single values: what they take, what they refuse, and that a refusal leaves the result alone. */

#include <limits.h>

#include "fixture.h"
#include "parse.h"

static void test_boolean(void **state) {
        static const char *const yes[] = { "yes", "YES", "true", "True", "on", "1" };
        static const char *const no[] = { "no", "No", "false", "FALSE", "off", "0" };
        static const char *const neither[] = { "", "y", "2", "yess", " yes", "yes ", "ja", "01", "-1", "enabled" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                bool b = false;

                assert_int_equal(parse_boolean(yes[i], &b), 0);
                assert_true(b);
        }
        for (size_t i = 0; i < ELEMENTSOF(no); i++) {
                bool b = true;

                assert_int_equal(parse_boolean(no[i], &b), 0);
                assert_false(b);
        }
        for (size_t i = 0; i < ELEMENTSOF(neither); i++) {
                bool b = true;

                assert_int_equal(parse_boolean(neither[i], &b), -EINVAL);
                assert_true(b);
        }
}

typedef struct Row {
        const char *text;
        int r;
        uint64_t value;
} Row;

static void check_row(const Row *row, int r, uint64_t value) {
        if (r != row->r)
                fail_msg("“%s”: %d instead of %d", row->text, r, row->r);
        if (value != (r < 0 ? 4711 : row->value))
                fail_msg("“%s”: value %llu", row->text, (unsigned long long) value);
}

static void test_number(void **state) {
        static const Row rows[] = {
                { "1", 0, 1 },
                { "255", 0, 255 },
                { "007", 0, 7 },
                { "0", -ERANGE, 0 },
                { "256", -ERANGE, 0 },
                { "18446744073709551615", -ERANGE, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "99999999999999999999999999", -ERANGE, 0 },
                { "", -EINVAL, 0 },
                { " 1", -EINVAL, 0 },
                { "1 ", -EINVAL, 0 },
                { "+1", -EINVAL, 0 },
                { "-1", -EINVAL, 0 },
                { "0x10", -EINVAL, 0 },
                { "1.5", -EINVAL, 0 },
                { "1,0", -EINVAL, 0 },
                { "one", -EINVAL, 0 },
                { "\xd9\xa1", -EINVAL, 0 }, /* an Arabic one */
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t value = 4711;
                int r = parse_number(rows[i].text, 1, 255, &value);

                check_row(&rows[i], r, value);
        }
}

static void test_number_limits(void **state) {
        uint64_t value;

        (void) state;
        assert_int_equal(parse_number("18446744073709551615", 0, UINT64_MAX, &value), 0);
        assert_true(value == UINT64_MAX);
        assert_int_equal(parse_number("0", 0, 0, &value), 0);
        assert_true(value == 0);
}

static void test_mode(void **state) {
        static const char *const bad[] = { "", "8", "0o600", "00600", "-1", " 600", "600 ", "6 0" };
        mode_t mode = 0;

        (void) state;
        assert_int_equal(parse_mode("0", &mode), 0);
        assert_int_equal(mode, 0);
        assert_int_equal(parse_mode("600", &mode), 0);
        assert_int_equal(mode, 0600);
        assert_int_equal(parse_mode("7777", &mode), 0);
        assert_int_equal(mode, 07777);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(parse_mode(bad[i], &mode), -EINVAL);
        assert_int_equal(mode, 07777);
}

static void test_size(void **state) {
        static const Row rows[] = {
                { "16777216", 0, UINT64_C(16) << 20 },
                { "16384K", 0, UINT64_C(16) << 20 },
                { "16M", 0, UINT64_C(16) << 20 },
                { "1G", 0, UINT64_C(1) << 30 },
                { "1T", 0, UINT64_C(1) << 40 },
                { "15M", -ERANGE, 0 },
                { "2T", -ERANGE, 0 },
                { "0", -ERANGE, 0 },
                { "16777216T", -ERANGE, 0 }, /* 2^64: nothing would be left of it */
                { "18014398509481984K", -ERANGE, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "16m", -EINVAL, 0 },
                { "16MB", -EINVAL, 0 },
                { "16MiB", -EINVAL, 0 },
                { "16 M", -EINVAL, 0 },
                { "1.5G", -EINVAL, 0 },
                { "G", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "-16M", -EINVAL, 0 },
                { "16M,", -EINVAL, 0 },
                { "1P", -EINVAL, 0 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t value = 4711;
                int r = parse_size(rows[i].text, UINT64_C(16) << 20, UINT64_C(1) << 40, &value);

                check_row(&rows[i], r, value);
        }
}

static void test_time(void **state) {
        static const Row rows[] = {
                { "0", 0, 0 },
                { "90", 0, 90000000 },
                { "90s", 0, 90000000 },
                { "500ms", 0, 500000 },
                { "2min", 0, 120000000 },
                { "2m", 0, 120000000 },
                { "1h", 0, UINT64_C(3600000000) },
                { "1h 30min", 0, UINT64_C(5400000000) },
                { "1h30min", 0, UINT64_C(5400000000) },
                { "1min 5", 0, 65000000 },
                { "", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { "-5s", -EINVAL, 0 },
                { "5x", -EINVAL, 0 },
                { "5minutes", -EINVAL, 0 },
                { "5sec", -EINVAL, 0 },
                { "1.5s", -EINVAL, 0 },
                { "infinity", -EINVAL, 0 },
                { "5s;", -EINVAL, 0 },
                { "5S", -EINVAL, 0 },
                { "18446744073709551615s", -ERANGE, 0 },
                { "18446744073709551616", -ERANGE, 0 },
                { "18446744073709s 18446744073709s", -ERANGE, 0 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t value = 4711;
                int r = parse_time(rows[i].text, &value);

                check_row(&rows[i], r, value);
        }
}

static void test_path(void **state) {
        static const char *const clean[] = { "/a", "/a/b", "/...", "/.a", "/a..", "/..a", "/a b", "/a,b=\"c\"", "/ä",
                "/a\\b" };
        static const char *const unclean[] = { "", "a", "a/b", "/", "//", "/a/", "/a//b", "/.", "/..", "/a/.", "/a/..",
                "/a/./b", "/a/../b", "/../a", "./a", "/a\nb", "/a\tb", "/\x7f", "/a\x01", "/a\\" };
        char path[PATH_MAX + 1];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(clean); i++)
                if (!path_is_clean(clean[i]))
                        fail_msg("“%s” is clean", clean[i]);
        for (size_t i = 0; i < ELEMENTSOF(unclean); i++)
                if (path_is_clean(unclean[i]))
                        fail_msg("“%s” is not clean", unclean[i]);

        memset(path, 'x', sizeof path);
        path[0] = '/';
        path[PATH_MAX - 1] = '\0';
        assert_true(path_is_clean(path));
        path[PATH_MAX - 1] = 'x';
        path[PATH_MAX] = '\0';
        assert_false(path_is_clean(path));
}

static void test_guest_name(void **state) {
        static const char *const valid[] = { "a", "win11", "a-b", "a-", "abcdefghijklmnopqrstuvwx" };
        static const char *const invalid[] = { "", "1a", "-a", "A", "aB", "a_b", "a.b", "a b", "a/b", "..", "ä", "a\n",
                "abcdefghijklmnopqrstuvwxy", "a%", "a@b" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(valid); i++)
                if (!guest_name_is_valid(valid[i]))
                        fail_msg("“%s” is a name", valid[i]);
        for (size_t i = 0; i < ELEMENTSOF(invalid); i++)
                if (guest_name_is_valid(invalid[i]))
                        fail_msg("“%s” is no name", invalid[i]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_boolean),
                cmocka_unit_test(test_number),
                cmocka_unit_test(test_number_limits),
                cmocka_unit_test(test_mode),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_path),
                cmocka_unit_test(test_guest_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
