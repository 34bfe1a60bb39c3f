/* SPDX-License-Identifier: BSD-3-Clause */
/* Displays, framebuffers, consoles, and the boot framebuffer, wherever the kernel has it. */

#include "display.h"
#include "fixture.h"

static void read_console(Fixture *f, const char *address, PciFunctions *slot, HostConsole *ret) {
        PciAddress a;

        assert_int_equal(pci_address_parse(address, &a), 0);
        assert_int_equal(pci_read_slot(f->root, a, slot), 0);
        assert_true(slot->n > 0);
        assert_int_equal(host_console_read(f->root, slot->items, slot->n, ret), 0);
}

static void test_desktop(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};

        fixture_machine(*state, "b550");
        read_console(*state, "04:00.0", &slot, &c);
        assert_int_equal(c.n_displays, 1);
        assert_string_equal(c.displays[0], "HDMI-A-1");
        assert_int_equal(c.n_framebuffers, 1);
        assert_string_equal(c.framebuffers[0], "fb0");
        assert_int_equal(c.n_vtconsoles, 1);
        assert_string_equal(c.vtconsoles[0], "vtcon1");
        assert_true(c.vtconsoles_return);
        assert_int_equal(c.n_platform_devices, 0);
        assert_false(c.boot_framebuffer);
        assert_true(pci_is_boot_gpu(&slot.items[0], &c));
        assert_false(pci_is_boot_gpu(&slot.items[1], &c));
}

static void test_other_card(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};

        fixture_machine(*state, "b550");
        read_console(*state, "2b:00.0", &slot, &c);
        assert_int_equal(c.n_displays, 0);
        assert_int_equal(c.n_framebuffers, 0);
        assert_int_equal(c.n_vtconsoles, 0);
        assert_false(pci_is_boot_gpu(&slot.items[0], &c));
}

/* The console has somewhere else to go. */
static void test_other_framebuffer(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};
        Fixture *f = *state;

        fixture_machine(f, "b550");
        fixture_lines(f, "sys/class/graphics/fb1 -> ../../devices/pci0000:00/0000:00:03.1/0000:2b:00.0/graphics/fb1\n"
                         "sys/class/graphics/fbcon -> ../../devices/virtual/graphics/fbcon");
        read_console(f, "04:00.0", &slot, &c);
        assert_int_equal(c.n_framebuffers, 1);
        assert_int_equal(c.n_vtconsoles, 0);
}

static void test_unbound_console(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};
        Fixture *f = *state;

        fixture_machine(f, "b550");
        fixture_lines(f, "sys/devices/virtual/vtconsole/vtcon1/bind = 0");
        read_console(f, "04:00.0", &slot, &c);
        assert_int_equal(c.n_vtconsoles, 0);
}

/* After VGA text mode there is no driver of the system's own to put a console back over. */
static void test_no_system_console(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};
        Fixture *f = *state;

        fixture_machine(f, "b550");
        fixture_lines(f, "sys/devices/virtual/vtconsole/vtcon0/name = (M) dummy device");
        read_console(f, "04:00.0", &slot, &c);
        assert_int_equal(c.n_vtconsoles, 1);
        assert_false(c.vtconsoles_return);
}

static void assert_boot_framebuffer(Fixture *f, bool wanted) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};
        bool boots;

        read_console(f, "c3:00.0", &slot, &c);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(pci_read_boot_gpu(f->root, &slot.items[i], &boots), 0);
                assert_true(boots == (wanted && i == 0));
        }
        assert_true(c.boot_framebuffer == wanted);
        assert_true(pci_is_boot_gpu(&slot.items[0], &c) == wanted);
        assert_false(pci_is_boot_gpu(&slot.items[1], &c));
        assert_int_equal(c.n_platform_devices, wanted);
        assert_int_equal(c.n_platform_drivers, wanted);
        assert_int_equal(c.n_framebuffers, wanted);
        assert_int_equal(c.n_vtconsoles, wanted);
        if (wanted) {
                assert_string_equal(c.platform_devices[0], "simple-framebuffer.0");
                assert_string_equal(c.platform_drivers[0], "simple-framebuffer");
        }
}

static void test_simpledrm(void **state) {
        fixture_machine(*state, "strix");
        assert_boot_framebuffer(*state, true);
}

/* Kernels that do not hang the device below the PCI function. */
static const char platform[] =
        "sys/bus/platform/devices/simple-framebuffer.0 -> ../../../devices/platform/simple-framebuffer.0\n"
        "sys/devices/platform/simple-framebuffer.0/driver -> ../../../bus/platform/drivers/simple-framebuffer\n"
        "sys/class/graphics/fb0 -> ../../devices/platform/simple-framebuffer.0/graphics/fb0";

static void test_by_nesting(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "strix");
        fixture_lines(f, platform);
        /* As seen without privileges. */
        fixture_lines(f, "proc/iomem = 00000000-00000000 : PCI Bus 0000:00\nproc/iomem +=   00000000-00000000 : 0000:c3:00.0\n"
                         "proc/iomem +=     00000000-00000000 : BOOTFB\nproc/iomem +=       00000000-00000000 : simpledrm");
        assert_boot_framebuffer(f, true);

        fixture_lines(f, "proc/iomem = 00000000-00000000 : PCI Bus 0000:00\nproc/iomem +=   00000000-00000000 : 0000:c3:00.0\n"
                         "proc/iomem +=   00000000-00000000 : 0000:c4:00.0\nproc/iomem +=     00000000-00000000 : BOOTFB");
        assert_boot_framebuffer(f, false);
}

static void test_by_address(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "strix");
        fixture_lines(f, platform);
        fixture_lines(f, "proc/iomem = 2800000000-2801fa3fff : BOOTFB");
        assert_boot_framebuffer(f, true);
        fixture_lines(f, "proc/iomem = 2fffffffff-3000000fff : efifb"); /* not all of it */
        assert_boot_framebuffer(f, false);
        fixture_lines(f, "proc/iomem = 27fffff000-2800000fff : BOOTFB");
        assert_boot_framebuffer(f, false);
        fixture_lines(f, "proc/iomem = 00000000-00000000 : BOOTFB"); /* whose, we may not know */
        assert_boot_framebuffer(f, false);
        fixture_lines(f, "!proc/iomem");
        assert_boot_framebuffer(f, false);
}

static void test_boot_display(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        _cleanup_(host_console_done) HostConsole c = {};
        Fixture *f = *state;

        fixture_machine(f, "i5");
        fixture_lines(f, "sys/devices/pci0000:00/0000:00:02.0/boot_display = 1");
        read_console(f, "00:02.0", &slot, &c);
        assert_true(pci_is_boot_gpu(&slot.items[0], &c));
        assert_false(c.boot_framebuffer);
}

static void test_damaged(void **state) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        HostConsole c;
        Fixture *f = *state;

        fixture_machine(f, "strix");
        fixture_lines(f, "proc/iomem = what");
        assert_int_equal(pci_read_slot(f->root, (PciAddress){ .bus = 0xc3 }, &slot), 0);
        assert_int_equal(host_console_read(f->root, slot.items, slot.n, &c), -EINVAL);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_desktop),
                fixture_test(test_other_card),
                fixture_test(test_other_framebuffer),
                fixture_test(test_unbound_console),
                fixture_test(test_no_system_console),
                fixture_test(test_simpledrm),
                fixture_test(test_by_nesting),
                fixture_test(test_by_address),
                fixture_test(test_boot_display),
                fixture_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
