/* SPDX-License-Identifier: BSD-3-Clause */
/* [Monitor]: what goes together in a guest file, and what does not. */

#include "exit-status.h"
#include "fixture.h"
#include "guest-monitors.h"

static const struct {
        const char *text, *log;
} bad[] = {
        { "[Monitor]\nMatch=auto\n", "[Monitor] GuestInput= is not set;" },
        { "[Monitor a]\nMatch=model:X\n", "[Monitor a] GuestInput= is not set;" },
        { "[Monitor]\nGuestInput=hdmi-3\n", "demo.guest:2: [Monitor] GuestInput=hdmi-3: expected hdmi-1," },
        { "[Monitor]\nGuestInput=0x00\n", "GuestInput=0x00: expected" },
        { "[Monitor]\nGuestInput=0x100\n", "GuestInput=0x100: expected" },
        { "[Monitor]\nGuestInput=0x\n", "GuestInput=0x: expected" },
        { "[Monitor]\nGuestInput=17\n", "GuestInput=17: expected" },
        { "[Monitor]\nMatch=X\n", "[Monitor] Match=X: expected auto, model:TEXT," },
        { "[Monitor]\nMatch=model:\n", "Match=model:: expected" },
        { "[Monitor]\nMatch=connector:/dev\n", "expected" },
        { "[Monitor]\nMatch=serial:123456789012345678901234567890123\n", "expected" },
        { "[Monitor]\nForce=perhaps\n", "[Monitor] Force=perhaps: expected yes or no" },
        { "[Monitor]\nGuestInput=dp-1\nHostInput=dp-1\n", "GuestInput= and HostInput= are the same;" },
        { "[Monitor]\nGuestInput=0x0F\nHostInput=0x0f\n", "GuestInput= and HostInput= are the same;" },
        { "[Monitor]\nGuestInput=dp-1\n[Monitor b]\nGuestInput=dp-2\nMatch=model:X\n", "[Monitor] Match=auto is for the only monitor, but there are 2" },
        { "[Monitor A]\nGuestInput=dp-1\n", "[Monitor A] needs a name of a-z" },
};

static Guest *load(Fixture *f, const char *text, int expected) {
        Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/demo.guest", text);
        assert_int_equal(guest_load(f->root, "demo", &g), expected);
        return g;
}

static void test_bad(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                fixture_capture(f);
                assert_null(load(f, bad[i].text, -E_CONFIG));
                fixture_assert_logged(f, bad[i].log);
        }
}

static void test_good(void **state) {
        _cleanup_(guest_freep) Guest *g =
                load(*state, "[Monitor]\nGuestInput=usb-c\nMatch=connector:card1-HDMI-A-1\nForce=yes\n"
                             "[Monitor left]\nMatch=model: DELL U2720Q\nGuestInput=0xD0\nHostInput=0x0f\n"
                             "[Monitor right]\nMatch=serial:CN-0 1\nGuestInput=vga-1\n[Monitor left]\nForce=\n", 0);

        assert_int_equal(g->n_monitors, 3);
        assert_null(g->monitors[0].name);
        assert_int_equal(g->monitors[0].guest_input.name, MONITOR_INPUT_USB_C);
        assert_int_equal(g->monitors[0].host_input.name, MONITOR_INPUT_UNSET);
        assert_int_equal(g->monitors[0].match.kind, MONITOR_CONNECTOR);
        assert_string_equal(g->monitors[0].match.text, "card1-HDMI-A-1");
        assert_true(g->monitors[0].force);
        assert_string_equal(g->monitors[1].name, "left");
        assert_int_equal(g->monitors[1].match.kind, MONITOR_MODEL);
        assert_string_equal(g->monitors[1].match.text, "DELL U2720Q");
        assert_true(g->monitors[1].guest_input.name == MONITOR_INPUT_VALUE && g->monitors[1].guest_input.value == 0xd0);
        assert_true(g->monitors[1].host_input.name == MONITOR_INPUT_VALUE && g->monitors[1].host_input.value == 0x0f);
        assert_false(g->monitors[1].force);
        assert_int_equal(g->monitors[2].match.kind, MONITOR_SERIAL);
        assert_string_equal(g->monitors[2].match.text, "CN-0 1");
}

/* The same value twice is one monitor's only by its own name for it. */
static void test_auto(void **state) {
        _cleanup_(guest_freep) Guest *g = load(*state, "[Monitor]\nGuestInput=hdmi-1\nHostInput=0x11\n", 0);

        assert_int_equal(g->monitors[0].match.kind, MONITOR_AUTO);
}

static void test_names(void **state) {
        (void) state;
        for (MonitorInput i = 0; i < MONITOR_INPUTS; i++) {
                const char *name = monitor_input_name(i);
                GuestInput input;

                if (name) {
                        assert_int_equal(monitor_input_parse(name, &input), 0);
                        assert_int_equal(input.name, i);
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_bad),
                fixture_test(test_good),
                fixture_test(test_auto),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
