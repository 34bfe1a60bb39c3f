/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest gets told about who may come in. The image itself is looked at by tests/front/test-init. */

#include "fixture.h"
#include "json.h"
#include "seed.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtz"

static void test_keys(void **state _unused_) {
        assert_true(seed_key_is_valid(KEY));
        assert_true(seed_key_is_valid(KEY " anna: \"at\" home"));
        assert_true(seed_key_is_valid("ecdsa-sha2-nistp256 AAAAE2Vj"));
        assert_true(seed_key_is_valid("sk-ssh-ed25519@openssh.com AAAAGnNr"));
        assert_false(seed_key_is_valid(""));
        assert_false(seed_key_is_valid("-----BEGIN OPENSSH PRIVATE KEY-----"));
        assert_false(seed_key_is_valid("ssh-ed25519"));
        assert_false(seed_key_is_valid("ssh-ed25519 key"));
        assert_false(seed_key_is_valid(KEY "\n" KEY));
        assert_false(seed_key_is_valid(KEY " \x1b[1m"));
        assert_false(seed_key_is_valid(KEY " \xff"));
}

static void test_users(void **state _unused_) {
        assert_true(seed_user_is_valid("anna"));
        assert_true(seed_user_is_valid("_anna-2"));
        assert_false(seed_user_is_valid(""));
        assert_false(seed_user_is_valid("root"));
        assert_false(seed_user_is_valid("Anna"));
        assert_false(seed_user_is_valid("2anna"));
        assert_false(seed_user_is_valid("anna smith"));
        assert_false(seed_user_is_valid("a234567890123456789012345678901234"));
}

/* Whatever stands in a key's comment remains one string. */
static void test_text(void **state _unused_) {
        const Seed seed = { .guest = "box", .user = "anna", .key = KEY " \"], \"runcmd\": [\"rm" };
        _cleanup_(freep) char *user_data = NULL, *meta_data = NULL;
        _cleanup_(json_decrefp) json_t *top = NULL;
        const char *rest;

        assert_int_equal(seed_user_data(&seed, &user_data), 0);
        rest = startswith(user_data, "#cloud-config\n");
        assert_non_null(rest);
        top = json_loads(rest, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(top);
        assert_string_equal(json_get_string(top, "hostname"), "box");
        assert_string_equal(json_string_value(json_array_get(
                                    json_object_get(json_array_get(json_object_get(top, "users"), 0), "ssh_authorized_keys"), 0)),
                seed.key);
        assert_int_equal(seed_meta_data(&seed, &meta_data), 0);
        assert_string_equal(meta_data, "instance-id: vxm-box\nlocal-hostname: box\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_users),
                cmocka_unit_test(test_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
