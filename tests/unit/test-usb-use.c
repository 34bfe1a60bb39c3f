/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host stands on stays with it. */

#include "exit-status.h"
#include "fixture.h"
#include "usb-use.h"

#define STICK "devices/pci0000:00/0000:00:14.0/usb2/2-3"

static HostUse use(HostUseType type, const char *path, const char *text) {
        return (HostUse){ type, (char *) path, (char *) text };
}

static void test_judge(void **state) {
        const struct {
                const char *name;
                HostUse use;
                int error;
                const char *why;
        } cases[] = {
                { "2-3", use(HOST_USE_FILE_SYSTEM, STICK "/2-3:1.0/host6/x/block/sdc/sdc1", "the file system on /mnt (sdc1)"), -E_BUSY,
                        "is in use by the host: the file system on /mnt (sdc1); unmount it first" },
                { "2-3", use(HOST_USE_SWAP, STICK "/2-3:1.0", "swap (sdc1)"), -E_BUSY, "swap" },
                { "2-3", use(HOST_USE_NETWORK, STICK "/2-3:1.0/net/eth1", "network eth1 (up)"), -E_BUSY, "set the interface down" },
                { "2-3", use(HOST_USE_DISPLAY, STICK "/2-3:1.0", "the display on X-1"), -E_BUSY, "switch the display off" },
                { "2-3", use(HOST_USE_FILE_SYSTEM, STICK "0/2-30:1.0", "another stick"), 0, NULL },
                { "1-2", use(HOST_USE_INPUT, "devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/input/input3", "keyboard"), 0, NULL },
                { "1-4", use(HOST_USE_INPUT, "devices/x", "x"), -E_CONFIG, "is a hub" },
                { "usb1", use(HOST_USE_INPUT, "devices/x", "x"), -E_CONFIG, "is a hub" },
        };
        _cleanup_(usb_devices_done) UsbDevices l = {};
        Fixture *f = *state;

        fixture_machine(f, "usb");
        assert_int_equal(usb_devices_read(f->root, &l), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                HostUse item = cases[i].use;
                HostUses uses = { .items = &item, .n = 1 };
                _cleanup_(freep) char *why = NULL;

                for (size_t d = 0; d < l.n; d++)
                        if (streq(l.items[d].name, cases[i].name))
                                assert_int_equal(usb_use_judge(f->root, &l.items[d], &uses, &why), cases[i].error);
                if (!cases[i].why != !why || (why && !strstr(why, cases[i].why)))
                        fail_msg("case %zu: %s", i, why ? why : "nothing");
        }
}

/* A program shows as the driver of what it has claimed; USBGuard keeps a device from the host itself. */
static void test_others(void **state) {
        Fixture *f = *state;
        HostUses uses = {};

        fixture_machine(f, "usb");
        fixture_remove(f, "sys/" STICK "/2-3:1.0/driver");
        fixture_link(f, "sys/" STICK "/2-3:1.0/driver", "../../../../../../../bus/usb/drivers/usbfs");
        for (int authorized = 1; authorized >= 0; authorized--) {
                _cleanup_(usb_devices_done) UsbDevices l = {};
                _cleanup_(freep) char *why = NULL;

                assert_int_equal(usb_devices_read(f->root, &l), 0);
                assert_int_equal(usb_use_judge(f->root, &l.items[6], &uses, &why), -E_BUSY);
                assert_non_null(strstr(why, authorized ? "fuser -v /dev/bus/usb/002/004" : "is not authorized"));
                fixture_remove(f, "sys/" STICK "/authorized");
                fixture_write(f, "sys/" STICK "/authorized", "0\n");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_judge),
                fixture_test(test_others),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
