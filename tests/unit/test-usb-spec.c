/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of USB devices in guest files, and of files in /run/vxm/plug: what is taken, what is not, and in which order
 * ports come. */

#include "fixture.h"
#include "usb-plug.h"
#include "usb-spec.h"

static void test_good(void **state) {
        static const struct {
                const char *text, *printed;
                bool by_port;
        } cases[] = {
                { "046d:c52b", "046d:c52b", false },
                { "046D:C52B", "046d:c52b", false },
                { "0000:0000", "0000:0000", false },
                { "1-4", "1-4", true },
                { "1-4.2", "1-4.2", true },
                { "255-255.255.255.255.255.255", "255-255.255.255.255.255.255", true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[USB_SPEC_SIZE];
                UsbSpec spec, again;

                if (usb_spec_parse(cases[i].text, &spec) < 0)
                        fail_msg("not taken: %s", cases[i].text);
                assert_true(spec.by_port == cases[i].by_port);
                assert_string_equal(usb_spec_print(&spec, text), cases[i].printed);
                assert_int_equal(usb_spec_parse(text, &again), 0);
                assert_true(usb_spec_equal(&spec, &again));
        }
}

static void test_bad(void **state) {
        static const char *const bad[] = { "", "046d", "046d:", "46d:c52b", "046d:c52b ", "046d:c52b:1", "046d:c52g", "0x46:c52b", "1",
                "1-", "-4", "1-0", "0-1", "01-4", "1-4.", "1-4.02", "1-4..2", "1-4.2.1.1.1.1.1", "1-256", "256-1", "1-4:1.0", "usb1",
                "1-4.2/", "../1-4", "1-4\n", "1-99999999999999999999" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                UsbSpec spec;

                if (usb_spec_parse(bad[i], &spec) != -EINVAL)
                        fail_msg("taken: %s", bad[i]);
        }
}

static void test_order(void **state) {
        static const char *const ports[] = { "1-1", "1-2", "1-2.1", "1-2.10", "1-2.10.1", "1-3", "1-10", "2-1", "10-1" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(ports); i++)
                for (size_t j = 0; j < ELEMENTSOF(ports); j++) {
                        int order = usb_port_compare(ports[i], ports[j]);

                        if ((order > 0) - (order < 0) != (i > j) - (i < j))
                                fail_msg("%s, %s: %d", ports[i], ports[j], order);
                }
}

static void test_equal(void **state) {
        UsbSpec port, other, ids;

        (void) state;
        assert_int_equal(usb_spec_parse("1-4", &port), 0);
        assert_int_equal(usb_spec_parse("1-5", &other), 0);
        assert_int_equal(usb_spec_parse("0001:0004", &ids), 0);
        assert_false(usb_spec_equal(&port, &other));
        assert_false(usb_spec_equal(&port, &ids));
}

static void test_entries(void **state) {
        static const char *const bad[] = { "", "001", "001-", "1-5", "001-0005", "001-000", "000-001", "001-128", "256-001", "001 005",
                "001-005.new", "0x1-005", ".", "-01-005" };
        char entry[USB_ENTRY_SIZE], node[USB_NODE_SIZE];
        UsbAddress address;

        (void) state;
        assert_int_equal(usb_entry_parse("255-127", &address), 0);
        assert_int_equal(usb_entry_parse("001-005", &address), 0);
        assert_true(address.bus == 1 && address.number == 5);
        assert_string_equal(usb_entry_print(address, entry), "001-005");
        assert_string_equal(usb_node_print(address, node), "/dev/bus/usb/001/005");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (usb_entry_parse(bad[i], &address) != -EINVAL)
                        fail_msg("taken: %s", bad[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_order),
                cmocka_unit_test(test_equal), cmocka_unit_test(test_entries),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
