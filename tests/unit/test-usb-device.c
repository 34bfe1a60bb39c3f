/* SPDX-License-Identifier: BSD-3-Clause */
/* What USB devices a machine has, and which of them go to whom. */

#include "fixture.h"
#include "usb-device.h"

static void test_read(void **state) {
        static const char *const names[] = { "usb1", "usb2", "1-2", "1-4", "1-4.2", "1-4.10", "2-3" };
        _cleanup_(usb_devices_done) UsbDevices l = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        fixture_machine(f, "usb");
        assert_int_equal(usb_devices_read(f->root, &l), 0);
        assert_int_equal(l.n, ELEMENTSOF(names));
        for (size_t i = 0; i < l.n; i++)
                assert_string_equal(l.items[i].name, names[i]);
        assert_true(l.items[0].hub && l.items[3].hub && !l.items[4].hub);
        assert_true(l.items[4].address.bus == 1 && l.items[4].address.number == 7 && l.items[4].authorized);
        text = usb_device_describe(&l.items[4]);
        assert_string_equal(text, "1-4.2 (046d:c52b Logitech USB Receiver)");
        assert_ptr_equal(usb_devices_find(&l, (UsbAddress){ 1, 5 }), &l.items[5]);
        assert_null(usb_devices_find(&l, (UsbAddress){ 2, 5 }));
}

#define DEVICE "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/"

/* What a device says of itself is shown to people, and nothing else may come of it. */
static void test_foreign(void **state) {
        Fixture *f = *state;
        char product[300] = "\033[31mred\n\xc2\x9b";

        memset(product + 12, 'x', sizeof product - 13);
        product[sizeof product - 1] = '\0';
        fixture_machine(f, "usb");
        fixture_remove(f, DEVICE "product");
        fixture_write(f, DEVICE "product", product);
        fixture_remove(f, DEVICE "authorized");
        fixture_write(f, DEVICE "authorized", "0\n");
        for (int broken = 0; broken < 2; broken++) {
                _cleanup_(usb_devices_done) UsbDevices l = {};

                assert_int_equal(usb_devices_read(f->root, &l), 0);
                assert_int_equal(l.n, broken ? 6 : 7);
                if (!broken) {
                        assert_true(!l.items[2].authorized && strlen(l.items[2].title) <= 80);
                        assert_null(strpbrk(l.items[2].title, "\033\n"));
                }
                fixture_remove(f, DEVICE "idVendor");
                fixture_write(f, DEVICE "idVendor", "1ffff\n");
        }
}

static void test_none(void **state) {
        _cleanup_(usb_devices_done) UsbDevices l = {};
        Fixture *f = *state;

        assert_int_equal(usb_devices_read(f->root, &l), 0);
        assert_int_equal(l.n, 0);
}

static void test_assign(void **state) {
        static const struct {
                const char *wants[3];
                const char *unusable;
                int chosen[3];
        } cases[] = {
                { { "046d:c52b" }, NULL, { 4 } },
                { { "046d:c52b" }, "1-4.2", { 5 } },
                { { "046d:c52b", "046d:c52b", "046d:c52b" }, NULL, { 4, 5, -1 } },
                { { "046d:c52b", "1-4.2" }, NULL, { 5, 4 } },
                { { "1-9", "1-2" }, NULL, { -1, 2 } },
                { { "1-2" }, "1-2", { -1 } },
        };
        _cleanup_(usb_devices_done) UsbDevices l = {};
        Fixture *f = *state;

        fixture_machine(f, "usb");
        assert_int_equal(usb_devices_read(f->root, &l), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                UsbSpec wants[3];
                bool usable[16];
                int chosen[3];
                size_t n = 0;

                for (; n < 3 && cases[i].wants[n]; n++)
                        assert_int_equal(usb_spec_parse(cases[i].wants[n], &wants[n]), 0);
                for (size_t d = 0; d < l.n; d++)
                        usable[d] = !cases[i].unusable || !streq(cases[i].unusable, l.items[d].name);
                usb_assign(wants, n, &l, usable, chosen);
                for (size_t w = 0; w < n; w++)
                        if (chosen[w] != cases[i].chosen[w])
                                fail_msg("case %zu: %s gets %d", i, cases[i].wants[w], chosen[w]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_read),
                fixture_test(test_foreign),
                fixture_test(test_none),
                fixture_test(test_assign),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
