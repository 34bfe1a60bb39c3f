/* SPDX-License-Identifier: BSD-3-Clause */
/* The plans of vxm-bind on fixture machines, as the text that --dry-run shows: the way there, the way back from wherever
 * the way there has stopped, and which devices are refused with which reason. */

#include "bind-plan.h"
#include "exit-status.h"
#include "fixture.h"
#include "root.h"

#define DEVICES "sys/devices/pci0000:00/0000:00:1c.0/"

/* Plans the taking of up to three devices. */
static int take(Fixture *f, const char *const devices[static 3], BindPlan *ret) {
        DeviceSpec specs[3];
        GuestDevices section = { .gpu = true, .specs = specs };
        Guest g = { .name = (char *) "g", .file = (char *) "/etc/vxm/guests/g.guest", .devices = &section, .n_devices = 1 };
        int r;

        for (; section.n_specs < 3 && devices[section.n_specs]; section.n_specs++)
                assert_int_equal(device_spec_parse(devices[section.n_specs], &specs[section.n_specs]), 0);
        *ret = (BindPlan){};
        r = guest_devices_find(f->root, &g, &ret->functions);
        r = r < 0 ? r : bind_plan_take(f->root, &g, 998, ret);
        if (r < 0)
                bind_plan_done(ret);
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
        bool left;

        assert_non_null(text);
        assert_int_equal(bind_record_parse(text, &record), 0);
        assert_int_equal(bind_plan_return(f->root, &record, &plan, &left), 0);
        assert_false(left);
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

/* What is bound at boot and has its host's driver all the same was not taken: giving back is no time to do that. Once it has
 * none, it goes where it belongs. */
static void test_return_static_late(void **state) {
        static const char record[] = "function 0000:01:00.0 vfio-pci vfio-pci 0 0\nattribute 0000:01:00.0 reset_method flr\n"
                                     "attribute 0000:01:00.0 power/control auto\n";
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, DEVICES "0000:01:00.0/reset_method = bus\n" DEVICES "0000:01:00.0/power/control = on");
        assert_returns(f, record,
                "take    /dev/vfio/8 back, if it is still there\n"
                "write   flr > /sys/bus/pci/devices/0000:01:00.0/reset_method\n");
        fixture_remove(f, "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/driver");
        assert_returns(f, record,
                "take    /dev/vfio/8 back, if it is still there\n"
                "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver vfio-pci\n"
                "write   flr > /sys/bus/pci/devices/0000:01:00.0/reset_method\n"
                "write   auto > /sys/bus/pci/devices/0000:01:00.0/power/control\n");
}

static void test_return_owner(void **state) {
        _cleanup_(bind_record_done) BindRecord record = {};
        char text[] = "function 0000:17:00.0 vfio-pci vfio-pci 998 997\n";
        Fixture *f = *state;
        BindPlan plan;
        bool left;

        fixture_machine(f, "bmc");
        assert_int_equal(bind_record_parse(text, &record), 0);
        assert_int_equal(bind_plan_return(f->root, &record, &plan, &left), 0);
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

/* ---- what guest files want done with a device ---- */

#define GPU_BOUND                                                                       \
        "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"        \
        "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
#define GPU_PROBED                                                                      \
        "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"                           \
        "expect  0000:01:00.0 has driver vfio-pci\n"
#define SOUND_TAKEN                                                                     \
        "write   vfio-pci > /sys/bus/pci/devices/0000:01:00.1/driver_override\n"        \
        "write   0000:01:00.1 > /sys/bus/pci/devices/0000:01:00.1/driver/unbind\n"      \
        "write   0000:01:00.1 > /sys/bus/pci/drivers_probe\n"                           \
        "expect  0000:01:00.1 has driver vfio-pci\n"
#define NODE_GIVEN "give    /dev/vfio/8 to the guest's user\n"
#define NODE_TAKEN "take    /dev/vfio/8 back, if it is still there\n"
#define GPU_OVERRIDE_CLEARED "write   (newline) > /sys/bus/pci/devices/0000:01:00.0/driver_override\n"

/* Plans 0000:01:00.0 of two-gpu with the keys of policy. */
static int take_policy(Fixture *f, const GuestDevices *policy, BindPlan *ret) {
        DeviceSpec spec = { .type = DEVICE_BY_ADDRESS, .text = (char *) "01:00.0", .address = { .bus = 1 } };
        GuestDevices section = *policy;
        Guest g = { .name = (char *) "g", .file = (char *) "/etc/vxm/guests/g.guest", .devices = &section, .n_devices = 1,
                .single_gpu = true };
        int r;

        section.gpu = true;
        section.specs = &spec;
        section.n_specs = 1;
        *ret = (BindPlan){};
        r = guest_devices_find(f->root, &g, &ret->functions);
        r = r < 0 ? r : bind_plan_take(f->root, &g, 998, ret);
        if (r < 0)
                bind_plan_done(ret);
        if (r >= 0) /* the section is about to go */
                for (size_t i = 0; i < ret->functions.n; i++)
                        ret->functions.items[i].section = NULL;
        return r;
}

static void assert_record(const BindRecord *record, Fixture *f, const char *wanted) {
        _cleanup_(freep) char *text = NULL;

        fixture_directory(f, "run/vxm/bind");
        assert_int_equal(bind_record_save(f->root, "g", record), 0);
        assert_int_equal(root_read(f->root, "run/vxm/bind/g", &text), 0);
        assert_string_equal(text, wanted);
}

static void assert_policy(Fixture *f, const GuestDevices *policy, const char *steps, const char *record) {
        BindPlan plan;

        assert_int_equal(take_policy(f, policy, &plan), 0);
        assert_record(&plan.record, f, record);
        assert_plan(&plan, steps);
}

static void assert_policy_refused(Fixture *f, const GuestDevices *policy, int error, const char *log) {
        BindPlan plan;
        int r;

        fixture_capture(f);
        r = take_policy(f, policy, &plan);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -error);
}

#define RECORD_FUNCTIONS "function 0000:01:00.0 bochs-drm - 0 0\nfunction 0000:01:00.1 snd_hda_intel - 0 0"

/* What is as wanted is not written; of what is, it is noted how it was. ResetMethod= is for the card alone, power for all
 * that has it. What a device may refuse comes first; power/control, which
 * vfio-pci changes, last, and is noted in any case. */
static void test_policy(void **state) {
        static const GuestDevices policy = { .reset_method = (char *) "bus", .power_control = (char *) "on", .d3cold = (char *) "0" };
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, DEVICES "0000:01:00.0/reset_method = flr bus\n" DEVICES "0000:01:00.0/power/control = auto\n" DEVICES
                                 "0000:01:00.0/d3cold_allowed = 0\n" DEVICES "0000:01:00.1/reset_method = pm\n" DEVICES
                                 "0000:01:00.1/power/control = auto");
        assert_policy(f, &policy,
                "load    vfio-pci\n"
                "write   bus > /sys/bus/pci/devices/0000:01:00.0/reset_method\n" GPU_BOUND GPU_PROBED
                "write   on > /sys/bus/pci/devices/0000:01:00.0/power/control\n" SOUND_TAKEN
                "write   on > /sys/bus/pci/devices/0000:01:00.1/power/control\n" NODE_GIVEN,
                RECORD_FUNCTIONS "\nattribute 0000:01:00.0 reset_method flr bus\nattribute 0000:01:00.0 power/control auto\n"
                                 "attribute 0000:01:00.1 power/control auto");
        fixture_lines(f, DEVICES "0000:01:00.1/power/control = on");
        assert_policy(f, &(GuestDevices){ .power_control = (char *) "auto" },
                "load    vfio-pci\n" GPU_BOUND GPU_PROBED
                "write   auto > /sys/bus/pci/devices/0000:01:00.0/power/control\n" SOUND_TAKEN
                "write   auto > /sys/bus/pci/devices/0000:01:00.1/power/control\n" NODE_GIVEN,
                RECORD_FUNCTIONS "\nattribute 0000:01:00.0 power/control auto\nattribute 0000:01:00.1 power/control on");

        /* A device that could not be reset at all before is so again. */
        fixture_lines(f, DEVICES "0000:01:00.0/reset_method =");
        assert_policy(f, &(GuestDevices){ .reset_method = (char *) "bus" },
                "load    vfio-pci\n"
                "write   bus > /sys/bus/pci/devices/0000:01:00.0/reset_method\n" GPU_BOUND GPU_PROBED SOUND_TAKEN NODE_GIVEN,
                RECORD_FUNCTIONS "\nattribute 0000:01:00.0 reset_method -\nattribute 0000:01:00.0 power/control auto\n"
                                 "attribute 0000:01:00.1 power/control on");
}

static void test_policy_refusals(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_policy_refused(f, &(GuestDevices){ .reset_method = (char *) "flr" }, E_CONFIG,
                "0000:01:00.0 has no reset_method for ResetMethod=flr; take that out of /etc/vxm/guests/g.guest.");
        assert_policy_refused(f, &(GuestDevices){ .bar_size = UINT64_C(1) << 30 }, E_CONFIG, "0000:01:00.0 has no BAR that can be");
        assert_policy_refused(f, &(GuestDevices){ .rom_file = (char *) "/rom" }, E_CONFIG, "RomFile=/rom cannot be read");
        fixture_write(f, DEVICES "0000:01:00.0/power/control", "auto\x01");
        assert_policy_refused(f, &(GuestDevices){ .power_control = (char *) "on" }, EINVAL, "cannot note power/control");
}

/* Attributes come back after the driver, which may set them itself. */
static void test_return_policy(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, DEVICES "0000:01:00.0/reset_method = bus\n" DEVICES "0000:01:00.0/driver_override = vfio-pci\n" DEVICES
                                 "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci");
        assert_returns(f, "function 0000:01:00.0 bochs-drm - 0 0\nattribute 0000:01:00.0 reset_method flr bus\n"
                          "attribute 0000:01:00.0 d3cold_allowed 1\n",
                NODE_TAKEN GPU_OVERRIDE_CLEARED
                "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver bochs-drm\n"
                "write   flr bus > /sys/bus/pci/devices/0000:01:00.0/reset_method\n");
        assert_returns(f, "function 0000:01:00.0 vfio-pci vfio-pci 0 0\nattribute 0000:01:00.0 reset_method -\n",
                NODE_TAKEN "write   (newline) > /sys/bus/pci/devices/0000:01:00.0/reset_method\n");
        /* Nothing has come back that could have set it, and it is as before: a refused start has nothing to undo. */
        assert_returns(f, "function 0000:01:00.0 vfio-pci vfio-pci 0 0\nattribute 0000:01:00.0 reset_method bus\n", NODE_TAKEN);
}

/* ---- BARs ---- */

/* BAR 0 of size bytes that can have 256 MiB to 8 GiB, and BAR 2 of 256 MiB that can have 2 to 256. */
static void lay_bars(Fixture *f, uint64_t size) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(format(&text, "0x%016llx 0x%016llx 0x000000000014220c\n0x0 0x0 0x0\n"
                                       "0x00000000d0000000 0x00000000dfffffff 0x000000000014220c\n0x0 0x0 0x0\n0x0 0x0 0x0\n"
                                       "0x0 0x0 0x0\n0x00000000fea00000 0x00000000fea1ffff 0x0000000000046200\n",
                                 0x800000000ULL, 0x800000000ULL + size - 1), 0);
        fixture_write(f, DEVICES "0000:01:00.0/resource", text);
        fixture_lines(f, DEVICES "0000:01:00.0/resource0_resize = 0000000000003f00\n" DEVICES
                                 "0000:01:00.0/resource2_resize = 00000000000001fe\n");
}

#define MIB (UINT64_C(1) << 20)

static void test_resize(void **state) {
        static const GuestDevices policy = { .bar_size = 8192 * MIB };
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        lay_bars(f, 256 * MIB);
        assert_policy(f, &policy,
                "load    vfio-pci\n" GPU_BOUND "write   13 > /sys/bus/pci/devices/0000:01:00.0/resource0_resize\n" GPU_PROBED
                SOUND_TAKEN NODE_GIVEN,
                RECORD_FUNCTIONS "\nattribute 0000:01:00.0 resource0_resize 8");
        /* A GPU that nobody uses sleeps; that must not hide what it can do. */
        fixture_lines(f, DEVICES "0000:01:00.0/power/runtime_status = suspended");
        assert_policy(f, &policy,
                "load    vfio-pci\n" GPU_BOUND "write   13 > /sys/bus/pci/devices/0000:01:00.0/resource0_resize\n" GPU_PROBED
                SOUND_TAKEN NODE_GIVEN,
                RECORD_FUNCTIONS "\nattribute 0000:01:00.0 resource0_resize 8");
        assert_policy_refused(f, &(GuestDevices){ .bar_size = 16384 * MIB }, E_CONFIG, "has no BAR that can be of the size");
        assert_policy_refused(f, &(GuestDevices){ .bar_size = 2 * MIB }, E_CONFIG, "has no BAR that can be of the size");

        /* The card's memory is what can be the largest, not what is; and what is right needs nothing. */
        lay_bars(f, MIB);
        assert_policy(f, &policy,
                "load    vfio-pci\n" GPU_BOUND "write   13 > /sys/bus/pci/devices/0000:01:00.0/resource0_resize\n" GPU_PROBED
                SOUND_TAKEN NODE_GIVEN,
                RECORD_FUNCTIONS "\nattribute 0000:01:00.0 resource0_resize 0");
        lay_bars(f, 8192 * MIB);
        assert_policy(f, &policy, "load    vfio-pci\n" GPU_BOUND GPU_PROBED SOUND_TAKEN NODE_GIVEN, RECORD_FUNCTIONS);
}

static void test_resize_odd(void **state) {
        static const char *const texts[] = { "x", "", "3f00 1", "fffffffffffffffff", "0x" };
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                lay_bars(f, 256 * MIB);
                fixture_write(f, DEVICES "0000:01:00.0/resource0_resize", texts[i]);
                assert_policy_refused(f, &(GuestDevices){ .bar_size = 8192 * MIB }, EINVAL, "0000:01:00.0: cannot read its BARs");
        }
        lay_bars(f, 768 * MIB); /* no power of two: none of PCI's */
        assert_policy_refused(f, &(GuestDevices){ .bar_size = 8192 * MIB }, E_CONFIG, "has no BAR that can be of the size");
}

/* From each state in which the way there may have stopped. */
static void test_return_resize(void **state) {
        static const char record[] = "function 0000:01:00.0 bochs-drm - 0 0\nattribute 0000:01:00.0 resource0_resize 8\n";
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        lay_bars(f, 256 * MIB);
        assert_returns(f, record, NODE_TAKEN);
        fixture_lines(f, DEVICES "0000:01:00.0/driver_override = vfio-pci\n!" DEVICES "0000:01:00.0/driver");
        assert_returns(f, record, NODE_TAKEN GPU_OVERRIDE_CLEARED "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                                                                  "expect  0000:01:00.0 has driver bochs-drm\n");
        lay_bars(f, 8192 * MIB);
        assert_returns(f, record, NODE_TAKEN GPU_OVERRIDE_CLEARED
                "write   8 > /sys/bus/pci/devices/0000:01:00.0/resource0_resize\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver bochs-drm\n");
        /* vfio-pci lets idle devices sleep. */
        fixture_lines(f, DEVICES "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci\n" DEVICES
                                 "0000:01:00.0/power/runtime_status = suspended");
        assert_returns(f, record, NODE_TAKEN GPU_OVERRIDE_CLEARED
                "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
                "write   8 > /sys/bus/pci/devices/0000:01:00.0/resource0_resize\n"
                "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:01:00.0 has driver bochs-drm\n");
        /* The host's driver is back, and has made the BAR as it likes: it must not be taken away once more. */
        fixture_lines(f, DEVICES "0000:01:00.0/driver -> ../../../../bus/pci/drivers/bochs-drm\n" DEVICES
                                 "0000:01:00.0/driver_override = (null)");
        assert_returns(f, record, NODE_TAKEN);
}

/* A guest that shrank the BAR below another one gets it grown again; who is at home with vfio-pci goes back there. */
static void test_return_resize_static(void **state) {
        BindPlan plan;
        Fixture *f = *state;
        char text[] = "function 0000:01:00.0 vfio-pci vfio-pci 0 0\nattribute 0000:01:00.0 resource0_resize 8\n";
        _cleanup_(bind_record_done) BindRecord record = {};
        bool left;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, DEVICES "0000:01:00.0/driver_override = vfio-pci\n" DEVICES
                                 "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci");
        lay_bars(f, MIB);
        assert_int_equal(bind_record_parse(text, &record), 0);
        assert_int_equal(bind_plan_return(f->root, &record, &plan, &left), 0);
        assert_int_equal(plan.n, 5);
        assert_true(plan.steps[2].may_fail); /* better another size than no driver */
        assert_true(plan.steps[2].enters_driver);
        assert_false(plan.steps[3].may_fail);
        assert_plan(&plan,
                NODE_TAKEN "write   0000:01:00.0 > /sys/bus/pci/devices/0000:01:00.0/driver/unbind\n"
                "write   8 > /sys/bus/pci/devices/0000:01:00.0/resource0_resize\n" GPU_PROBED);
}

/* ---- the host's console ---- */

#define FB DEVICES "0000:01:00.0/graphics/fb0"
#define VTCON "sys/devices/virtual/vtconsole/vtcon1/"
#define SIMPLE "sys/devices/platform/simple-framebuffer.0/"

static void lay_console(Fixture *f) {
        fixture_machine(f, "two-gpu");
        fixture_lines(f, FB "/dev = 29:0\n"
                         "sys/class/graphics/fb0 -> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/graphics/fb0\n"
                         "sys/class/vtconsole/vtcon0 -> ../../devices/virtual/vtconsole/vtcon0\n"
                         "sys/devices/virtual/vtconsole/vtcon0/name = (S) dummy device\n"
                         "sys/devices/virtual/vtconsole/vtcon0/bind = 0\n"
                         "sys/class/vtconsole/vtcon1 -> ../../devices/virtual/vtconsole/vtcon1\n" VTCON
                         "name = (M) frame buffer device\n" VTCON "bind = 1\n"
                         "sys/bus/platform/devices/simple-framebuffer.0 -> ../../../devices/platform/simple-framebuffer.0\n" SIMPLE
                         "driver -> ../../../bus/platform/drivers/simple-framebuffer\n");
        fixture_write(f, "proc/iomem", "c0000000-dfffffff : PCI Bus 0000:01\n  c0000000-cfffffff : 0000:01:00.0\n"
                                       "    c0000000-c07e8fff : BOOTFB\n");
}

static void test_console(void **state) {
        Fixture *f = *state;

        lay_console(f);
        assert_policy(f, &(GuestDevices){},
                "load    vfio-pci\n"
                "write   0 > /sys/class/vtconsole/vtcon1/bind\n"
                "write   simple-framebuffer.0 > /sys/bus/platform/drivers/simple-framebuffer/unbind\n" GPU_BOUND GPU_PROBED
                SOUND_TAKEN NODE_GIVEN,
                RECORD_FUNCTIONS "\nplatform simple-framebuffer.0 simple-framebuffer\nvtconsole vtcon1");
}

/* Nobody could bind the console again: it goes with the driver. */
static void test_console_of_text_mode(void **state) {
        Fixture *f = *state;

        lay_console(f);
        fixture_lines(f, "sys/devices/virtual/vtconsole/vtcon0/name = (M) dummy device");
        assert_policy(f, &(GuestDevices){},
                "load    vfio-pci\n"
                "write   simple-framebuffer.0 > /sys/bus/platform/drivers/simple-framebuffer/unbind\n" GPU_BOUND GPU_PROBED
                SOUND_TAKEN NODE_GIVEN,
                RECORD_FUNCTIONS "\nplatform simple-framebuffer.0 simple-framebuffer");
}

#define VTCON_RETURNED                                                                                                     \
        "write   1 > /sys/class/vtconsole/vtcon1/bind\n"                                                                   \
        "expect  /sys/class/vtconsole/vtcon1/bind reads 1\n"

/* Consoles come back last, and only if they are not back already; a framebuffer whose device is gone needs nothing. */
static void test_return_console(void **state) {
        static const char record[] = "function 0000:01:00.0 bochs-drm - 0 0\nplatform simple-framebuffer.0 simple-framebuffer\n"
                                     "vtconsole vtcon1\n";
        Fixture *f = *state;

        lay_console(f);
        assert_returns(f, record, NODE_TAKEN);
        fixture_lines(f, VTCON "bind = 0\n!" SIMPLE "driver");
        fixture_lines(f, SIMPLE "uevent = x");
        assert_returns(f, record, NODE_TAKEN
                "write   simple-framebuffer.0 > /sys/bus/platform/drivers/simple-framebuffer/bind\n"
                VTCON_RETURNED);
        fixture_lines(f, "!sys/bus/platform/devices/simple-framebuffer.0\n" VTCON "bind = odd");
        assert_returns(f, record, NODE_TAKEN VTCON_RETURNED);
        fixture_lines(f, "!" VTCON "bind");
        assert_returns(f, record, NODE_TAKEN);
}

/* ---- static ---- */

/* What boot has bound is as it was; where boot was too late, vfio-pci is home all the same. */
static void test_take_static_policy(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_policy(f, &(GuestDevices){ .binding_static = true }, "load    vfio-pci\n" GPU_BOUND GPU_PROBED SOUND_TAKEN NODE_GIVEN,
                "function 0000:01:00.0 vfio-pci vfio-pci 0 0\nfunction 0000:01:00.1 vfio-pci vfio-pci 0 0");
        fixture_lines(f, DEVICES "0000:01:00.0/power/control = on");
        assert_policy(f, &(GuestDevices){ .binding_static = true }, "load    vfio-pci\n" GPU_BOUND GPU_PROBED SOUND_TAKEN NODE_GIVEN,
                "function 0000:01:00.0 vfio-pci vfio-pci 0 0\nfunction 0000:01:00.1 vfio-pci vfio-pci 0 0\n"
                "attribute 0000:01:00.0 power/control auto");
        fixture_lines(f, DEVICES "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci\n" DEVICES
                                 "0000:01:00.1/driver -> ../../../../bus/pci/drivers/vfio-pci\n"
                                 "sys/bus/pci/drivers/vfio-pci/");
        assert_policy(f, &(GuestDevices){ .binding_static = true }, NODE_GIVEN,
                "function 0000:01:00.0 vfio-pci - 0 0\nfunction 0000:01:00.1 vfio-pci - 0 0");
}

static void test_plan_static(void **state) {
        PciFunctions functions = {};
        Fixture *f = *state;
        BindPlan plan;

        fixture_machine(f, "two-gpu");
        assert_int_equal(bind_plan_static(f->root, &functions, &plan), 0);
        assert_plan(&plan, "");
        assert_int_equal(pci_read_slot(f->root, (PciAddress){ .bus = 1 }, &functions), 0);
        assert_int_equal(bind_plan_static(f->root, &functions, &plan), 0);
        assert_plan(&plan, "load    vfio-pci\n" GPU_BOUND GPU_PROBED SOUND_TAKEN);
        pci_functions_done(&functions);

        fixture_lines(f, DEVICES "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci\nsys/bus/pci/drivers/vfio-pci/");
        assert_int_equal(pci_read_slot(f->root, (PciAddress){ .bus = 1 }, &functions), 0);
        assert_int_equal(bind_plan_static(f->root, &functions, &plan), 0);
        assert_plan(&plan, SOUND_TAKEN);
        pci_functions_done(&functions);
}

/* ---- what must not keep the others from the host ---- */

static void assert_leaves(Fixture *f, const char *record_text, const char *wanted, const char *log) {
        _cleanup_(bind_record_done) BindRecord record = {};
        _cleanup_(freep) char *text = strdup(record_text);
        BindPlan plan;
        bool left;
        int r;

        assert_non_null(text);
        assert_int_equal(bind_record_parse(text, &record), 0);
        fixture_capture(f);
        r = bind_plan_return(f->root, &record, &plan, &left);
        fixture_assert_logged(f, log);
        assert_int_equal(r, 0);
        assert_true(left);
        assert_plan(&plan, wanted);
}

/* A card with a write stuck in it is left alone with all its functions, until that write has come back. */
static void test_return_stuck(void **state) {
        static const char record[] = "function 0000:01:00.0 bochs-drm - 0 0\nstuck 0000:01:00.0 42 4711\n"
                                     "function 0000:01:00.1 snd_hda_intel - 0 0\nfunction 0000:00:14.0 xhci_hcd - 0 0\n";
        static const char usb[] = "take    /dev/vfio/5 back, if it is still there\n"
                                  "write   0000:00:14.0 > /sys/bus/pci/drivers_probe\n"
                                  "expect  0000:00:14.0 has driver xhci_hcd\n" NODE_TAKEN;
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, "!" DEVICES "0000:01:00.0/driver\n!" DEVICES "0000:01:00.1/driver\n"
                         "!sys/devices/pci0000:00/0000:00:14.0/driver\n"
                         "proc/42/stat = 42 (vxm-bind) D 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 2");
        assert_leaves(f, record, usb, "0000:01:00.1 is left as it is: a driver has not come back from a write to its card.");
        fixture_lines(f, "!proc/42/stat");
        assert_returns(f, record, "take    /dev/vfio/5 back, if it is still there\n"
                                  "write   0000:00:14.0 > /sys/bus/pci/drivers_probe\n"
                                  "expect  0000:00:14.0 has driver xhci_hcd\n" NODE_TAKEN
                                  "write   0000:01:00.1 > /sys/bus/pci/drivers_probe\n"
                                  "expect  0000:01:00.1 has driver snd_hda_intel\n"
                                  "write   0000:01:00.0 > /sys/bus/pci/drivers_probe\n"
                                  "expect  0000:01:00.0 has driver bochs-drm\n");
}

/* One device that cannot be read is said and left; the other goes back. */
static void test_return_unreadable(void **state) {
        static const char record[] = "function 0000:01:00.0 bochs-drm - 0 0\nfunction 0000:00:14.0 xhci_hcd - 0 0\n";
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, DEVICES "0000:01:00.0/class = odd\n!sys/devices/pci0000:00/0000:00:14.0/driver");
        assert_leaves(f, record,
                "take    /dev/vfio/5 back, if it is still there\n"
                "write   0000:00:14.0 > /sys/bus/pci/drivers_probe\n"
                "expect  0000:00:14.0 has driver xhci_hcd\n",
                "0000:01:00.0: cannot plan its way back: Invalid argument.");
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
                fixture_test(test_return_static_late),
                fixture_test(test_return_owner),
                fixture_test(test_return_device_gone),
                fixture_test(test_policy),
                fixture_test(test_policy_refusals),
                fixture_test(test_return_policy),
                fixture_test(test_resize),
                fixture_test(test_resize_odd),
                fixture_test(test_return_resize),
                fixture_test(test_return_resize_static),
                fixture_test(test_console),
                fixture_test(test_console_of_text_mode),
                fixture_test(test_return_console),
                fixture_test(test_take_static_policy),
                fixture_test(test_plan_static),
                fixture_test(test_return_stuck),
                fixture_test(test_return_unreadable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
