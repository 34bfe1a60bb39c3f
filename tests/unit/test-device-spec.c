/* SPDX-License-Identifier: BSD-3-Clause */
/* How devices are named in guest files: all spellings, and what is near one but none. */

#include "device-spec.h"
#include "fixture.h"

static void test_addresses(void **state) {
        static const struct {
                const char *text, *wanted;
        } rows[] = {
                { "01:00.0", "0000:01:00.0" },
                { "1:0.0", "0000:01:00.0" },
                { "1:0", "0000:01:00.0" },
                { "0000:01:00.0", "0000:01:00.0" },
                { "0000:01:00", "0000:01:00.0" },
                { "0:C3:1F.7", "0000:c3:1f.7" },
                { "c3:1f.7", "0000:c3:1f.7" },
                { "10000:e1:00.0", "10000:e1:00.0" },
                { "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
                { "pci-0000:01:00.0", "0000:01:00.0" },
                { "pci-1:0.0", "0000:01:00.0" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(device_spec_done) DeviceSpec spec = {};
                char text[PCI_ADDRESS_TEXT];

                if (device_spec_parse(rows[i].text, &spec) < 0 || spec.type != DEVICE_BY_ADDRESS)
                        fail_msg("no address: %s", rows[i].text);
                assert_string_equal(pci_address_format(spec.address, text), rows[i].wanted);
                assert_string_equal(spec.text, rows[i].text);
        }
}

static void test_ids(void **state) {
        static const struct {
                const char *text;
                uint16_t vendor, device;
                bool with_subsystem;
        } rows[] = {
                { "1002:73bf", 0x1002, 0x73bf, false },
                { "10DE:1E84", 0x10de, 0x1e84, false },
                { "0010:0011", 0x0010, 0x0011, false }, /* an address, too, were it not for the four digits */
                { "1002:73bf:1da2:e438", 0x1002, 0x73bf, true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(device_spec_done) DeviceSpec spec = {};

                if (device_spec_parse(rows[i].text, &spec) < 0 || spec.type != DEVICE_BY_IDS)
                        fail_msg("no ids: %s", rows[i].text);
                assert_int_equal(spec.vendor, rows[i].vendor);
                assert_int_equal(spec.device, rows[i].device);
                assert_int_equal(spec.with_subsystem, rows[i].with_subsystem);
                assert_int_equal(spec.subsystem_vendor, rows[i].with_subsystem ? 0x1da2 : 0);
                assert_int_equal(spec.subsystem_device, rows[i].with_subsystem ? 0xe438 : 0);
        }
}

static void test_names(void **state) {
        static const char *const names[] = { "RX 6800", "Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]", "TU116", "GT 710",
                "I211 Gigabit Network Connection", "3D-NAND", "82801FB/FBM/FR/FW/FRW (ICH6 Family)", "pci-express", "A1_B",
                "Auto" };
        DeviceSpec spec;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                if (device_spec_parse(names[i], &spec) < 0 || spec.type != DEVICE_BY_NAME)
                        fail_msg("no name: %s", names[i]);
                assert_string_equal(spec.text, names[i]);
                device_spec_done(&spec);
        }
        assert_int_equal(device_spec_parse("auto", &spec), 0);
        assert_int_equal(spec.type, DEVICE_AUTO);
        device_spec_done(&spec);
}

static void test_near_misses(void **state) {
        static const char *const texts[] = {
                "", " ", "a", "ab", ":", "1:", ":1", "::", "01:00.", "01:00.8", "01:00.00", "01:20.0", "100:00.0", "01:00.0 ",
                " 01:00.0", "01:00.0x", "0000:0000:01:00.0", "01:00.0:1", "1002:73bf:", "1002:73bf:1da2",
                "1002:73bf:1da2:", "1002:73bf:1da2:e43", "1002:73bf:1da2:e4388", "1002:73bf:1da2:e438:1", "1002:73bg", "1002: 73bf",
                "0x1002:0x73bf", "100000000:01:00.0", "PCI-0000:01:00.0", "pci-0000:01:00.8", "pci-pci-0000:01:00.0",
                "-01:00.0", "+1:0.0", "[RX 6800]", "RX 6800*", "RX:6800", "RX\t6800", "RX 6800\n", "Rad\xc3\xa9on", "../01", "/dev/x",
                "a\"b", "a%sb", "a;b", "a=b",
        };
        DeviceSpec spec = { .text = (char *) "untouched" };
        char name[DEVICE_NAME_MAX + 2];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (device_spec_parse(texts[i], &spec) != -EINVAL)
                        fail_msg("taken: “%s”", texts[i]);
        memset(name, 'x', sizeof name);
        name[DEVICE_NAME_MAX + 1] = '\0';
        assert_int_equal(device_spec_parse(name, &spec), -EINVAL);
        name[DEVICE_NAME_MAX] = '\0';
        assert_int_equal(device_spec_parse(name, &spec), 0);
        device_spec_done(&spec);
}

static bool matches(const char *text, const PciFunction *f, const char *title) {
        _cleanup_(device_spec_done) DeviceSpec spec = {};

        assert_int_equal(device_spec_parse(text, &spec), 0);
        return device_spec_matches(&spec, f, title);
}

static void test_matches(void **state) {
        static const char title[] = "Advanced Micro Devices, Inc. [AMD/ATI] Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]";
        PciFunction f = { .address = { .bus = 3, .function = 1 }, .vendor = 0x1002, .device = 0x73bf, .subsystem_vendor = 0x1da2,
                .subsystem_device = 0xe438 };

        (void) state;
        assert_true(matches("3:0.1", &f, NULL));
        assert_false(matches("3:0.0", &f, NULL));
        assert_false(matches("3:1.1", &f, NULL));
        assert_false(matches("1:3:0.1", &f, NULL));
        assert_true(matches("1002:73bf", &f, NULL));
        assert_false(matches("1002:73be", &f, NULL));
        assert_false(matches("1003:73bf", &f, NULL));
        assert_true(matches("1002:73bf:1da2:e438", &f, NULL));
        assert_false(matches("1002:73bf:1da2:e439", &f, NULL));
        assert_false(matches("1002:73bf:1da3:e438", &f, NULL));
        assert_true(matches("rx 6800", &f, title));
        assert_true(matches("Navi 21", &f, title));
        assert_false(matches("Navi 22", &f, title));
        assert_false(matches("Navi 21", &f, NULL));
        assert_false(matches("auto", &f, title));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_near_misses),
                cmocka_unit_test(test_matches),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
