/* SPDX-License-Identifier: BSD-3-Clause */
/* What input devices are taken for, from what the kernel and udev say of them. */

#include "fixture.h"
#include "input-device.h"
#include "input-plan.h"

static const InputDevice *device(const InputDevices *l, unsigned number) {
        const InputDevice *d = input_devices_find(l, number);

        assert_non_null(d);
        return d;
}

static void test_kinds(void **state) {
        static const struct {
                unsigned number;
                InputKind kind;
                bool offered;
        } rows[] = {
                { 2, INPUT_NONE, false },     /* power button */
                { 3, INPUT_NONE, false },     /* lid */
                { 4, INPUT_KEYBOARD, true },  { 5, INPUT_KEYS, false }, /* its volume keys */
                { 6, INPUT_POINTER, true },   { 7, INPUT_POINTER, true }, /* touchpad */
                { 8, INPUT_KEYBOARD, false }, /* made up by a program */
                { 9, INPUT_KEYBOARD, true },  /* by Bluetooth */
                { 10, INPUT_NONE, false },    /* a jack */
        };
        _cleanup_(input_devices_done) InputDevices l = {};
        Fixture *f = *state;

        fixture_machine(f, "input");
        assert_int_equal(input_devices_read(f->root, &l), 0);
        assert_int_equal(l.n, ELEMENTSOF(rows));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const InputDevice *d = device(&l, rows[i].number);

                if (d->kind != rows[i].kind || d->offered != rows[i].offered)
                        fail_msg("%s: kind %d, offered %d", d->name, d->kind, d->offered);
        }
        assert_null(input_devices_find(&l, 11));
}

/* udev's word counts where it has one: a keyboard that somebody has told it is none (hwdb) stays with the host. */
static void test_udev(void **state) {
        _cleanup_(input_devices_done) InputDevices l = {}, none = {};
        Fixture *f = *state;

        fixture_machine(f, "input");
        fixture_write(f, "run/udev/data/c13:68", "E:ID_INPUT=1\nE:ID_INPUT_KEY=1\n");
        fixture_remove(f, "run/udev/data/c13:70");
        assert_int_equal(input_devices_read(f->root, &l), 0);
        assert_false(device(&l, 4)->offered);
        assert_true(device(&l, 6)->offered);

        /* Where there is a udev, what it has not looked at yet is not there. */
        fixture_write(f, "run/udev/control", "");
        assert_int_equal(input_devices_read(f->root, &none), 0);
        assert_null(input_devices_find(&none, 6));
        assert_non_null(input_devices_find(&none, 7));
}

static void test_fits(void **state) {
        static const InputSpec any = { INPUT_AUTO, NULL }, name = { INPUT_NAME, (char *) "made-up keyboard" },
                               link = { INPUT_LINK, (char *) "/dev/input/by-id/usb-Logitech_USB_Keyboard-event-if01" };
        _cleanup_(input_devices_done) InputDevices l = {};
        Fixture *f = *state;

        fixture_machine(f, "input");
        assert_int_equal(input_devices_read(f->root, &l), 0);
        assert_true(input_device_fits(&l, device(&l, 4), &any));
        assert_true(input_device_fits(&l, device(&l, 5), &any) && input_device_is_extra(device(&l, 5), &any));
        assert_true(input_devices_are_one(device(&l, 4), device(&l, 5))); /* it goes with its keyboard */
        assert_false(input_device_is_extra(device(&l, 4), &any) || input_devices_are_one(device(&l, 4), device(&l, 6)));
        assert_false(input_device_fits(&l, device(&l, 2), &any));
        assert_false(input_device_fits(&l, device(&l, 8), &any));
        assert_true(input_device_fits(&l, device(&l, 8), &name));
        assert_false(input_device_fits(&l, device(&l, 4), &name));
        assert_true(input_device_fits(&l, device(&l, 5), &link));
        assert_false(input_device_fits(&l, device(&l, 4), &link));
}

/* One part of a thing may be of no use, and have the same name. */
static void test_namesake(void **state) {
        static const InputSpec name = { INPUT_NAME, (char *) "Logitech USB Keyboard" };
        _cleanup_(input_devices_done) InputDevices l = {};
        Fixture *f = *state;

        fixture_machine(f, "input");
        fixture_write(f, "sys/devices/LNXSYSTM:00/LNXPWRBN:00/input/input2/name", "Logitech USB Keyboard\n");
        assert_int_equal(input_devices_read(f->root, &l), 0);
        assert_true(input_device_fits(&l, device(&l, 4), &name));
        assert_false(input_device_fits(&l, device(&l, 2), &name));
}

/* What the kernel says that cannot be so costs the device, not the others. */
static void test_odd(void **state) {
        _cleanup_(input_devices_done) InputDevices l = {};
        Fixture *f = *state;

        fixture_machine(f, "input");
        fixture_write(f, "sys/devices/platform/i8042/serio1/input/input7/event7/dev", "x\n");
        fixture_write(f, "sys/devices/virtual/input/input8/capabilities/key", "zz ffffffffffffffffffff 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1\n");
        fixture_write(f, "sys/devices/virtual/input/input8/name", "a\033[2Jb \n");
        assert_int_equal(input_devices_read(f->root, &l), 0);
        assert_null(input_devices_find(&l, 7));
        assert_string_equal(device(&l, 8)->name, "a?[2Jb");
}

int main(void) {
        const struct CMUnitTest tests[] = { fixture_test(test_kinds), fixture_test(test_udev), fixture_test(test_fits), fixture_test(test_namesake), fixture_test(test_odd) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
