/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of CPUs: what is read comes out again in its shortest form, what is no list is refused. */

#include "cpu-set.h"
#include "fixture.h"

static void test_lists(void **state) {
        static const struct {
                const char *text, *printed;
                size_t count;
        } rows[] = {
                { "", "", 0 },
                { "0", "0", 1 },
                { "2-5,8", "2-5,8", 5 },
                { "8,2-5", "2-5,8", 5 },
                { "3,1,2,2-3", "1-3", 3 },
                { "0-1023", "0-1023", 1024 },
                { "63,64", "63-64", 2 },
                { "1,3,5", "1,3,5", 3 },
                { "1023", "1023", 1 },
        };
        char text[CPU_SET_TEXT_MAX];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                CpuSet set;

                assert_int_equal(cpu_set_parse(rows[i].text, &set), 0);
                assert_int_equal(cpu_set_count(&set), rows[i].count);
                assert_string_equal(cpu_set_print(&set, text), rows[i].printed);
        }
}

static void test_refused(void **state) {
        static const char *const rows[] = { ",", "1,", ",1", "1,,2", "5-2", "-1", "1-", "a", "1 2", " 1", "1\n", "+1",
                "0x1", "1-2-3", "1024", "0-1024", "99999999999999999999", "auto" };
        CpuSet set = { .words = { 7 } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (cpu_set_parse(rows[i], &set) >= 0)
                        fail_msg("taken: %s", rows[i]);
        assert_int_equal(set.words[0], 7); /* untouched */
}

static void test_masks(void **state) {
        static const struct {
                const char *text, *list, *printed;
        } rows[] = {
                { "0", "", "0" },
                { "f", "0-3", "f" },
                { "ffff", "0-15", "ffff" },
                { "1,00000000", "32", "1,00000000" },
                { "00000000,00000003", "0-1", "3" },
                { "80000000,00000000,00000001", "0,95", "80000000,00000000,00000001" },
                { "FF", "0-7", "ff" },
        };
        static const char *const bad[] = { "", ",", "1,", "g", "0x1", "123456789", " 1", "1\n" };
        char text[CPU_SET_TEXT_MAX];
        CpuSet set;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(cpu_set_parse_mask(rows[i].text, &set), 0);
                assert_string_equal(cpu_set_print(&set, text), rows[i].list);
                assert_string_equal(cpu_set_print_mask(&set, text), rows[i].printed);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (cpu_set_parse_mask(bad[i], &set) >= 0)
                        fail_msg("taken: %s", bad[i]);
}

static void test_bytes(void **state) {
        uint8_t bytes[CPU_SET_MAX / 8];
        CpuSet set, back;

        (void) state;
        assert_int_equal(cpu_set_parse("0,9,1023", &set), 0);
        assert_int_equal(cpu_set_to_bytes(&set, bytes), 128);
        assert_int_equal(bytes[0], 1);
        assert_int_equal(bytes[1], 2);
        assert_int_equal(bytes[127], 0x80);
        back = cpu_set_from_bytes(bytes, sizeof bytes);
        assert_true(cpu_set_equal(&set, &back));

        set = (CpuSet){};
        assert_int_equal(cpu_set_to_bytes(&set, bytes), 0);
        back = cpu_set_from_bytes(NULL, 0);
        assert_true(cpu_set_is_empty(&back));
}

static void test_operations(void **state) {
        CpuSet a, b, c;
        char text[CPU_SET_TEXT_MAX];

        (void) state;
        assert_int_equal(cpu_set_parse("0-5", &a), 0);
        assert_int_equal(cpu_set_parse("4-7", &b), 0);
        c = cpu_set_union(&a, &b);
        assert_string_equal(cpu_set_print(&c, text), "0-7");
        assert_true(cpu_set_contains(&c, &a) && !cpu_set_contains(&a, &c));
        c = cpu_set_minus(&a, &b);
        assert_string_equal(cpu_set_print(&c, text), "0-3");
        assert_false(cpu_set_intersects(&c, &b));
        c = cpu_set_common(&a, &b);
        assert_string_equal(cpu_set_print(&c, text), "4-5");
        assert_int_equal(cpu_set_next(&c, 5), 5);
        assert_int_equal(cpu_set_next(&c, 6), CPU_SET_MAX);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_masks),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_operations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
