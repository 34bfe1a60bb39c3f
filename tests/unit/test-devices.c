/* SPDX-License-Identifier: BSD-3-Clause */
/* Which functions a guest gets, and which it may not have, on fixture machines. Guests are loaded from files, as they are
 * in production. */

#include <sys/stat.h>

#include "devices.h"
#include "exit-status.h"
#include "fixture.h"

#define PORT "sys/devices/pci0000:00/0000:00:1c.0/"
#define GROUP "sys/kernel/iommu_groups/"

static Guest *load(Fixture *f, const char *text) {
        Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_int_equal(guest_load(f->root, "g", &g), 0);
        return g;
}

/* The functions as one line: “0000:01:00.0 named [GPU], 0000:01:00.1 [GPU]”. */
static char *listed(const GuestFunctions *l) {
        char *text = NULL;

        for (size_t i = 0; i < l->n; i++)
                assert_int_equal(list_append(&text, ", ", "%s%s [%s%s%s]", l->items[i].pci.name, l->items[i].named ? " named" : "",
                                         l->items[i].section->gpu ? "GPU" : "PCI", l->items[i].section->name ? " " : "",
                                         l->items[i].section->name ? l->items[i].section->name : ""), 0);
        return text;
}

static void assert_finds(Fixture *f, const char *guest, const char *wanted) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(guest_freep) Guest *g = load(f, guest);
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(guest_devices_find(f->root, g, &functions), 0);
        text = listed(&functions);
        assert_string_equal(text, wanted);
}

static void assert_refuses(Fixture *f, const char *guest, int error, const char *log) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(guest_freep) Guest *g = load(f, guest);
        int r;

        fixture_capture(f);
        r = guest_devices_find(f->root, g, &functions);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -error);
        assert_int_equal(functions.n, 0);
}

/* Moves a function to another IOMMU group. */
static void move_group(Fixture *f, const char *name, const char *path, int from, int to) {
        _cleanup_(freep) char *lines = NULL;

        assert_int_equal(format(&lines, "!" GROUP "%d/devices/%s\n" GROUP "%d/devices/%s -> ../../../../%s\n"
                                        "sys/%s/iommu_group -> ../../../../kernel/iommu_groups/%d\n",
                                 from, name, to, name, path, path, to), 0);
        fixture_lines(f, lines);
}

static void test_slot(void **state) {
        fixture_machine(*state, "two-gpu");
        assert_finds(*state, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU]");
        assert_finds(*state, "[GPU win]\nDevice=1:0\n", "0000:01:00.0 named [GPU win], 0000:01:00.1 [GPU win]");
}

/* [PCI] means one function; what shares its group has to come all the same, ascending. */
static void test_single_function(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_finds(f, "[PCI]\nDevice=00:14.0\n", "0000:00:14.0 named [PCI]");
        assert_finds(f, "[PCI usb]\nDevice=00:14.0\n", "0000:00:14.0 named [PCI usb]");
        assert_finds(f, "[PCI]\nDevice=01:00.1\n", "0000:01:00.0 [PCI], 0000:01:00.1 named [PCI]");
        move_group(f, "0000:01:00.1", "devices/pci0000:00/0000:00:1c.0/0000:01:00.1", 8, 9);
        assert_finds(f, "[PCI]\nDevice=01:00.1\n", "0000:01:00.1 named [PCI]");
        assert_refuses(f, "[PCI]\nDevice=00:1c.0\n", E_CONFIG, "0000:00:1c.0 is a bridge; bridges stay with the host.");
        assert_refuses(f, "[PCI]\nDevice=00:10.0\n", E_CONFIG, "0000:00:10.0 is the GPU this machine boots on");
        assert_refuses(f, "[GPU]\nDevice=00:14.0\n", E_CONFIG,
                "0000:00:14.0 is no GPU (class 0c0330); correct [GPU] Device= in /etc/vxm/guests/g.guest, or name it in [PCI].");
        assert_refuses(f, "[GPU]\nDevice=00:1c.0\n", E_CONFIG, "0000:00:1c.0 is no GPU (class 060400)");
}

/* The section that names a function rules it, whichever came first; two that do are one too many. */
static void test_named_twice(void **state) {
        static const char both[] = "0000:01:00.0 named [GPU], 0000:01:00.1 named [PCI]";
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_finds(f, "[GPU]\nDevice=01:00.0\n[PCI]\nDevice=01:00.1\n", both);
        assert_finds(f, "[PCI]\nDevice=01:00.1\n[GPU]\nDevice=01:00.0\n", both);
        assert_finds(f, "[GPU]\nDevice=01:00.0\nDevice=pci-0000:01:00.0\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU]");
        assert_refuses(f, "[GPU]\nDevice=01:00.0\n[PCI]\nDevice=01:00.0\n", E_CONFIG,
                "0000:01:00.0 is named by two sections of /etc/vxm/guests/g.guest; name it in one of them only.");
        assert_refuses(f, "[GPU a]\nDevice=01:00.0\n[GPU b]\nDevice=auto\n", E_CONFIG, "0000:01:00.0 is named by two sections");
}

/* Another function of the slot in a group of its own comes, if the host can spare it and all that its group holds. */
static void test_other_group(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        move_group(f, "0000:01:00.1", "devices/pci0000:00/0000:00:1c.0/0000:01:00.1", 8, 9);
        assert_finds(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU]");

        fixture_lines(f, GROUP "9/devices/0000:00:10.0 -> ../../../../devices/pci0000:00/0000:00:10.0");
        fixture_capture(f);
        assert_finds(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU]");
        fixture_assert_logged(f, "0000:01:00.1 stays with the host; with its IOMMU group, which is not the card's, the host would "
                                 "lose 0000:00:10.0 (the GPU the machine boots on).");
        /* Who asks for just that function is told why not. */
        assert_refuses(f, "[PCI]\nDevice=01:00.1\n", E_LACKS,
                "0000:01:00.1 shares IOMMU group 9 with what the host would lose: 0000:00:10.0 (the GPU the machine boots on)");

        fixture_lines(f, "!" PORT "0000:01:00.1/iommu_group");
        fixture_capture(f);
        assert_finds(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU]");
        fixture_assert_logged(f, "0000:01:00.1 stays with the host; it has no IOMMU group.");
}

#define KEYBOARD "sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/input/input3/"

static void lay_keyboard(Fixture *f) {
        fixture_lines(f, "sys/class/input/input3 -> ../../devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/input/input3\n" KEYBOARD
                         "name = K120\n" KEYBOARD "capabilities/key = fffffffffffffffe\n" KEYBOARD "capabilities/rel = 0\n" KEYBOARD
                         "capabilities/abs = 0");
}

/* A group is judged by what hangs on its members, and bridges are in nobody's way unless a driver uses them. */
static void test_group(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, GROUP "8/devices/0000:00:14.0 -> ../../../../devices/pci0000:00/0000:00:14.0\n" GROUP
                               "8/devices/0000:00:1c.0 -> ../../../../devices/pci0000:00/0000:00:1c.0\n" GROUP
                               "8/devices/0000:00:00.0 -> ../../../../devices/pci0000:00/0000:00:00.0");
        assert_finds(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU], 0000:00:14.0 [GPU]");

        lay_keyboard(f);
        assert_refuses(f, "[GPU]\nDevice=01:00.0\n", E_LACKS,
                "0000:01:00.0 shares IOMMU group 8 with what the host would lose: 0000:00:14.0 (keyboard “K120”); move the card to a "
                "slot with a group of its own.");
        /* Also by its own name. */
        assert_refuses(f, "[PCI]\nDevice=00:14.0\n", E_CONFIG, "0000:00:14.0 is what the host has keyboard “K120” on");

        fixture_lines(f, "sys/devices/pci0000:00/0000:00:00.0/driver -> ../../../bus/pci/drivers/amd64_edac");
        assert_refuses(f, "[GPU]\nDevice=01:00.0\n", E_LACKS,
                "0000:00:00.0 (a bridge that driver amd64_edac uses), 0000:00:14.0 (keyboard “K120”)");
}

#define CONNECTOR "sys/devices/pci0000:00/0000:00:10.0/drm/card0/card0-DP-1/"

/* A display is no loss with the GPU that is asked for, and one with a GPU that would only come along. */
static void test_displays(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, "sys/devices/pci0000:00/0000:00:10.0/boot_vga = 0\n"
                         "sys/class/drm/card0-DP-1 -> ../../devices/pci0000:00/0000:00:10.0/drm/card0/card0-DP-1\n" CONNECTOR
                         "enabled = enabled\n" CONNECTOR "status = connected");
        assert_finds(f, "[GPU]\nDevice=00:10.0\n", "0000:00:10.0 named [GPU]");
        fixture_lines(f, GROUP "8/devices/0000:00:10.0 -> ../../../../devices/pci0000:00/0000:00:10.0");
        assert_refuses(f, "[GPU]\nDevice=01:00.0\n", E_LACKS, "0000:00:10.0 (the display on DP-1)");
        assert_finds(f, "[GPU]\nDevice=01:00.0\nSingleGpu=yes\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU], 0000:00:10.0 [GPU]");
}

/* By boot_vga, or, for what is no VGA controller, by where the boot framebuffer lies. */
static void test_boot_gpu(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        assert_refuses(f, "[GPU]\nDevice=00:10.0\n", E_CONFIG, "0000:00:10.0 is the GPU this machine boots on");
        assert_finds(f, "[GPU]\nDevice=00:10.0\nSingleGpu=yes\n", "0000:00:10.0 named [GPU]");

        fixture_lines(f, "!sys/devices/pci0000:00/0000:00:10.0/boot_vga\nsys/devices/pci0000:00/0000:00:10.0/class = 0x038000");
        assert_finds(f, "[GPU]\nDevice=00:10.0\n", "0000:00:10.0 named [GPU]");
        fixture_write(f, "proc/iomem", "c0000000-dfffffff : PCI Bus 0000:00\n  c0000000-cfffffff : 0000:00:10.0\n"
                                       "    c0000000-c07e8fff : BOOTFB\n");
        assert_refuses(f, "[GPU]\nDevice=00:10.0\n", E_CONFIG, "0000:00:10.0 is the GPU this machine boots on");
        fixture_lines(f, GROUP "8/devices/0000:00:10.0 -> ../../../../devices/pci0000:00/0000:00:10.0");
        assert_refuses(f, "[GPU]\nDevice=01:00.0\n", E_LACKS, "0000:00:10.0 (the GPU the machine boots on)");
        assert_finds(f, "[GPU]\nDevice=00:10.0\nSingleGpu=yes\n", "0000:00:10.0 named [GPU]");
}

/* Virtual functions would go with the driver of the physical one, be they another guest's. */
static void test_virtual_functions(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        for (char virtfn[] = "virtfn0"; virtfn[6] < '7'; virtfn[6]++) {
                _cleanup_(freep) char *link = NULL;

                assert_int_equal(format(&link, PORT "0000:01:00.0/%s", virtfn), 0);
                fixture_link(f, link, "../0000:01:10.0");
        }
        assert_refuses(f, "[GPU]\nDevice=01:00.0\n", E_BUSY,
                "0000:01:00.0 has 7 virtual functions, which would vanish with its driver, from under whoever uses them; turn them "
                "off first: echo 0 >/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs");
        assert_refuses(f, "[PCI]\nDevice=01:00.1\n", E_LACKS, "0000:01:00.0 (7 virtual functions)");
        fixture_lines(f, PORT "0000:01:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci");
        assert_finds(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU]");
}

static void bind(Fixture *f, const char *name) {
        _cleanup_(freep) char *link = NULL;

        assert_int_equal(format(&link, "%s/driver", name), 0);
        fixture_link(f, link, "../../../../bus/pci/drivers/vfio-pci");
}

static void assert_bound(Fixture *f, const char *guest, const char *wanted) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(guest_freep) Guest *g = load(f, guest);
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(guest_devices_bound(f->root, g, &functions), 0);
        text = listed(&functions);
        assert_string_equal(text, wanted);
}

/* Afterwards it is vfio-pci's that are the guest's; what has been left with the host is left out. */
static void test_bound(void **state) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        g = load(f, "[GPU]\nDevice=01:00.0\n");
        fixture_capture(f);
        assert_int_equal(guest_devices_bound(f->root, g, &functions), -E_CONFIG);
        fixture_assert_logged(f, "0000:01:00.0 has driver bochs-drm, not vfio-pci; run systemctl daemon-reload");

        bind(f, PORT "0000:01:00.0");
        assert_bound(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU]");
        bind(f, PORT "0000:01:00.1");
        assert_bound(f, "[GPU]\nDevice=01:00.0\n", "0000:01:00.0 named [GPU], 0000:01:00.1 [GPU]");
        /* Nothing is judged: the guest's user does not see what the host uses. */
        lay_keyboard(f);
        bind(f, "sys/devices/pci0000:00/0000:00:14.0");
        assert_bound(f, "[PCI]\nDevice=00:14.0\n", "0000:00:14.0 named [PCI]");
}

/* “auto” means the GPU that the guest's user was given, whatever has become free, or of another guest, since. */
static void test_bound_auto(void **state) {
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        Fixture *f = *state;

        fixture_machine(f, "bmc");
        fixture_lines(f, "sys/devices/pci0000:64/0000:64:00.0/0000:65:00.0/driver -> ../../../../bus/pci/drivers/vfio-pci\n"
                         "dev/vfio/51 =\n");
        g = load(f, "[GPU]\nDevice=auto\n");
        assert_int_equal(guest_devices_find(f->root, g, &functions), -E_CONFIG); /* there are two */
        assert_bound(f, "[GPU]\nDevice=auto\n", "0000:65:00.0 named [GPU]");
        if (geteuid() == 0) {
                assert_int_equal(fchownat(f->root, "dev/vfio/51", 4711, 0, 0), 0);
                assert_int_equal(guest_devices_bound(f->root, g, &functions), -E_CONFIG);
        }
}

/* Each function once, of all guests that may have theirs. */
static void test_static(void **state) {
        PciFunctions functions = {};
        Fixture *f = *state;
        int refused;

        fixture_machine(f, "two-gpu");
        assert_int_equal(guest_devices_find_static(f->root, &functions, &refused), 0);
        assert_int_equal(refused, 0);
        assert_int_equal(functions.n, 0);

        fixture_write(f, "etc/vxm/guests/a.guest", "[GPU]\nDevice=01:00.0\nBinding=static\n[PCI]\nDevice=00:14.0\n");
        fixture_write(f, "etc/vxm/guests/b.guest", "[GPU]\nDevice=01:00.0\nBinding=static\n");
        fixture_write(f, "etc/vxm/guests/boot.guest", "[GPU]\nDevice=00:10.0\nBinding=static\n");
        fixture_write(f, "etc/vxm/guests/broken.guest", "[GPU]\nDevice=odd:\n");
        fixture_write(f, "etc/vxm/guests/dynamic.guest", "[PCI]\nDevice=00:14.0\n");
        fixture_capture(f);
        assert_int_equal(guest_devices_find_static(f->root, &functions, &refused), 0);
        assert_int_equal(refused, -E_CONFIG);
        fixture_assert_logged(f, "0000:00:10.0 is the GPU this machine boots on");
        assert_int_equal(functions.n, 2);
        assert_string_equal(functions.items[0].name, "0000:01:00.0");
        assert_string_equal(functions.items[1].name, "0000:01:00.1");
        pci_functions_done(&functions);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_slot),
                fixture_test(test_single_function),
                fixture_test(test_named_twice),
                fixture_test(test_other_group),
                fixture_test(test_group),
                fixture_test(test_displays),
                fixture_test(test_boot_gpu),
                fixture_test(test_virtual_functions),
                fixture_test(test_bound),
                fixture_test(test_bound_auto),
                fixture_test(test_static),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
