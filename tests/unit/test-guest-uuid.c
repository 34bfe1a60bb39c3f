/* SPDX-License-Identifier: BSD-3-Clause */
/* UUIDs of guests: of the user's choice, else one for each name. */

#include "fixture.h"
#include "guest-uuid.h"

static void test_names(void **state) {
        static const char *const names[] = { "a", "b", "aa", "a-", "a0", "-a", "zzzzzzzzzzzzzzzzzzzzzzzz", "zzzzzzzzzzzzzzzzzzzzzzz",
                "z-----------------------", "win11", "win10" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_true(sd_id128_equal(guest_name_id(names[i]), guest_name_id(names[i])));
                assert_false(sd_id128_is_null(guest_name_id(names[i])));
                for (size_t j = 0; j < i; j++)
                        assert_false(sd_id128_equal(guest_name_id(names[i]), guest_name_id(names[j])));
        }
        /* A UUID must not change with the version of vxm: machines are licensed by it. */
        assert_string_equal(SD_ID128_TO_STRING(guest_name_id("win11")), "3cf11f0a5e2d448b9a6107d469734601");
}

static void test_named(void **state) {
        Guest g = { .name = (char *) "g", .uuid = (char *) "6f1c3a2e-4b5d-4c6e-8f70-91a2b3c4d5e6" };
        _cleanup_(freep) char *uuid = NULL;

        assert_int_equal(guest_uuid_find(((Fixture *) *state)->root, &g, &uuid), 0);
        assert_string_equal(uuid, g.uuid);
}

/* The ID of the machine that runs says nothing about another one's guests. */
static void test_other_machine(void **state) {
        Guest g = { .name = (char *) "g" };
        char *uuid = (char *) "x";

        assert_int_equal(guest_uuid_find(((Fixture *) *state)->root, &g, &uuid), 0);
        assert_null(uuid);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                fixture_test(test_named),
                fixture_test(test_other_machine),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
