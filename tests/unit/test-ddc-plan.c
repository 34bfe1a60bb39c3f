/* SPDX-License-Identifier: BSD-3-Clause */
/* From [Monitor] sections to monitors: which one is meant, when none is, and which values go there. */

#include "ddc-plan.h"
#include "exit-status.h"
#include "fixture.h"

static char dp[] = "card0-DP-1", hdmi[] = "card0-HDMI-A-1", other[] = "card1-HDMI-A-1";

/* A Dell, an LG, and a Dell again. */
static Monitor monitors[] = {
        { .connector = dp, .bus = 1, .edid = { "DEL", 0xa0b1, 7, "DELL U2720Q", "CN-1" } },
        { .connector = hdmi, .bus = 2, .edid = { "GSM", 0x5b7f, 8, "LG ULTRAGEAR", "204N" } },
        { .connector = other, .bus = 3, .edid = { "DEL", 0xa0b1, 9, "DELL U2720Q", "CN-2" } },
};

static void set_up(void) {
        for (size_t i = 0; i < ELEMENTSOF(monitors); i++)
                monitor_quirk_default(&monitors[i].quirk);
        monitors[1].quirk.known = monitors[1].quirk.unreadable = true;
        monitors[1].quirk.feature = 0xf4;
        monitors[1].quirk.values[MONITOR_INPUT_HDMI_1] = 0x90;
        monitors[1].quirk.values[MONITOR_INPUT_HDMI_2] = 0x91;
        monitors[1].quirk.values[MONITOR_INPUT_DP_2] = 0;
}

static int plan(Fixture *f, const char *text, size_t n_monitors, DdcPlan *ret, Guest **ret_guest) {
        const Monitors l = { monitors, n_monitors };
        int r;

        set_up();
        fixture_write(f, "etc/vxm/guests/demo.guest", text);
        assert_int_equal(guest_load(f->root, "demo", ret_guest), 0);
        fixture_capture(f);
        r = ddc_plan_make(*ret_guest, &l, ret);
        return r;
}

static void test_found(void **state) {
        static const struct {
                const char *match;
                size_t n, found;
        } rows[] = {
                { "auto", 1, 0 },
                { "model:lg ultragear", 3, 1 },
                { "serial:cn-2", 3, 2 },
                { "connector:card1-HDMI-A-1", 3, 2 },
                { "connector:dp-1", 3, 0 },
                { "connector:HDMI-A-1", 2, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *text = NULL, *log = NULL;
                _cleanup_(ddc_plan_done) DdcPlan p = {};
                _cleanup_(guest_freep) Guest *g = NULL;

                assert_int_equal(format(&text, "[Monitor]\nMatch=%s\nGuestInput=hdmi-1\nHostInput=hdmi-2\n", rows[i].match), 0);
                if (plan(*state, text, rows[i].n, &p, &g) != 0 || p.n != 1 || p.items[0].monitor != &monitors[rows[i].found])
                        fail_msg("Match=%s finds another one", rows[i].match);
                log = fixture_log(*state);
                assert_string_equal(log, "");
                assert_int_equal(p.items[0].guest, rows[i].found == 1 ? 0x90 : 0x11);
                assert_int_equal(p.items[0].host, rows[i].found == 1 ? 0x91 : 0x12);
                assert_int_equal(p.items[0].look_up, rows[i].found != 1);
        }
}

static void test_refused(void **state) {
        static const struct {
                const char *text, *log;
                size_t n;
        } rows[] = {
                { "GuestInput=dp-1\n", "[Monitor]: no monitor is connected to the host;", 0 },
                { "GuestInput=dp-1\n", "[Monitor] Match=auto fits 3 monitors: DELL U2720Q (card0-DP-1) serial CN-1, LG ULTRAGEAR", 3 },
                { "GuestInput=dp-1\nMatch=model:DELL U2720Q\n", "Match=model:DELL U2720Q fits 2 monitors: DELL U2720Q (card0-DP-1) serial CN-1, DELL U2720Q (card1-HDMI-A-1) serial CN-2;", 3 },
                { "GuestInput=dp-1\nMatch=serial:X\n", "Match=serial:X is none of the monitors that are connected to the host: DELL", 3 },
                { "GuestInput=dp-1\nMatch=connector:HDMI-A-1\n", "fits 2 monitors", 3 },
                { "GuestInput=dp-2\nMatch=serial:204N\nHostInput=hdmi-1\n", "[Monitor] GuestInput=: LG ULTRAGEAR (card0-HDMI-A-1) has no such input that we know of;", 3 },
                { "GuestInput=hdmi-1\nMatch=serial:204N\n", "[Monitor] HostInput=: LG ULTRAGEAR (card0-HDMI-A-1) does not tell which input it shows;", 3 },
                { "GuestInput=hdmi-1\nMatch=serial:204N\nHostInput=dp-2\n", "[Monitor] HostInput=: LG ULTRAGEAR (card0-HDMI-A-1) has no such input", 3 },
                { "GuestInput=hdmi-1\nMatch=serial:CN-1\nHostInput=0x11\n", "has the same value for both inputs", 3 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *text = NULL;
                _cleanup_(ddc_plan_done) DdcPlan p = {};
                _cleanup_(guest_freep) Guest *g = NULL;

                assert_int_equal(format(&text, "[Monitor]\n%s", rows[i].text), 0);
                assert_int_equal(plan(*state, text, rows[i].n, &p, &g), -E_CONFIG);
                assert_int_equal(p.n, 0);
                fixture_assert_logged(*state, rows[i].log);
        }
}

/* What is wrong with one is no reason to leave the others alone. */
static void test_several(void **state) {
        _cleanup_(ddc_plan_done) DdcPlan p = {};
        _cleanup_(guest_freep) Guest *g = NULL;

        assert_int_equal(plan(*state, "[Monitor a]\nMatch=serial:none\nGuestInput=dp-1\n[Monitor b]\nMatch=serial:CN-2\nGuestInput=0x1b\n"
                                      "[Monitor c]\nMatch=connector:card1-HDMI-A-1\nGuestInput=dp-1\n", 3, &p, &g), -E_CONFIG);
        fixture_assert_logged(*state, "[Monitor c] Match=: DELL U2720Q (card1-HDMI-A-1) is another section's monitor already");
        assert_int_equal(p.n, 1);
        assert_ptr_equal(p.items[0].monitor, &monitors[2]);
        assert_int_equal(p.items[0].guest, 0x1b);
        assert_int_equal(p.items[0].host, DDC_HOST_UNKNOWN);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_found),
                fixture_test(test_refused),
                fixture_test(test_several),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
