/* SPDX-License-Identifier: BSD-3-Clause */
/* The plans of vxm-bind on fixture machines, as the text that --dry-run shows: the way there, the way back from wherever
 * the way there has stopped, and which devices are refused with which reason. */

#include "bind-plan.h"
#include "exit-status.h"
#include "fixture.h"

#define DEVICES "sys/devices/pci0000:00/0000:00:1c.0/"

/* Plans the taking of up to three devices. */
static int take(Fixture *f, const char *const devices[static 3], BindPlan *ret) {
        DeviceSpec specs[3];
        GuestDevices section = { .gpu = true, .specs = specs };
        Guest g = { .name = (char *) "g", .file = (char *) "/etc/vxm/guests/g.guest", .devices = &section, .n_devices = 1 };
        int r;

        for (; section.n_specs < 3 && devices[section.n_specs]; section.n_specs++)
                assert_int_equal(device_spec_parse(devices[section.n_specs], &specs[section.n_specs]), 0);
        r = bind_plan_take(f->root, &g, 998, ret);
        while (section.n_specs > 0)
                device_spec_done(&specs[--section.n_specs]);
        return r;
}

static void assert_plan(BindPlan *plan, const char *wanted) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        bind_plan_print(plan, f);
        fclose(f);
        assert_string_equal(text, wanted);
        bind_plan_done(plan);
}

static void assert_takes(Fixture *f, const char *const devices[static 3], const char *wanted) {
        BindPlan plan;

        assert_int_equal(take(f, devices, &plan), 0);
        assert_plan(&plan, wanted);
}

static void assert_refused(Fixture *f, const char *device, int error, const char *log) {
        BindPlan plan;
        int r;

        fixture_capture(f);
        r = take(f, (const char *const[3]){ device }, &plan);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -error);
}

static void assert_returns(Fixture *f, const char *record_text, const char *wanted) {
        _cleanup_(freep) char *text = strdup(record_text);
        _cleanup_(bind_record_done) BindRecord record = {};
        BindPlan plan;
        bool stuck;

        assert_non_null(text);
        assert_int_equal(bind_record_parse(text, &record), 0);
        assert_int_equal(bind_plan_return(f->root, &record, &plan, &stuck), 0);
        assert_false(stuck);
        assert_plan(&plan, wanted);
}

static void test_take(void **state) {
        BindPlan plan;

        fixture_machine(*state, "two-gpu");
        assert_takes(*state, (const char *const[3]){ "01:00.0" },
                "load    vfio-pci\n"
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"
                "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver vfio-pci\n"
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.1/driver_override\n"
                "write   0000:01:00.1 > /sys/bus/pci/devices/0000:01:00.1/driver/unbind\n"
                "write   0000:01:00.1 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.1 has driver vfio-pci\n"
                "give    /dev/vfio/8 to the guest's user\n");

        assert_int_equal(take(*state, (const char *const[3]){ "01:00.0" }, &plan), 0);
        assert_int_equal(plan.functions.n, 2);
        assert_int_equal(plan.steps[plan.n - 1].type, BIND_GIVE_NODE);
        assert_int_equal(plan.steps[plan.n - 1].uid, 998);
        assert_int_equal(plan.steps[plan.n - 1].gid, 0);
        assert_string_equal(plan.steps[4].was, "bochs-drm");
        bind_plan_done(&plan);
}

static void test_take_nothing(void **state) {
        fixture_machine(*state, "two-gpu");
        assert_takes(*state, (const char *const[3]){}, "");
}

/* Bound to vfio-pci since boot, with an override or by its ids: only its node changes hands. */
static void test_take_static(void **state) {
        fixture_machine(*state, "bmc");
        assert_takes(*state, (const char *const[3]){ "17:00.0" }, "give    /dev/vfio/41 to the guest's user\n");
        fixture_lines(*state, "sys/devices/pci0000:16/0000:16:00.0/0000:17:00.0/driver_override = (null)");
        assert_takes(*state, (const char *const[3]){ "17:00.0" }, "give    /dev/vfio/41 to the guest's user\n");
}

static void test_take_no_driver(void **state) {
        fixture_machine(*state, "i5");
        fixture_lines(*state, "sys/bus/pci/drivers/vfio-pci/");
        assert_takes(*state, (const char *const[3]){ "01:00.0" },
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"
                "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver vfio-pci\n"
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.1/driver_override\n"
                "write   0000:01:00.1 > /sys/bus/pci/devices/0000:01:00.1/driver/unbind\n"
                "write   0000:01:00.1 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.1 has driver vfio-pci\n"
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.2/driver_override\n"
                "write   0000:01:00.2 > /sys/bus/pci/devices/0000:01:00.2/driver/unbind\n"
                "write   0000:01:00.2 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.2 has driver vfio-pci\n"
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.3/driver_override\n"
                "write   0000:01:00.3 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.3 has driver vfio-pci\n"
                "give    /dev/vfio/2 to the guest's user\n");
}

/* Two cards, two groups, two nodes; and the override that somebody set without probing is not written again. */
static void test_take_two(void **state) {
        fixture_machine(*state, "bmc");
        fixture_lines(*state, "sys/devices/pci0000:64/0000:64:00.0/0000:65:00.1/driver_override = vfio-pci");
        assert_takes(*state, (const char *const[3]){ "17:00.0", "65:00.0" },
                "write   vfio-pci > /sys/bus/pci/devices/0000:65:00.0/driver_override\n"
                "write   0000:65:00.0 > /sys/bus/pci/devices/0000:65:00.0/driver/unbind\n"
                "write   0000:65:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:65:00.0 has driver vfio-pci\n"
                "write   0000:65:00.1 > /sys/bus/pci/devices/0000:65:00.1/driver/unbind\n"
                "write   0000:65:00.1 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:65:00.1 has driver vfio-pci\n"
                "give    /dev/vfio/41 to the guest's user\n"
                "give    /dev/vfio/51 to the guest's user\n");
}

static void test_refusals(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_refused(f, "09:00.0", E_CONFIG, "There is no PCI device 0000:09:00.0 in this machine");
        assert_refused(f, "01:00.2", E_CONFIG, "There is no PCI device 0000:01:00.2 in this machine");
        assert_refused(f, "00:10.0", E_CONFIG, "0000:00:10.0 is the GPU this machine boots on");
        assert_refused(f, "01:00.1", E_CONFIG, "0000:01:00.1 is no GPU (class 040300)");
        assert_refused(f, "00:14.0", E_CONFIG, "0000:00:14.0 is no GPU (class 0c0330)");

        /* All functions of a slot go together: naming another one does not make the boot GPU less of one. */
        fixture_lines(f, DEVICES "0000:01:00.0/boot_vga = 1\n" DEVICES "0000:01:00.1/class = 0x038000");
        assert_refused(f, "01:00.1", E_CONFIG, "0000:01:00.0 is the GPU this machine boots on");
        fixture_lines(f, DEVICES "0000:01:00.0/boot_vga = 0\n" DEVICES "0000:01:00.1/class = 0x040300");

}

/* A device that has a group to itself no more: what the host can spare comes along, in a slot of its own. */
static void test_group_comes_along(void **state) {
        Fixture *f = *state;
        BindPlan plan;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, "sys/kernel/iommu_groups/8/devices/0000:00:14.0 -> ../../../../devices/pci0000:00/0000:00:14.0");
        assert_int_equal(take(f, (const char *const[3]){ "01:00.0" }, &plan), 0);
        assert_int_equal(plan.functions.n, 3);
        assert_string_equal(plan.functions.items[2].pci.name, "0000:00:14.0");
        assert_true(plan.functions.items[0].named);
        assert_false(plan.functions.items[2].named);
        bind_plan_done(&plan);
}

static void test_refusals_without_iommu(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "no-iommu");
        assert_refused(f, "01:00.0", E_LACKS, "0000:01:00.0 cannot be given to a guest while the IOMMU is off");
        fixture_directory(f, "sys/kernel/iommu_groups/0");
        assert_refused(f, "01:00.0", E_LACKS, "0000:01:00.0 is in no IOMMU group");
}

/* The chipset's slot shares its group with the disks and the network, the CPU's slot has one of its own. */
static void test_b550(void **state) {
        Fixture *f = *state;
        BindPlan plan;

        fixture_machine(f, "b550");
        assert_refused(f, "04:00.0", E_CONFIG, "0000:04:00.0 is the GPU this machine boots on");
        fixture_lines(f, "sys/devices/pci0000:00/0000:00:01.2/0000:02:00.2/0000:03:00.0/0000:04:00.0/boot_vga = 0");
        assert_refused(f, "04:00.0", E_LACKS, "0000:04:00.0 shares IOMMU group 13 with ");

        assert_int_equal(take(f, (const char *const[3]){ "2b:00.0" }, &plan), 0);
        assert_int_equal(plan.functions.n, 4);
        bind_plan_done(&plan);
}

static void test_return(void **state) {
        fixture_machine(*state, "two-gpu");
        fixture_lines(*state, DEVICES "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci\n" DEVICES
                                      "0000:01:00.0/driver_override = vfio-pci\n" DEVICES
                                      "0000:01:00.1/driver -> ../../../../bus/pci/drivers/vfio-pci\n" DEVICES
                                      "0000:01:00.1/driver_override = vfio-pci\n");
        assert_returns(*state, "function 0000:01:00.0 bochs-drm - 0 0\nfunction 0000:01:00.1 snd_hda_intel - 0 0\n",
                "take    /dev/vfio/8 back, if it is still there\n"
                "write   (newline) > /sys/bus/pci/devices/0000:01:00.1/driver_override\n"
                "write   0000:01:00.1 > /sys/bus/pci/devices/0000:01:00.1/driver/unbind\n"
                "write   0000:01:00.1 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.1 has driver snd_hda_intel\n"
                "write   (newline) > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"
                "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver bochs-drm\n");
}

/* Stopped between any two writes: from each state just what is missing. */
static void test_return_after_partial_progress(void **state) {
        static const char record[] = "function 0000:01:00.0 bochs-drm - 0 0\nfunction 0000:01:00.1 snd_hda_intel - 0 0\n";
        static const char node[] = "take    /dev/vfio/8 back, if it is still there\n";
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_returns(f, record, node); /* nothing written yet */

        fixture_lines(f, DEVICES "0000:01:00.0/driver_override = vfio-pci");
        assert_returns(f, record,
                "take    /dev/vfio/8 back, if it is still there\n"
                "write   (newline) > /sys/bus/pci/devices/0000:01:00.0/driver_override\n");

        fixture_lines(f, "!" DEVICES "0000:01:00.0/driver");
        assert_returns(f, record,
                "take    /dev/vfio/8 back, if it is still there\n"
                "write   (newline) > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver bochs-drm\n");

        fixture_lines(f, DEVICES "0000:01:00.0/driver_override = (null)");
        assert_returns(f, record,
                "take    /dev/vfio/8 back, if it is still there\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver bochs-drm\n");
}

static void test_return_to_none(void **state) {
        fixture_machine(*state, "bmc");
        assert_returns(*state, "function 0000:17:00.0 - - 0 0\n",
                "take    /dev/vfio/41 back, if it is still there\n"
                "write   (newline) > /sys/bus/pci/devices/0000:17:00.0/driver_override\n"
                "write   0000:17:00.0 > /sys/bus/pci/devices/0000:17:00.0/driver/unbind\n"
                "expect  0000:17:00.0 has driver none\n");
}

/* What was bound at boot stays bound; an override that was there before comes back. */
static void test_return_static(void **state) {
        fixture_machine(*state, "bmc");
        assert_returns(*state, "function 0000:17:00.0 vfio-pci vfio-pci 0 0\n", "take    /dev/vfio/41 back, if it is still there\n");
        assert_returns(*state, "function 0000:65:00.0 nvidia nvidia 0 0\n",
                "take    /dev/vfio/51 back, if it is still there\n"
                "write   nvidia > /sys/bus/pci/devices/0000:65:00.0/driver_override\n");
}

static void test_return_owner(void **state) {
        _cleanup_(bind_record_done) BindRecord record = {};
        char text[] = "function 0000:17:00.0 vfio-pci vfio-pci 998 997\n";
        Fixture *f = *state;
        BindPlan plan;
        bool stuck;

        fixture_machine(f, "bmc");
        assert_int_equal(bind_record_parse(text, &record), 0);
        assert_int_equal(bind_plan_return(f->root, &record, &plan, &stuck), 0);
        assert_int_equal(plan.n, 1);
        assert_int_equal(plan.steps[0].type, BIND_TAKE_NODE);
        assert_int_equal(plan.steps[0].uid, 998);
        assert_int_equal(plan.steps[0].gid, 997);
        bind_plan_done(&plan);
}

/* One device gone must not keep the other from the host. */
static void test_return_device_gone(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "bmc");
        fixture_capture(f);
        assert_returns(f, "function 0000:77:00.0 nvidia - 0 0\nfunction 0000:17:00.0 vfio-pci vfio-pci 0 0\n",
                "take    /dev/vfio/41 back, if it is still there\n");
        fixture_assert_logged(f, "0000:77:00.0 has left the machine; nothing to give back.");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_take),
                fixture_test(test_take_nothing),
                fixture_test(test_take_static),
                fixture_test(test_take_no_driver),
                fixture_test(test_take_two),
                fixture_test(test_refusals),
                fixture_test(test_group_comes_along),
                fixture_test(test_refusals_without_iommu),
                fixture_test(test_b550),
                fixture_test(test_return),
                fixture_test(test_return_after_partial_progress),
                fixture_test(test_return_to_none),
                fixture_test(test_return_static),
                fixture_test(test_return_owner),
                fixture_test(test_return_device_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
