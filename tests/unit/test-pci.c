/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI addresses in the spellings people use, and the facts read from a machine's /sys. */

#include "fixture.h"
#include "pci.h"

static void test_address_spellings(void **state) {
        static const struct {
                const char *text, *canonical;
        } rows[] = {
                { "0000:01:00.0", "0000:01:00.0" },
                { "01:00.0", "0000:01:00.0" },
                { "1:0.0", "0000:01:00.0" },
                { "01:00", "0000:01:00.0" },
                { "1:0", "0000:01:00.0" },
                { "0:1:0.1", "0000:01:00.1" },
                { "0000:C3:1F.7", "0000:c3:1f.7" },
                { "c3:1f.7", "0000:c3:1f.7" },
                { "ff:00.0", "0000:ff:00.0" },
                { "10000:e1:00.0", "10000:e1:00.0" }, /* as behind Intel's VMD */
                { "ffffffff:ff:1f.7", "ffffffff:ff:1f.7" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[PCI_ADDRESS_TEXT];
                PciAddress a;

                assert_int_equal(pci_address_parse(rows[i].text, &a), 0);
                assert_string_equal(pci_address_format(a, text), rows[i].canonical);
        }
}

static void test_address_malformed(void **state) {
        static const char *const rows[] = { "", "0", "01", "01.0", ":", "::", "01:", ":00.0", "01:00.", "01:00.8", "01:00.f",
                "01:00.00", "01:00.0.0", "01:20.0", "100:00.0", "01:00:00:00.0", "0000:01:00.0:", "01:00.0 ", " 01:00.0",
                "01:00.0\n", "g1:00.0", "0x01:00.0", "-1:00.0", "01-00.0", "01:00,0", "100000000:01:00.0", "01::00.0",
                "10de:1e84", "auto", "RTX 4090", "0000:01:00.0/../x" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PciAddress a = { .bus = 0x42 };

                if (pci_address_parse(rows[i], &a) != -EINVAL)
                        fail_msg("“%s” is no address", rows[i]);
                assert_int_equal(a.bus, 0x42);
        }
}

static void test_address_compare(void **state) {
        PciAddress a = { 0, 1, 0, 0 }, b = { 0, 1, 0, 1 }, c = { 1, 1, 0, 0 }, d = { 0, 2, 0, 0 }, e = { 0, 1, 1, 0 };

        (void) state;
        assert_true(pci_address_equal(a, a));
        assert_false(pci_address_equal(a, b));
        assert_true(pci_same_slot(a, b));
        assert_false(pci_same_slot(a, c));
        assert_false(pci_same_slot(a, d));
        assert_false(pci_same_slot(a, e));
}

static void read_function(Fixture *f, const char *address, PciFunction *ret) {
        PciAddress a;

        assert_int_equal(pci_address_parse(address, &a), 0);
        assert_int_equal(pci_read_function(f->root, a, ret), 0);
}

static void test_function(void **state) {
        PciFunction f;

        fixture_machine(*state, "two-gpu");
        read_function(*state, "00:10.0", &f);
        assert_string_equal(f.name, "0000:00:10.0");
        assert_int_equal(f.vendor, 0x1234);
        assert_int_equal(f.device, 0x1111);
        assert_int_equal(f.class_code, 0x030000);
        assert_true(f.boot_vga);
        assert_int_equal(f.group, 3);
        assert_string_equal(f.driver, "bochs-drm");
        assert_null(f.override);
        assert_true(pci_is_gpu(&f));
        assert_false(pci_is_bridge(&f));
        pci_function_done(&f);

        read_function(*state, "01:00.1", &f); /* behind a bridge, without boot_vga */
        assert_false(f.boot_vga);
        assert_int_equal(f.group, 8);
        assert_string_equal(f.driver, "snd_hda_intel");
        assert_false(pci_is_gpu(&f));
        pci_function_done(&f);

        read_function(*state, "00:1c.0", &f);
        assert_true(pci_is_bridge(&f));
        pci_function_done(&f);

        read_function(*state, "00:00.0", &f); /* no driver */
        assert_null(f.driver);
        pci_function_done(&f);
}

/* Read only when asked for: a function whose driver is stuck lets all be read but this. */
static void test_function_override(void **state) {
        PciFunction f;

        fixture_machine(*state, "bmc");
        read_function(*state, "17:00.0", &f);
        assert_string_equal(f.driver, "vfio-pci");
        assert_null(f.override);
        assert_int_equal(pci_read_override(((Fixture *) *state)->root, &f), 0);
        assert_string_equal(f.override, "vfio-pci");
        fixture_lines(*state, "sys/devices/pci0000:16/0000:16:00.0/0000:17:00.0/driver_override = (null)");
        assert_int_equal(pci_read_override(((Fixture *) *state)->root, &f), 0);
        assert_null(f.override);
        pci_function_done(&f);
}

static void test_function_without_group(void **state) {
        Fixture *fixture = *state;
        PciFunction f;

        fixture_machine(fixture, "no-iommu");
        assert_false(pci_iommu_is_on(fixture->root));
        read_function(fixture, "01:00.0", &f);
        assert_int_equal(f.group, -1);
        pci_function_done(&f);
}

static void test_iommu_is_on(void **state) {
        Fixture *f = *state;

        assert_false(pci_iommu_is_on(f->root));
        fixture_machine(f, "two-gpu");
        assert_true(pci_iommu_is_on(f->root));
}

static void test_function_absent(void **state) {
        Fixture *fixture = *state;
        PciFunction f;

        fixture_machine(fixture, "two-gpu");
        assert_int_equal(pci_read_function(fixture->root, (PciAddress){ .bus = 9 }, &f), -ENODEV);
}

/* sysfs is the kernel's, yet a captured tree comes from a stranger. */
static void test_function_damaged(void **state) {
        static const char *const rows[] = {
                "vendor =",
                "vendor = 1234:1111",
                "vendor = 0x12345",
                "vendor = -1",
                "device = 0x",
                "device = 0x10000",
                "class = 0x1000000",
                "class = vga",
                "boot_vga = 2",
                "iommu_group -> ../../../kernel/iommu_groups/x",
                "iommu_group -> ../../../kernel/iommu_groups/-8",
                "iommu_group -> ../../../kernel/iommu_groups/99999999999",
                "iommu_group -> ../../../kernel/iommu_groups/",
                "iommu_group = 3",
        };
        Fixture *fixture = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *line = NULL;
                PciFunction f;

                fixture_machine(fixture, "two-gpu");
                assert_int_equal(format(&line, "sys/devices/pci0000:00/0000:00:10.0/%s", rows[i]), 0);
                fixture_lines(fixture, line);
                if (pci_read_function(fixture->root, (PciAddress){ .slot = 0x10 }, &f) >= 0)
                        fail_msg("taken: %s", rows[i]);
        }
}

static void test_slot(void **state) {
        Fixture *f = *state;
        PciFunctions l;

        fixture_machine(f, "b550");
        assert_int_equal(pci_read_slot(f->root, (PciAddress){ .bus = 0x2b, .function = 2 }, &l), 0);
        assert_int_equal(l.n, 4);
        for (uint8_t i = 0; i < 4; i++)
                assert_int_equal(l.items[i].address.function, i);
        pci_functions_done(&l);

        assert_int_equal(pci_read_slot(f->root, (PciAddress){ .bus = 0x77 }, &l), 0);
        assert_int_equal(l.n, 0);
        pci_functions_done(&l);
}

static void test_group(void **state) {
        static const PciAddress known[] = { { .bus = 2 }, { .bus = 1 } };
        Fixture *f = *state;
        PciFunctions l;

        fixture_machine(f, "b550");
        /* A group may hold devices of other buses, too. */
        fixture_lines(f, "sys/kernel/iommu_groups/13/devices/AMDI0095:00 -> ../../../../devices/platform/AMDI0095:00");
        assert_int_equal(pci_read_group(f->root, 13, NULL, 0, &l), 0);
        assert_int_equal(l.n, 8);
        assert_string_equal(l.items[0].name, "0000:02:00.0");
        assert_string_equal(l.items[7].name, "0000:2a:00.0");
        pci_functions_done(&l);

        assert_int_equal(pci_read_group(f->root, 13, known, ELEMENTSOF(known), &l), 0);
        assert_int_equal(l.n, 7);
        assert_string_equal(l.items[6].name, "0000:2a:00.0");
        pci_functions_done(&l);

        assert_int_equal(pci_read_group(f->root, 99, NULL, 0, &l), -ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_address_spellings),
                cmocka_unit_test(test_address_malformed),
                cmocka_unit_test(test_address_compare),
                fixture_test(test_function),
                fixture_test(test_function_override),
                fixture_test(test_function_without_group),
                fixture_test(test_iommu_is_on),
                fixture_test(test_function_absent),
                fixture_test(test_function_damaged),
                fixture_test(test_slot),
                fixture_test(test_group),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
