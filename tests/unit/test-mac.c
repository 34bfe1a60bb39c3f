/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and tap names: the hash is SipHash, what is derived stays the same, and a wrong address is refused. */

#include "fixture.h"
#include "mac.h"

static const char id[] = "000102030405060708090a0b0c0d0e0f";

/* From the reference implementation's vectors.h: key 00 01 … 0f, data 00 01 …, of 0, 1, 7, 8, 15 and 16 bytes. */
static void test_siphash(void **state) {
        static const struct {
                size_t size;
                uint64_t tag;
        } rows[] = {
                { 0, UINT64_C(0x726fdb47dd0e0e31) },
                { 1, UINT64_C(0x74f839c593dc67fd) },
                { 7, UINT64_C(0xab0200f58b01d137) },
                { 8, UINT64_C(0x93f5f5799a932462) },
                { 15, UINT64_C(0xa129ca6149be45e5) },
                { 16, UINT64_C(0x3f2acc7f57c29bdb) },
        };
        uint8_t key[16], data[16];

        (void) state;
        for (size_t i = 0; i < 16; i++)
                key[i] = data[i] = (uint8_t) i;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_true(siphash24(key, data, rows[i].size) == rows[i].tag);
}

static void test_tag(void **state) {
        uint64_t a, b;

        (void) state;
        assert_int_equal(network_tag(id, "win11", "lan", &a), 0);
        assert_int_equal(network_tag(id, "win11", "lan", &b), 0);
        assert_true(a == b);
        assert_int_equal(network_tag(id, "win11", "lan2", &b), 0);
        assert_true(a != b);
        assert_int_equal(network_tag(id, "win12", "lan", &b), 0);
        assert_true(a != b);
        assert_int_equal(network_tag("100102030405060708090a0b0c0d0e0f", "win11", "lan", &b), 0);
        assert_true(a != b);

        assert_int_equal(network_tag("", "g", "n", &a), -EINVAL);
        assert_int_equal(network_tag("uninitialized", "g", "n", &a), -EINVAL);
        assert_int_equal(network_tag("g00102030405060708090a0b0c0d0e0f", "g", "n", &a), -EINVAL);
        assert_int_equal(network_tag("000102030405060708090a0b0c0d0e0", "g", "n", &a), -EINVAL);
        assert_int_equal(network_tag("000102030405060708090a0b0c0d0e0f0", "g", "n", &a), -EINVAL);
}

static void test_names(void **state) {
        char mac[MAC_TEXT_SIZE], tap[TAP_NAME_SIZE];

        (void) state;
        mac_from_tag(UINT64_C(0x0123456789abcdef), mac);
        assert_string_equal(mac, "52:54:00:01:23:45");
        assert_int_equal(mac_parse(mac, mac), 0);
        tap_from_tag(UINT64_C(0x0123456789abcdef), tap);
        assert_string_equal(tap, "vxm-0123456789");
        tap_from_tag(0, tap);
        assert_string_equal(tap, "vxm-0000000000");
}

static void test_parse(void **state) {
        static const char *const bad[] = { "", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567",
                "52-54-00-12-34-56",
                "525400123456", "52:54:00:12:34:5g", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00",
                " 52:54:00:12:34:5", "52:54:00:12:34:56 ", "52:54:00:12:34;56" };
        char mac[MAC_TEXT_SIZE];

        (void) state;
        assert_int_equal(mac_parse("AA:bB:cC:0D:eF:01", mac), 0);
        assert_string_equal(mac, "aa:bb:cc:0d:ef:01");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (mac_parse(bad[i], mac) != -EINVAL)
                        fail_msg("“%s” is taken", bad[i]);
}

static void test_find(void **state) {
        Guest g = { .name = (char *) "win11" };
        GuestNetwork n = { .name = (char *) "lan" };
        Fixture *f = *state;
        uint64_t tag, wanted;

        assert_int_equal(network_tag_find(f->root, &g, &n, &tag), -ENOENT);
        fixture_write(f, "etc/machine-id", "uninitialized\n");
        assert_int_equal(network_tag_find(f->root, &g, &n, &tag), -EINVAL);
        fixture_write(f, "etc/machine-id", "000102030405060708090a0b0c0d0e0f\n");
        assert_int_equal(network_tag_find(f->root, &g, &n, &tag), 0);
        assert_int_equal(network_tag(id, "win11", "lan", &wanted), 0);
        assert_true(tag == wanted);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_siphash),
                cmocka_unit_test(test_tag),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_parse),
                fixture_test(test_find),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
