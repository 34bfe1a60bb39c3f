/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest gets of the devices that are there, and what stands against it. */

#include "exit-status.h"
#include "fixture.h"
#include "usb-plan.h"

#define OTHERS "want 1-4.2\nhave 1-4.2 046d:c52b 001-007 0:0 664 - 1 1-4.2:1.0=usbhid\n"

static int plan(Fixture *f, const char *devices, UsbPlan *ret) {
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_true(format(&text, "[USB]\nDevice=%s\n", devices) >= 0);
        fixture_write(f, "etc/vxm/guests/demo.guest", text);
        assert_int_equal(guest_load(f->root, "demo", &g), 0);
        return usb_plan_make(f->root, g, ret);
}

static const char *name_of(const UsbPlan *p, size_t want) {
        return p->chosen[want] < 0 ? "" : p->devices.items[p->chosen[want]].name;
}

static void test_plan(void **state) {
        _cleanup_(usb_plan_done) UsbPlan p = {};
        Fixture *f = *state;

        fixture_machine(f, "usb");
        assert_int_equal(plan(f, "046d:c52b 2-3 1-9 046d:c52b", &p), 0);
        assert_string_equal(name_of(&p, 0), "1-4.2");
        assert_string_equal(name_of(&p, 1), "2-3");
        assert_string_equal(name_of(&p, 2), "");
        assert_string_equal(name_of(&p, 3), "1-4.10");
}

/* What another guest has is passed over where there is another one of its kind, else it is told. */
static void test_held(void **state) {
        _cleanup_(usb_plan_done) UsbPlan p = {}, none = {};
        Fixture *f = *state;

        fixture_machine(f, "usb");
        fixture_write(f, "run/vxm/usb/other", OTHERS);
        assert_int_equal(plan(f, "046d:c52b", &p), 0);
        assert_string_equal(name_of(&p, 0), "1-4.10");
        fixture_capture(f);
        assert_int_equal(plan(f, "046d:c52b 046d:c52b", &none), -E_BUSY);
        fixture_assert_logged(f, "1-4.2 (046d:c52b Logitech USB Receiver) is in use by guest other; stop that one first");
        fixture_capture(f);
        fixture_write(f, "run/vxm/usb/other", "nonsense");
        assert_true(plan(f, "1-4.2", &none) < 0);
        fixture_assert_logged(f, "Cannot read the record /run/vxm/usb/other");
        /* Its own does not count. */
        fixture_remove(f, "run/vxm/usb/other");
        fixture_write(f, "run/vxm/usb/demo", OTHERS);
        assert_int_equal(plan(f, "1-4.2", &none), 0);
        assert_string_equal(name_of(&none, 0), "1-4.2");
}

static void test_hub(void **state) {
        _cleanup_(usb_plan_done) UsbPlan p = {};
        Fixture *f = *state;

        fixture_machine(f, "usb");
        fixture_capture(f);
        assert_int_equal(plan(f, "1d6b:0002", &p), -E_CONFIG);
        fixture_assert_logged(f, "demo.guest: [USB] Device=1d6b:0002: usb1 (1d6b:0002 Linux xhci-hcd xHCI Host Controller) is a hub");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_plan),
                fixture_test(test_held),
                fixture_test(test_hub),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
