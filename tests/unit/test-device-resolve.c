/* SPDX-License-Identifier: BSD-3-Clause */
/* From what a guest file calls a device to the one function that it means: names, ids, auto, and pins. */

#include "device-resolve.h"
#include "exit-status.h"
#include "fixture.h"

typedef struct Ask {
        bool pci;        /* [PCI], else [GPU] */
        const char *pin; /* Recorded=, NULL: none */
        bool single_gpu;
} Ask;

static int resolve(Fixture *f, const char *text, Ask ask, PciFunction *ret) {
        _cleanup_(device_facts_done) DeviceFacts facts = { .root = f->root };
        _cleanup_(device_spec_done) DeviceSpec spec = {};
        _cleanup_(device_pin_done) DevicePin pin = {};
        GuestDevices section = { .gpu = !ask.pci, .pins = &pin, .n_pins = ask.pin ? 1 : 0 };
        Guest g = { .name = (char *) "g", .file = (char *) "/g.guest", .single_gpu = ask.single_gpu };

        assert_int_equal(device_spec_parse(text, &spec), 0);
        if (ask.pin)
                assert_int_equal(device_pin_parse(ask.pin, &pin), 0);
        return device_resolve(&facts, &g, &section, &spec, ret);
}

static void assert_means(Fixture *f, const char *text, Ask ask, const char *wanted) {
        PciFunction function;

        assert_int_equal(resolve(f, text, ask, &function), 0);
        assert_string_equal(function.name, wanted);
        pci_function_done(&function);
}

static void assert_refused(Fixture *f, const char *text, Ask ask, const char *log) {
        PciFunction function;
        int r;

        fixture_capture(f);
        r = resolve(f, text, ask, &function);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -E_CONFIG);
}

static void test_ids(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "b550");
        assert_means(f, "10de:1e84", (Ask){}, "0000:2b:00.0");
        assert_means(f, "10DE:10F8", (Ask){ .pci = true }, "0000:2b:00.1");
        assert_means(f, "10ec:8125", (Ask){ .pci = true }, "0000:2a:00.0");
        assert_refused(f, "10ec:8125", (Ask){}, "[GPU] Device=10ec:8125 of /g.guest fits no GPU of this machine; see vxm list-gpus");
        assert_refused(f, "10de:ffff", (Ask){ .pci = true },
                "[PCI] Device=10de:ffff of /g.guest fits no device of this machine; see vxm list-gpus --tree");
        /* Bridges are no candidates: they could not be had. */
        assert_refused(f, "1022:43ea", (Ask){ .pci = true }, "fits no device of this machine");
}

static void test_ambiguous(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "bmc");
        assert_refused(f, "10de:1ff2", (Ask){}, "[GPU] Device=10de:1ff2 of /g.guest fits several devices: 0000:17:00.0 (");
        assert_refused(f, "10de:1ff2", (Ask){}, "), 0000:65:00.0 (");
        assert_refused(f, "10de:1ff2:17aa:1613", (Ask){}, "fits several devices");
        assert_refused(f, "10de:1ff2:17aa:1614", (Ask){}, "fits no GPU");
        assert_refused(f, "auto", (Ask){}, "fits several devices");
        assert_means(f, "17:00.0", (Ask){}, "0000:17:00.0");
}

static void test_names(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_means(f, "XHCI Host", (Ask){ .pci = true }, "0000:00:14.0");
}

static void test_addresses(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_means(f, "1:0.0", (Ask){}, "0000:01:00.0");
        assert_means(f, "pci-0000:01:00.1", (Ask){ .pci = true }, "0000:01:00.1");
        assert_refused(f, "09:00.0", (Ask){ .pci = true },
                "There is no PCI device 0000:09:00.0 in this machine; see `lspci -D`, then correct [PCI] Device= in /g.guest.");
}

#define CONNECTOR "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/drm/card1/card1-HDMI-A-1/"

static void test_auto(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_means(f, "auto", (Ask){}, "0000:01:00.0");

        fixture_lines(f, "sys/class/drm/card1-HDMI-A-1 -> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/drm/card1/card1-HDMI-A-1\n"
                      CONNECTOR "enabled = enabled\n" CONNECTOR "status = connected");
        assert_refused(f, "auto", (Ask){}, "[GPU] Device=auto of /g.guest finds no GPU that the host can spare: each one boots the "
                                           "machine or lights a display; see vxm list-gpus.");
        fixture_lines(f, CONNECTOR "enabled = disabled");
        assert_means(f, "auto", (Ask){}, "0000:01:00.0");
}

/* With SingleGpu= the only one will do, but only if it is. */
static void test_auto_single(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_means(f, "auto", (Ask){ .single_gpu = true }, "0000:01:00.0");
        fixture_lines(f, "!sys/bus/pci/devices/0000:01:00.0");
        assert_means(f, "auto", (Ask){ .single_gpu = true }, "0000:00:10.0");
        assert_refused(f, "auto", (Ask){}, "finds no GPU that the host can spare");
}

#define IDS " 1234:1111:1af4:1100"

static void test_pins(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_means(f, "01:00.0", (Ask){ .pin = "0000:00/1c.0/00.0" IDS }, "0000:01:00.0");
        assert_means(f, "auto", (Ask){ .pin = "0000:00/1c.0/00.0" IDS }, "0000:01:00.0");
        assert_refused(f, "01:00.0", (Ask){ .pin = "0000:00/10.0" IDS },
                "0000:01:00.0 is not the device that was recorded for guest g: it is 0000:00/1c.0/00.0" IDS
                ", recorded is 0000:00/10.0" IDS "; the recorded one is at 0000:00:10.0 now. Correct Device= in /g.guest, or, if this is "
                "the right one, /usr/lib/vxm/vxm-bind --record g.");
        assert_refused(f, "01:00.0", (Ask){ .pin = "0000:00/1c.0/00.0 1234:1111:1af4:1101" },
                "; the recorded one is no longer in this machine. ");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_ids),
                fixture_test(test_ambiguous),
                fixture_test(test_names),
                fixture_test(test_addresses),
                fixture_test(test_auto),
                fixture_test(test_auto_single),
                fixture_test(test_pins),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
