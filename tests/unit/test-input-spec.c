/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of input devices in guest files, of the files in /run/vxm/evdev, and of keys. */

#include "fixture.h"
#include "input-plug.h"
#include "input-spec.h"

static void test_spec(void **state) {
        static const struct {
                const char *text;
                int r;
                InputWay way;
        } rows[] = {
                { "auto", 0, INPUT_AUTO },
                { "Auto", 0, INPUT_NAME },
                { "Logitech USB Keyboard", 0, INPUT_NAME },
                { "/dev/input/by-id/usb-X-event-kbd", 0, INPUT_LINK },
                { "/dev/input/by-path/pci-0000:00:14.0-usb-0:2:1.0-event-kbd", 0, INPUT_LINK },
                { "/dev/input/event4", -EINVAL },
                { "/dev/input/by-id/", -EINVAL },
                { "/dev/input/by-id/..", -EINVAL },
                { "/dev/input/by-id/a/b", -EINVAL },
                { "/etc/passwd", -EINVAL },
                { "a\tb", -EINVAL },
                { "", -EINVAL },
        };
        char long_name[400];
        InputSpec spec = {};

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                InputSpec again = {};

                if (input_spec_parse(rows[i].text, &spec) != rows[i].r)
                        fail_msg("“%s”", rows[i].text);
                if (rows[i].r < 0)
                        continue;
                assert_int_equal(spec.way, rows[i].way);
                assert_string_equal(input_spec_print(&spec), rows[i].text);
                assert_int_equal(input_spec_parse(input_spec_print(&spec), &again), 0);
                assert_true(input_spec_equal(&spec, &again));
                input_spec_done(&again);
                input_spec_done(&spec);
        }
        memset(long_name, 'x', sizeof long_name - 1);
        long_name[sizeof long_name - 1] = '\0';
        assert_int_equal(input_spec_parse(long_name, &spec), -ERANGE);
}

static void test_entry(void **state) {
        static const char *const bad[] = { "", "keyboard", "keyboard-", "keyboard-01", "keyboard--1", "keyboard-4096", "keyboard-1 ",
                "other-1", "001-005", ".keyboard-1", "keyboard-1/..", "Keyboard-1" };
        char entry[INPUT_ENTRY_SIZE], node[INPUT_NODE_SIZE];
        InputKind kind;
        unsigned number;

        (void) state;
        for (InputKind k = INPUT_POINTER; k <= INPUT_KEYBOARD; k++) {
                assert_int_equal(input_entry_parse(input_entry_print(k, 4095, entry), &kind, &number), 0);
                assert_true(kind == k && number == 4095);
        }
        assert_string_equal(input_entry_print(INPUT_KEYBOARD, 0, entry), "keyboard-0");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (input_entry_parse(bad[i], &kind, &number) != -EINVAL)
                        fail_msg("“%s” is taken", bad[i]);
        assert_int_equal(input_node_parse(input_node_print(12, node), &number), 0);
        assert_int_equal(number, 12);
        assert_int_equal(input_node_parse("event", &number), -EINVAL);
        assert_int_equal(input_node_parse("mouse0", &number), -EINVAL);
        assert_int_equal(input_node_parse("event12.", &number), -EINVAL);
}

static void test_toggle(void **state) {
        static const char *const words[] = { "ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock" };
        InputToggle toggle;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                assert_int_equal(input_toggle_parse(words[i], &toggle), 0);
                assert_string_equal(input_toggle_name(toggle), words[i]);
        }
        assert_int_equal(input_toggle_parse("ctrl-alt", &toggle), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_spec), cmocka_unit_test(test_entry), cmocka_unit_test(test_toggle) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
