/* SPDX-License-Identifier: BSD-3-Clause */
/* The promise of --release: wherever taking has stopped, and wherever giving back has stopped after that, a run that gets
 * to its end leaves all as before. Each step of the plans is done to a fixture tree as the kernel would do it. */

#include "bind-plan.h"
#include "fixture.h"
#include "root.h"

#define SLOT "sys/devices/pci0000:00/0000:00:1c.0/"
#define PCI "sys/bus/pci/devices/"
#define VTCON "sys/devices/virtual/vtconsole/vtcon1/"
#define SIMPLE "sys/devices/platform/simple-framebuffer.0/"
#define MIB (UINT64_C(1) << 20)

/* What a GPU of the machine is like before. */
typedef struct Before {
        const char *driver; /* of the GPU; NULL: none */
        const char *override;
        const GuestDevices *policy;
        bool text_mode; /* booted in VGA text mode: no console of the system's own is left */
} Before;

static void set_link(Fixture *f, const char *path, const char *format_string, const char *name) {
        _cleanup_(freep) char *target = NULL;

        (void) unlinkat(f->root, path, 0);
        if (!name)
                return;
        assert_int_equal(list_append(&target, "", "%s%s", format_string, name), 0);
        fixture_link(f, path, target);
}

static void set_size(Fixture *f, uint64_t size) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(format(&text, "0x%016llx 0x%016llx 0x000000000014220c\n", 0x800000000ULL, 0x800000000ULL + size - 1), 0);
        fixture_write(f, SLOT "0000:01:00.0/resource", text);
}

/* The machine before anything is done; called again and again, it puts all back. */
static void lay_out(Fixture *f, const Before *before) {
        set_link(f, SLOT "0000:01:00.0/driver", "../../../../bus/pci/drivers/", before->driver);
        set_link(f, SLOT "0000:01:00.1/driver", "../../../../bus/pci/drivers/", "snd_hda_intel");
        fixture_write(f, SLOT "0000:01:00.0/driver_override", before->override ? before->override : "(null)");
        fixture_write(f, SLOT "0000:01:00.1/driver_override", "(null)");
        fixture_lines(f, SLOT "0000:01:00.0/reset_method = flr bus\n" SLOT "0000:01:00.0/d3cold_allowed = 1\n" SLOT
                              "0000:01:00.1/d3cold_allowed = 1\n" SLOT "0000:01:00.0/power/control = auto\n" SLOT
                              "0000:01:00.0/resource0_resize = 0000000000003f00\n" VTCON "bind = 1");
        set_size(f, 256 * MIB);
        set_link(f, SIMPLE "driver", "../../../bus/platform/drivers/", "simple-framebuffer");
}

static void lay_machine(Fixture *f, const Before *before) {
        fixture_machine(f, "two-gpu");
        fixture_lines(f, "sys/bus/pci/drivers/vfio-pci/\n" SLOT "0000:01:00.0/graphics/fb0/dev = 29:0\n"
                         "sys/class/graphics/fb0 -> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/graphics/fb0\n"
                         "sys/class/vtconsole/vtcon0 -> ../../devices/virtual/vtconsole/vtcon0\n"
                         "sys/class/vtconsole/vtcon1 -> ../../devices/virtual/vtconsole/vtcon1\n" VTCON
                         "name = (M) frame buffer device\n" SIMPLE "uevent = x\n"
                         "sys/bus/platform/devices/simple-framebuffer.0 -> ../../../devices/platform/simple-framebuffer.0");
        fixture_write(f, "proc/iomem", "c0000000-dfffffff : PCI Bus 0000:01\n  c0000000-cfffffff : 0000:01:00.0\n"
                                       "    c0000000-c07e8fff : BOOTFB\n");
        fixture_lines(f, before->text_mode ? "sys/devices/virtual/vtconsole/vtcon0/name = (M) dummy device"
                                           : "sys/devices/virtual/vtconsole/vtcon0/name = (S) dummy device");
        lay_out(f, before);
}

/* ---- the kernel ---- */

/* vfio-pci lets a function sleep when it comes, and keeps it awake when it goes. */
static void set_power(Fixture *f, const char *device, const char *control) {
        _cleanup_(freep) char *path = NULL;

        assert_int_equal(format(&path, SLOT "%s/power/control", device), 0);
        if (root_exists(f->root, path))
                fixture_write(f, path, control);
}

static char *driver_of(Fixture *f, const char *device) {
        _cleanup_(freep) char *path = NULL;
        char *driver = NULL;

        assert_int_equal(format(&path, PCI "%s/driver", device), 0);
        (void) root_readlink_name(f->root, path, &driver);
        return driver;
}

static void probe(Fixture *f, const Before *before, const char *device) {
        _cleanup_(freep) char *path = NULL, *driver = driver_of(f, device), *link = NULL, *override = NULL;
        bool gpu = streq(device, "0000:01:00.0");

        assert_int_equal(format(&path, PCI "%s/driver_override", device), 0);
        assert_int_equal(root_read(f->root, path, &override), 0);
        assert_int_equal(format(&link, SLOT "%s/driver", device), 0);
        if (driver)
                return;
        set_link(f, link, "../../../../bus/pci/drivers/",
                !streq(override, "(null)") ? override : gpu ? before->driver : "snd_hda_intel");
        driver = driver_of(f, device);
        if (streq_ptr(driver, "vfio-pci"))
                set_power(f, device, "auto");
}

static void do_write(Fixture *f, const Before *before, const BindStep *s) {
        const char *name = strrchr(s->path, '/') + 1;
        _cleanup_(freep) char *driver = s->device[0] ? driver_of(f, s->device) : NULL, *link = NULL;

        if (streq(s->path, "sys/bus/pci/drivers_probe")) {
                probe(f, before, s->value);
        } else if (streq(name, "driver_override")) {
                fixture_write(f, s->path, streq(s->value, "\n") ? "(null)" : s->value);
        } else if (strstr(s->path, "/driver/unbind")) {
                assert_non_null(driver);
                assert_int_equal(format(&link, SLOT "%s/driver", s->value), 0);
                fixture_remove(f, link);
                if (streq(driver, "vfio-pci"))
                        set_power(f, s->value, "on");
        } else if (streq(name, "resource0_resize")) {
                assert_null(driver); /* EBUSY */
                set_size(f, MIB << atoi(s->value));
        } else if (startswith(s->path, "sys/bus/platform/drivers/simple-framebuffer/")) {
                set_link(f, SIMPLE "driver", "../../../bus/platform/drivers/", streq(name, "bind") ? "simple-framebuffer" : NULL);
        } else if (!before->text_mode || !streq(s->path, "sys/class/vtconsole/vtcon1/bind") || !streq(s->value, "1")) {
                fixture_write(f, s->path, s->value);
        }
}

static void assert_value(Fixture *f, const BindStep *s) {
        _cleanup_(freep) char *value = NULL;

        assert_int_equal(root_read(f->root, s->path, &value), 0);
        assert_string_equal(value, s->value);
}

static void do_steps(Fixture *f, const Before *before, const BindPlan *plan, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const BindStep *s = &plan->steps[i];

                if (s->type == BIND_WRITE)
                        do_write(f, before, s);
                if (s->type == BIND_EXPECT_VALUE)
                        assert_value(f, s);
                if (s->type == BIND_EXPECT_DRIVER) {
                        _cleanup_(freep) char *driver = driver_of(f, s->device);

                        if (!streq_ptr(driver, s->value))
                                fail_msg("%s has driver %s", s->device, driver ? driver : "none");
                }
        }
}

/* ---- the promise ---- */

/* All that the plans may change. */
static char *state_of(Fixture *f) {
        static const char *const files[] = { SLOT "0000:01:00.0/driver_override", SLOT "0000:01:00.1/driver_override",
                SLOT "0000:01:00.0/reset_method", SLOT "0000:01:00.0/d3cold_allowed", SLOT "0000:01:00.1/d3cold_allowed",
                SLOT "0000:01:00.0/power/control", SLOT "0000:01:00.0/resource", VTCON "bind" };
        static const char *const links[] = { SLOT "0000:01:00.0/driver", SLOT "0000:01:00.1/driver", SIMPLE "driver" };
        char *state = NULL;

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(root_read(f->root, files[i], &text), 0);
                assert_int_equal(list_append(&state, "\n", "%s: %s", files[i], text), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                _cleanup_(freep) char *name = NULL;

                (void) root_readlink_name(f->root, links[i], &name);
                assert_int_equal(list_append(&state, "\n", "%s: %s", links[i], name ? name : "none"), 0);
        }
        return state;
}

static void plan_take(Fixture *f, const GuestDevices *policy, BindPlan *ret) {
        DeviceSpec spec = { .type = DEVICE_BY_ADDRESS, .text = (char *) "01:00.0", .address = { .bus = 1 } };
        GuestDevices section = *policy;
        Guest g = { .name = (char *) "g", .file = (char *) "/g.guest", .devices = &section, .n_devices = 1, .single_gpu = true };

        section.gpu = true;
        section.specs = &spec;
        section.n_specs = 1;
        *ret = (BindPlan){};
        assert_int_equal(guest_devices_find(f->root, &g, &ret->functions), 0);
        assert_int_equal(bind_plan_take(f->root, &g, 998, ret), 0);
}

/* Does the first n steps of the way back, or all; returns how many there are. */
static size_t give_back(Fixture *f, const Before *before, const BindRecord *record, size_t n) {
        BindPlan plan;
        size_t all;
        bool left;

        assert_int_equal(bind_plan_return(f->root, record, &plan, &left), 0);
        assert_false(left);
        all = plan.n;
        do_steps(f, before, &plan, n < all ? n : all);
        bind_plan_done(&plan);
        return all;
}

static void assert_as_before(Fixture *f, const char *wanted, size_t taken, size_t given) {
        _cleanup_(freep) char *state = state_of(f);

        if (!streq(state, wanted))
                fail_msg("stopped after %zu steps, then after %zu:\n%s\n\nbefore:\n%s", taken, given, state, wanted);
}

/* Both ways are stopped after each of their steps; then once more, by a start in between that is undone, too. */
static void assert_undone(Fixture *f, const Before *before) {
        _cleanup_(freep) char *wanted = NULL;
        BindPlan plan, again;

        lay_machine(f, before);
        wanted = state_of(f);
        plan_take(f, before->policy, &plan);
        for (size_t taken = 0; taken <= plan.n; taken++)
                for (size_t given = 0, all = 1; given < all; given++) {
                        lay_out(f, before);
                        do_steps(f, before, &plan, taken);
                        all = give_back(f, before, &plan.record, given) + 1;
                        (void) give_back(f, before, &plan.record, SIZE_MAX);
                        assert_as_before(f, wanted, taken, given);
                }
        for (size_t taken = 0; taken <= plan.n; taken++) {
                lay_out(f, before);
                do_steps(f, before, &plan, taken);
                plan_take(f, before->policy, &again);
                assert_int_equal(bind_record_merge(&again.record, &plan.record), 0);
                do_steps(f, before, &again, again.n);
                (void) give_back(f, before, &again.record, SIZE_MAX);
                assert_as_before(f, wanted, taken, again.n);
                bind_plan_done(&again);
        }
        bind_plan_done(&plan);
}

static const GuestDevices all_policies = { .reset_method = (char *) "bus", .power_control = (char *) "on", .d3cold = (char *) "0",
        .bar_size = 8192 * MIB };

static void test_plain(void **state) {
        assert_undone(*state, &(Before){ "bochs-drm", NULL, &(GuestDevices){} });
}

static void test_text_mode(void **state) {
        assert_undone(*state, &(Before){ "bochs-drm", NULL, &(GuestDevices){}, true });
}

static void test_policies(void **state) {
        assert_undone(*state, &(Before){ "bochs-drm", NULL, &all_policies });
}

static void test_no_driver(void **state) {
        assert_undone(*state, &(Before){ NULL, NULL, &all_policies });
}

static void test_override(void **state) {
        assert_undone(*state, &(Before){ "bochs-drm", "bochs-drm", &all_policies });
}

/* Bound at boot, by its address or by its ids: there it stays. */
static void test_static(void **state) {
        assert_undone(*state, &(Before){ "vfio-pci", "vfio-pci", &(GuestDevices){} });
        assert_undone(*state, &(Before){ "vfio-pci", "vfio-pci", &all_policies });
        assert_undone(*state, &(Before){ "vfio-pci", NULL, &(GuestDevices){} });
        assert_undone(*state, &(Before){ "vfio-pci", NULL, &all_policies });
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_plain),
                fixture_test(test_text_mode),
                fixture_test(test_policies),
                fixture_test(test_no_driver),
                fixture_test(test_override),
                fixture_test(test_static),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
