/* SPDX-License-Identifier: BSD-3-Clause */
/* EDIDs: who a monitor says it is, and what is no EDID. */

#include "fake-edid.h"
#include "fixture.h"

static void test_good(void **state) {
        char model[EDID_MODEL_SIZE], identity[EDID_IDENTITY_SIZE];
        _cleanup_(freep) char *modalias = NULL;
        uint8_t data[EDID_SIZE * 2] = {};
        Edid e;

        (void) state;
        fake_edid(data, "GSM", 0x5b7f, 0x1a2b3, "LG ULTRAGEAR", "204NTAB12345");
        assert_int_equal(edid_parse(data, sizeof data, &e), 0);
        assert_string_equal(e.vendor, "GSM");
        assert_int_equal(e.product, 0x5b7f);
        assert_int_equal(e.number, 0x1a2b3);
        assert_string_equal(e.name, "LG ULTRAGEAR");
        assert_string_equal(e.serial, "204NTAB12345");
        assert_string_equal(edid_model(&e, model), "LG ULTRAGEAR");
        assert_string_equal(edid_identity(&e, identity), "GSM5B7F:0001a2b3:204NTAB12345");
        assert_true(edid_identity_is_valid(identity));
        assert_int_equal(edid_modalias(&e, &modalias), 0);
        assert_string_equal(modalias, "vxm-monitor:vGSM:p5B7F:nLG ULTRAGEAR");
}

static void test_without_texts(void **state) {
        char model[EDID_MODEL_SIZE], identity[EDID_IDENTITY_SIZE];
        uint8_t data[EDID_SIZE];
        Edid e;

        (void) state;
        fake_edid(data, "DEL", 0xa0b1, 4294967295u, NULL, NULL);
        assert_int_equal(edid_parse(data, sizeof data, &e), 0);
        assert_string_equal(edid_model(&e, model), "DEL A0B1");
        assert_string_equal(e.serial, "4294967295");
        assert_string_equal(edid_identity(&e, identity), "DELA0B1:ffffffff:4294967295");
        fake_edid(data, "DEL", 1, 0, "", NULL);
        assert_int_equal(edid_parse(data, sizeof data, &e), 0);
        assert_string_equal(e.serial, "");
        assert_string_equal(edid_identity(&e, identity), "DEL0001:00000000:");
        assert_true(edid_identity_is_valid(identity));
}

/* Text is what the monitor likes; messages, tables and the record have to stand it. */
static void test_odd_texts(void **state) {
        char identity[EDID_IDENTITY_SIZE];
        uint8_t data[EDID_SIZE];
        Edid e;

        (void) state;
        fake_edid(data, "AAA", 0, 0, "13 characters", "a\033[0m \t b");
        assert_int_equal(edid_parse(data, sizeof data, &e), 0);
        assert_string_equal(e.name, "13 characters");
        assert_string_equal(e.serial, "a?[0m ? b");
        assert_true(edid_identity_is_valid(edid_identity(&e, identity)));
        fake_edid(data, "ZZZ", 0, 0, "   ", "\xc3\xa4");
        assert_int_equal(edid_parse(data, sizeof data, &e), 0);
        assert_string_equal(e.name, "");
        assert_string_equal(e.serial, "??");
}

static void test_bad(void **state) {
        uint8_t data[EDID_SIZE];
        Edid e = { .product = 7 };

        (void) state;
        fake_edid(data, "GSM", 1, 1, "a", "b");
        assert_int_equal(edid_parse(data, EDID_SIZE - 1, &e), -EBADMSG);
        assert_int_equal(edid_parse(data, 0, &e), -EBADMSG);
        for (size_t i = 0; i < EDID_SIZE; i++) {
                data[i] ^= 0x40; /* one bit, anywhere */
                assert_int_equal(edid_parse(data, sizeof data, &e), -EBADMSG);
                data[i] ^= 0x40;
        }
        data[8] = data[9] = 0; /* no letters */
        fake_edid_sum(data);
        assert_int_equal(edid_parse(data, sizeof data, &e), -EBADMSG);
        memset(data, 0, sizeof data);
        assert_int_equal(edid_parse(data, sizeof data, &e), -EBADMSG);
        assert_int_equal(e.product, 7);
}

static void test_identities(void **state) {
        static const char *const bad[] = { "", "GSM5B7F:0001a2b3", "GSM5B7F:0001a2b3:a b", "GSM5B7F:0001a2b3:a/b",
                "GSM5B7F:0001a2b3:12345678901234", "GSM5B7F:0001a2b3:\n" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_false(edid_identity_is_valid(bad[i]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),      cmocka_unit_test(test_without_texts), cmocka_unit_test(test_odd_texts),
                cmocka_unit_test(test_bad),       cmocka_unit_test(test_identities),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
