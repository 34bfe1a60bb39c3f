/* SPDX-License-Identifier: BSD-3-Clause */
/* Which taps are planned, and the record of them: what is written comes back, what is damaged is refused. */

#include "fixture.h"
#include "net-plan.h"

static void plan(Fixture *f, const char *text, NetTaps *ret) {
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(f, "etc/machine-id", "000102030405060708090a0b0c0d0e0f\n");
        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_int_equal(guest_load(f->root, "g", &g), 0);
        assert_int_equal(net_plan(f->root, g, ret), 0);
}

static void test_plan(void **state) {
        _cleanup_(net_taps_done) NetTaps taps = {}, none = {}, again = {};

        plan(*state, "[Network out]\n[Network off]\nType=none\n", &none);
        assert_int_equal(none.n, 0);

        plan(*state, "[Network lan]\nType=bridge\nBridge=br0\n[Network out]\n[Network dmz]\nType=bridge\nBridge=br1\n"
                     "MAC=02:00:00:00:00:07\n", &taps);
        assert_int_equal(taps.n, 2);
        assert_int_equal(strlen(taps.items[0].name), 14);
        assert_string_not_equal(taps.items[0].name, taps.items[1].name);
        assert_string_equal(taps.items[0].bridge, "br0");
        assert_string_equal(taps.items[1].bridge, "br1");
        /* Never the lowest in the bridge, and told apart from the guest's own. */
        assert_memory_equal(taps.items[0].mac, "fe:54:00:", 9);
        assert_string_equal(taps.items[1].mac, "fe:00:00:00:00:07");
        assert_ptr_equal(net_taps_find(&taps, taps.items[1].name), &taps.items[1]);
        assert_null(net_taps_find(&taps, "vxm-0000000000"));

        /* Neither type nor bridge of another network, nor the order, makes another name. */
        plan(*state, "[Network dmz]\nType=bridge\nBridge=br9\n[Network lan]\nType=bridge\nBridge=br0\n", &again);
        assert_string_equal(again.items[0].name, taps.items[1].name);
        assert_string_equal(again.items[1].name, taps.items[0].name);
}

static int parse(const char *text, NetTaps *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return net_record_parse(copy, ret);
}

static void test_record(void **state) {
        _cleanup_(net_taps_done) NetTaps taps = {}, loaded = {}, kept = {};
        Fixture *f = *state;

        plan(f, "[Network lan]\nType=bridge\nBridge=br0\n[Network dmz]\nType=bridge\nBridge=br1\n", &taps);
        assert_int_equal(net_record_load(f->root, "g", &loaded), -ENOENT);
        fixture_directory(f, "run/vxm/net");
        assert_int_equal(net_record_save(f->root, "g", &taps), 0);
        assert_int_equal(net_record_load(f->root, "g", &loaded), 0);
        assert_int_equal(loaded.n, 2);
        assert_string_equal(loaded.items[0].name, taps.items[0].name);
        assert_string_equal(loaded.items[1].bridge, "br1");

        /* What an earlier run has noted holds on, once. */
        assert_int_equal(parse("vxm-0123456789 br7\n", &kept), 0);
        assert_int_equal(net_plan_keep(&loaded, &kept), 0);
        assert_int_equal(net_plan_keep(&loaded, &kept), 0);
        assert_int_equal(loaded.n, 3);
        assert_string_equal(loaded.items[2].bridge, "br7");

        assert_int_equal(net_record_forget(f->root, "g"), 0);
        assert_int_equal(net_record_forget(f->root, "g"), 0);
        net_taps_done(&loaded);
        assert_int_equal(net_record_load(f->root, "g", &loaded), -ENOENT);
}

static void test_damaged(void **state) {
        static const char *const rows[] = { "vxm-0123456789", "vxm-0123456789 ", "vxm-012345678 br0",
                "vxm-01234567890 br0",
                "vxm-012345678g br0", "eth0 br0", "br0 br0", "vxm-0123456789 br0 br1", "vxm-0123456789 ../br0",
                "vxm-0123456789 br0\nvxm-0123456789 br1", " vxm-0123456789 br0", "vxm-0123456789  br0",
                "vxm-0123456789 averyverylongname" };
        NetTaps taps;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (parse(rows[i], &taps) != -EBADMSG)
                        fail_msg("is taken: %s", rows[i]);
        assert_int_equal(parse("", &taps), 0);
        net_taps_done(&taps);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_plan),
                fixture_test(test_record),
                fixture_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
