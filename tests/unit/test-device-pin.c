/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins: there and back again, and from where a function lies in sysfs. */

#include "device-pin.h"
#include "fixture.h"

static void test_round_trip(void **state) {
        static const char *const texts[] = {
                "0000:00/1c.0/00.0 1002:73bf:1da2:e438",
                "0000:00/10.0 1234:1111:1af4:1100",
                "10000:e0/01.0/00.0 8086:0a54:0000:0000",
                "0000:00/0e.0/10000:e0/01.0/00.0 ffff:0000:ffff:0001",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(device_pin_done) DevicePin pin = {};
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(device_pin_parse(texts[i], &pin), 0);
                assert_int_equal(device_pin_format(&pin, &text), 0);
                assert_string_equal(text, texts[i]);
        }
}

static void test_near_misses(void **state) {
        static const char *const texts[] = {
                "",
                " ",
                "0000:00/1c.0/00.0",
                "0000:00/1c.0/00.0 ",
                " 1002:73bf:1da2:e438",
                "0000:00/1c.0/00.0 1002:73bf",
                "0000:00/1c.0/00.0 1002:73bf:1da2",
                "0000:00/1c.0/00.0 1002:73bf:1da2:e43",
                "0000:00/1c.0/00.0 1002:73bf:1da2:e4388",
                "0000:00/1c.0/00.0 1002:73bf:1da2:e438 ",
                "0000:00/1c.0/00.0 1002:73bf:1da2:e438:1",
                "0000:00/1c.0/00.0  1002:73bf:1da2:e438",
                "0000:00/1c.0/00.0 -001:73bf:1da2:e438",
                "0000:00/1c.0/00.0 +002:73bf:1da2:e438",
                "0000:00/1c.0/00.0 0x10:73bf:1da2:e438",
                "0000:00/1c.0/00.0 1002: 3bf:1da2:e438",
                "0000:00/1c.0/00.0 auto",
                "0000:00/1c.0/00.0 01:00.0",
                "0000:00/1C.0/00.0 1002:73bf:1da2:e438",
                "0000:00/1c.0/xx.0 1002:73bf:1da2:e438",
                "0000:00/1c.0\t00.0 1002:73bf:1da2:e438",
        };
        _cleanup_(freep) char *text = NULL;
        DevicePin pin;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (device_pin_parse(texts[i], &pin) != -EINVAL)
                        fail_msg("taken: “%s”", texts[i]);

        assert_int_equal(format(&text, "%0257d 1002:73bf:1da2:e438", 0), 0);
        assert_int_equal(device_pin_parse(text, &pin), -EINVAL);
        assert_int_equal(device_pin_parse(text + 1, &pin), 0);
        device_pin_done(&pin);
}

static void test_of(void **state) {
        static const struct {
                const char *path, *wanted; /* NULL: no place of PCI's */
        } rows[] = {
                { "devices/pci0000:00/0000:00:1c.0/0000:01:00.0", "0000:00/1c.0/00.0" },
                { "devices/pci0000:00/0000:00:1C.7/0000:3B:1f.7", "0000:00/1c.7/1f.7" },
                { "devices/pci0000:16/0000:16:00.0/0000:17:00.0", "0000:16/00.0/00.0" },
                { "devices/pci0000:00/0000:00:10.0", "0000:00/10.0" },
                { "devices/LNXSYSTM:00/PNP0A08:00/device:00/pci0000:00/0000:00:1c.0", "0000:00/1c.0" },
                { "devices/platform/soc/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0", "0000:00/00.0/00.0" },
                { "devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:01.0/10000:e1:00.0", "0000:00/0e.0/10000:e0/01.0/00.0" },
                { "devices/pci0000:00/0000:00:1c.0/usb1", NULL },
                { "devices/virtual/x", NULL },
                { "", NULL },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PciFunction f = { .path = (char *) rows[i].path, .vendor = 1, .device = 2, .subsystem_vendor = 3, .subsystem_device = 4 };
                _cleanup_(device_pin_done) DevicePin pin = {}, again = {};
                _cleanup_(freep) char *text = NULL;
                int r = device_pin_of(&f, &pin);

                if (r != (rows[i].wanted ? 0 : -EINVAL))
                        fail_msg("%s: %d", rows[i].path, r);
                if (r < 0)
                        continue;
                assert_string_equal(pin.path, rows[i].wanted);
                assert_int_equal(device_pin_format(&pin, &text), 0);
                assert_int_equal(device_pin_parse(text, &again), 0);
                assert_true(device_pin_equal(&pin, &again));
        }
}

static void test_equal(void **state) {
        DevicePin a = { (char *) "0000:00/1c.0/00.0", 1, 2, 3, 4 }, b;

        (void) state;
        assert_true(device_pin_equal(&a, &a));
        b = a, b.path = (char *) "0000:00/1c.0/00.1";
        assert_false(device_pin_equal(&a, &b));
        b = a, b.vendor++;
        assert_false(device_pin_equal(&a, &b));
        b = a, b.device++;
        assert_false(device_pin_equal(&a, &b));
        b = a, b.subsystem_vendor++;
        assert_false(device_pin_equal(&a, &b));
        b = a, b.subsystem_device++;
        assert_false(device_pin_equal(&a, &b));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_trip),
                cmocka_unit_test(test_near_misses),
                cmocka_unit_test(test_of),
                cmocka_unit_test(test_equal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
