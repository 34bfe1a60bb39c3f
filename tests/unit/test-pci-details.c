/* SPDX-License-Identifier: BSD-3-Clause */
/* BARs, reset methods, power and link of a function. */

#include "fixture.h"
#include "pci-details.h"

static int read_details(Fixture *fixture, const char *address, PciDetails *ret) {
        _cleanup_(pci_function_done) PciFunction f = {};
        PciAddress a;

        assert_int_equal(pci_address_parse(address, &a), 0);
        assert_int_equal(pci_read_function(fixture->root, a, &f), 0);
        return pci_details_read(fixture->root, &f, ret);
}

static void test_card(void **state) {
        _cleanup_(pci_details_done) PciDetails d = {};

        fixture_machine(*state, "b550");
        assert_int_equal(read_details(*state, "2b:00.0", &d), 0);
        assert_int_equal(d.n_bars, 5);
        assert_int_equal(d.bars[0].index, 0);
        assert_int_equal(d.bars[0].size, 16 * 1024 * 1024);
        assert_true(d.bars[0].memory);
        assert_false(d.bars[0].prefetchable);
        assert_int_equal(d.bars[1].size, 256 * 1024 * 1024);
        assert_true(d.bars[1].prefetchable);
        assert_int_equal(d.bars[1].sizes, 0);
        assert_int_equal(d.bars[2].index, 3);
        assert_false(d.bars[3].memory);
        assert_int_equal(d.bars[4].index, 6);
        assert_int_equal(d.n_reset_methods, 2);
        assert_string_equal(d.reset_methods[0], "flr");
        assert_string_equal(d.reset_methods[1], "bus");
        assert_string_equal(d.power_control, "auto");
        assert_string_equal(d.power_state, "D0");
        assert_int_equal(d.d3cold_allowed, 1);
        assert_string_equal(d.link_width, "16");
        assert_string_equal(d.link_speed_max, "8.0 GT/s PCIe");
}

static void test_bare(void **state) {
        _cleanup_(pci_details_done) PciDetails d = {};

        fixture_machine(*state, "two-gpu");
        assert_int_equal(read_details(*state, "01:00.0", &d), 0);
        assert_int_equal(d.n_bars, 0);
        assert_false(d.knows_reset_methods);
        assert_int_equal(d.d3cold_allowed, -1);
        assert_null(d.power_control);
        assert_null(d.link_speed);
}

static void test_resizable(void **state) {
        _cleanup_(pci_details_done) PciDetails d = {};
        Fixture *f = *state;

        fixture_machine(f, "strix");
        fixture_lines(f, "sys/devices/pci0000:00/0000:00:08.1/0000:c3:00.0/resource0_resize = 000000000000ff00");
        assert_int_equal(read_details(f, "c3:00.0", &d), 0);
        assert_int_equal(d.bars[0].size, 32ULL << 30);
        assert_int_equal(d.bars[0].sizes, 0xff00);
        assert_true(d.knows_reset_methods);
}

/* To ask it for the sizes, the kernel would wake it up. */
static void test_asleep(void **state) {
        _cleanup_(pci_details_done) PciDetails d = {};
        Fixture *f = *state;

        fixture_machine(f, "strix");
        fixture_lines(f, "sys/devices/pci0000:00/0000:00:08.1/0000:c3:00.0/resource0_resize = 000000000000ff00\n"
                         "sys/devices/pci0000:00/0000:00:08.1/0000:c3:00.0/power/runtime_status = suspended");
        assert_int_equal(read_details(f, "c3:00.0", &d), 0);
        assert_int_equal(d.bars[0].sizes, 0);
}

static void test_no_reset(void **state) {
        _cleanup_(pci_details_done) PciDetails d = {};

        fixture_machine(*state, "strix");
        assert_int_equal(read_details(*state, "c3:00.2", &d), 0);
        assert_true(d.knows_reset_methods);
        assert_int_equal(d.n_reset_methods, 0);
}

static void test_damaged(void **state) {
        static const char *const rows[] = { "resource = x", "resource = 0x1 0x2", "resource = 0x1 0x2 0x200 more",
                "resource0_resize = zz", "resource0_resize = 100 200" };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *line = NULL;
                PciDetails d;

                fixture_machine(f, "strix");
                assert_int_equal(format(&line, "sys/devices/pci0000:00/0000:00:08.1/0000:c3:00.0/%s", rows[i]), 0);
                fixture_lines(f, line);
                if (read_details(f, "c3:00.0", &d) != -EINVAL)
                        fail_msg("taken: %s", rows[i]);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_card),
                fixture_test(test_bare),
                fixture_test(test_resizable),
                fixture_test(test_asleep),
                fixture_test(test_no_reset),
                fixture_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
