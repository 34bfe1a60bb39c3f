/* SPDX-License-Identifier: BSD-3-Clause */
/* Quirks: what properties mean, and what is left of the standard beside them. */

#include "fixture.h"
#include "monitor-quirk.h"

static const GuestInput hdmi_1 = { .name = MONITOR_INPUT_HDMI_1 }, dp_1 = { .name = MONITOR_INPUT_DP_1 },
                        dp_2 = { .name = MONITOR_INPUT_DP_2 }, value = { .name = MONITOR_INPUT_VALUE, .value = 0x33 };

static void test_standard(void **state) {
        MonitorQuirk q;

        (void) state;
        monitor_quirk_default(&q);
        monitor_quirk_complete(&q);
        assert_false(q.known || q.unreadable || q.one_way);
        assert_int_equal(q.feature, 0x60);
        assert_int_equal(q.source, 0x51);
        assert_int_equal(monitor_quirk_value(&q, &hdmi_1), 0x11);
        assert_int_equal(monitor_quirk_value(&q, &dp_1), 0x0f);
        assert_int_equal(monitor_quirk_value(&q, &value), 0x33);
        assert_string_equal(monitor_quirk_input(&q, 0x12), "hdmi-2");
        assert_null(monitor_quirk_input(&q, 0x33));
        assert_null(monitor_quirk_input(&q, 0));
}

static void test_lg(void **state) {
        static const char *const properties[][2] = { { "VXM_DDC_INPUT_HDMI_1", "0x90" }, { "VXM_DDC_FEATURE", "0xF4" },
                { "VXM_DDC_SOURCE", "0x50" }, { "VXM_DDC_INPUT_DP_1", "0xD0" }, { "VXM_DDC_UNREADABLE", "yes" },
                { "VXM_DDC_ONE_WAY", "1" }, { "VXM_DDC_SETTLE_MS", "250" } };
        MonitorQuirk q;

        (void) state;
        monitor_quirk_default(&q);
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                assert_int_equal(monitor_quirk_set(&q, properties[i][0], properties[i][1]), 0);
        monitor_quirk_complete(&q);
        assert_true(q.known && q.unreadable && q.one_way);
        assert_int_equal(q.feature, 0xf4);
        assert_int_equal(q.source, 0x50);
        assert_int_equal(q.settle, 250000);
        assert_int_equal(monitor_quirk_value(&q, &hdmi_1), 0x90);
        assert_int_equal(monitor_quirk_value(&q, &dp_1), 0xd0);
        assert_int_equal(monitor_quirk_value(&q, &dp_2), 0); /* the standard's value means nothing there */
        assert_string_equal(monitor_quirk_input(&q, 0xd0), "dp-1");
}

/* The standard's feature with another value for one input has the others still. */
static void test_one_value(void **state) {
        MonitorQuirk q;

        (void) state;
        monitor_quirk_default(&q);
        assert_int_equal(monitor_quirk_set(&q, "VXM_DDC_INPUT_DP_1", "0x09"), 0);
        monitor_quirk_complete(&q);
        assert_int_equal(monitor_quirk_value(&q, &dp_1), 0x09);
        assert_int_equal(monitor_quirk_value(&q, &dp_2), 0x10);
}

static void test_bad(void **state) {
        static const char *const bad[][2] = { { "VXM_DDC_FEATURE", "" }, { "VXM_DDC_FEATURE", "f4" }, { "VXM_DDC_FEATURE", "0x100" },
                { "VXM_DDC_SOURCE", "hdmi-1" }, { "VXM_DDC_INPUT_DP_1", "0x0" }, { "VXM_DDC_ONE_WAY", "perhaps" },
                { "VXM_DDC_SETTLE_MS", "60000" }, { "VXM_DDC_SETTLE_MS", "-1" } };
        static const char *const unknown[] = { "VXM_DDC_INPUT_", "VXM_DDC_INPUT_DP_3", "VXM_DDC_INPUT_DP-1", "VXM_DDC_INPUT_DP_11", "VXM_DDC",
                "ID_MODEL" };
        MonitorQuirk q, untouched;

        (void) state;
        monitor_quirk_default(&q);
        monitor_quirk_default(&untouched);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (monitor_quirk_set(&q, bad[i][0], bad[i][1]) != -EINVAL)
                        fail_msg("%s=%s is taken", bad[i][0], bad[i][1]);
        for (size_t i = 0; i < ELEMENTSOF(unknown); i++)
                assert_int_equal(monitor_quirk_set(&q, unknown[i], "0x01"), -ENOENT);
        assert_memory_equal(&q, &untouched, sizeof q);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_standard),
                cmocka_unit_test(test_lg),
                cmocka_unit_test(test_one_value),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
