/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of switched monitors: what is written comes back, what is damaged is refused, other guests' monitors are found. */

#include "ddc-record.h"
#include "fixture.h"
#include "root.h"

#define LG "card0-HDMI-A-1 5 GSM5B7F:0001a2b3:204NTAB12345 f4 50 91 90 2000000 unreadable"
#define DELL "card0-DP-1 6 DELA0B1:00000000: 60 51 0f 11 0 -"

static int parse(const char *text, DdcRecord *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return ddc_record_parse(copy, ret);
}

static void test_parse(void **state) {
        static const char *const bad[] = { "", "\n", LG "\n\n", "\n" LG, LG " ", LG " x", "card0-HDMI-A-1",
                "card0-HDMI-A-1 5 GSM5B7F:0001a2b3:2 f4 50 91 90 2000000", "/dev/x 5 GSM5B7F:0001a2b3:2 f4 50 91 90 1 -",
                "a -1 GSM5B7F:0001a2b3:2 f4 50 91 90 1 -", "a 1048576 GSM5B7F:0001a2b3:2 f4 50 91 90 1 -",
                "a 5 GSM f4 50 91 90 1 -", "a 5 GSM5B7F:0001a2b3:2 f4 50 91 90 1 both", "a 5 GSM5B7F:0001a2b3:2 00 50 91 90 1 -",
                "a 5 GSM5B7F:0001a2b3:2 f4 50 00 90 1 -", "a 5 GSM5B7F:0001a2b3:2 f4 50 91 9 1 -",
                "a 5 GSM5B7F:0001a2b3:2 F4 50 91 90 1 -", "a 5 GSM5B7F:0001a2b3:2 f4 50 91 190 1 -",
                "a 5 GSM5B7F:0001a2b3:2 f4 50 91 90 60000001 -", "a  5 GSM5B7F:0001a2b3:2 f4 50 91 90 1 -",
                DELL "\n" DELL "\n" DELL "\n" DELL "\n" DELL "\n" DELL "\n" DELL "\n" DELL "\n" DELL };
        _cleanup_(ddc_record_done) DdcRecord two = {};

        (void) state;
        assert_int_equal(parse(LG "\n" DELL "\n", &two), 0);
        assert_int_equal(two.n, 2);
        assert_string_equal(two.items[0].connector, "card0-HDMI-A-1");
        assert_string_equal(two.items[0].identity, "GSM5B7F:0001a2b3:204NTAB12345");
        assert_true(two.items[0].bus == 5 && two.items[0].feature == 0xf4 && two.items[0].source == 0x50);
        assert_true(two.items[0].host == 0x91 && two.items[0].guest == 0x90 && two.items[0].settle == 2000000);
        assert_true(two.items[0].unreadable && !two.items[0].one_way);
        assert_string_equal(two.items[1].identity, "DELA0B1:00000000:");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(ddc_record_done) DdcRecord none = {};

                if (parse(bad[i], &none) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
        }
}

static void test_file(void **state) {
        _cleanup_(ddc_record_done) DdcRecord record = {}, again = {};
        static char connector[] = "card1-DP-2";
        DdcSwitch s = { connector, 12, "GSM5B7F:0001a2b3:1", 0x60, 0x51, 0x0f, 0x11, 500000, true, true };
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/ddc");
        assert_int_equal(ddc_record_load(f->root, "demo", &again), -ENOENT);
        assert_int_equal(ddc_record_add(&record, &s), 0);
        s.host = 0x10;
        assert_int_equal(ddc_record_add(&record, &s), 0); /* in place of the first */
        assert_int_equal(record.n, 1);
        assert_int_equal(ddc_record_save(f->root, "demo", &record), 0);
        assert_int_equal(ddc_record_load(f->root, "demo", &again), 0);
        assert_int_equal(again.n, 1);
        assert_string_equal(again.items[0].connector, connector);
        assert_true(again.items[0].bus == 12 && again.items[0].host == 0x10 && again.items[0].guest == 0x11);
        assert_true(again.items[0].unreadable && again.items[0].one_way && again.items[0].settle == 500000);
        assert_int_equal(ddc_record_forget(f->root, "demo"), 0);
        assert_int_equal(ddc_record_forget(f->root, "demo"), 0);
        assert_false(root_exists(f->root, "run/vxm/ddc/demo"));
}

static void test_holder(void **state) {
        _cleanup_(freep) char *holder = NULL, *damaged = NULL, *none = NULL;
        static char connector[] = "card0-DP-1", other[] = "card0-DP-2";
        DdcSwitch dell = { .connector = connector, .identity = "DELA0B1:00000000:" }, twin = dell;
        Fixture *f = *state;

        twin.connector = other;
        fixture_write(f, "run/vxm/ddc/other", LG "\n" DELL "\n");
        assert_int_equal(ddc_record_holder(f->root, "demo", &dell, &holder), 1);
        assert_string_equal(holder, "other");
        assert_int_equal(ddc_record_holder(f->root, "demo", &twin, &none), 0);
        assert_int_equal(ddc_record_holder(f->root, "other", &dell, &none), 0);
        fixture_write(f, "run/vxm/ddc/third", "nonsense");
        assert_int_equal(ddc_record_holder(f->root, "other", &dell, &damaged), -EBADMSG);
        assert_string_equal(damaged, "third");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                fixture_test(test_file),
                fixture_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
