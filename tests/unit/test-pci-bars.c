/* SPDX-License-Identifier: BSD-3-Clause */
/* How much address space the BARs of a guest's devices take; what single BARs are is tested with the details
 * (test-pci-details). */

#include "fixture.h"
#include "pci-bars.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void test_window(void **state) {
        static const struct {
                PciSlotSpace slots[3];
                uint64_t wanted;
        } rows[] = {
                { { { 0, 0 } }, 0 },
                { { { 16 * MIB, 16 * MIB } }, 16 * MIB },
                { { { 16 * GIB + 256 * MIB, 16 * GIB } }, 16 * GIB + 256 * MIB },
                /* the second one begins where its own BAR can */
                { { { 16 * GIB + 256 * MIB, 16 * GIB }, { 16 * GIB + 256 * MIB, 16 * GIB } }, 48 * GIB + 256 * MIB },
                /* the coarsest first, in whatever order they come */
                { { { 256 * MIB, 256 * MIB }, { 32 * GIB, 32 * GIB } }, 32 * GIB + 256 * MIB },
                { { { 32 * GIB, 32 * GIB }, { 0, 0 }, { 256 * MIB, 256 * MIB } }, 32 * GIB + 256 * MIB },
                { { { UINT64_C(1) << 62, UINT64_C(1) << 62 }, { 1, 1 } }, UINT64_MAX },
                { { { UINT64_C(1) << 63, UINT64_C(1) << 63 } }, UINT64_MAX },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PciSlotSpace slots[3];

                memcpy(slots, rows[i].slots, sizeof slots);
                if (pci_window_size(slots, ELEMENTSOF(slots)) != rows[i].wanted)
                        fail_msg("row %zu", i);
        }
        assert_true(pci_window_size(NULL, 0) == 0);
}

#define RESOURCE "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.%d/resource"

static void set_bars(Fixture *f, int function, const char *text) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(format(&path, RESOURCE, function), 0);
        fixture_write(f, path, text);
}

/* Prefetchable memory of all functions counts; what lies below 4 GiB, ports and the ROM do not. */
static void test_needed(void **state) {
        GuestFunction items[2] = {};
        GuestFunctions functions = { items, 2 };
        Fixture *f = *state;
        uint64_t needed;

        fixture_machine(f, "two-gpu");
        for (uint8_t i = 0; i < 2; i++)
                assert_int_equal(pci_read_function(f->root, (PciAddress){ 0, 1, 0, i }, &items[i].pci), 0);
        assert_int_equal(pci_window_needed(f->root, &functions, &needed), 0);
        assert_true(needed == 0); /* the tree says nothing of BARs */

        set_bars(f, 0,
                "0x0000004000000000 0x00000043ffffffff 0x000000000014220c\n"
                "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
                "0x00000000f6000000 0x00000000f6ffffff 0x0000000000040200\n"
                "0x000000000000e000 0x000000000000e0ff 0x0000000000040101\n"
                "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
                "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
                "0x00000000000c0000 0x00000000000dffff 0x0000000000002200\n");
        set_bars(f, 1, "0x0000004400000000 0x0000004400003fff 0x000000000014220c\n");
        assert_int_equal(pci_window_needed(f->root, &functions, &needed), 0);
        assert_true(needed == 16 * GIB + 16 * 1024);

        set_bars(f, 1, "nonsense\n");
        assert_int_equal(pci_window_needed(f->root, &functions, &needed), -EINVAL);
        set_bars(f, 1, "0x0000004400000000 0x0000004400002fff 0x000000000014220c\n"); /* no power of two */
        assert_int_equal(pci_window_needed(f->root, &functions, &needed), -EINVAL);
        for (size_t i = 0; i < 2; i++)
                pci_function_done(&items[i].pci);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_window),
                fixture_test(test_needed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
