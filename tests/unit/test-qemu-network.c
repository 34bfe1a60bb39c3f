/* SPDX-License-Identifier: BSD-3-Clause */
/* Network cards and display on QEMU's command line. */

#include "exit-status.h"
#include "fixture.h"
#include "qemu-display.h"
#include "qemu-network.h"

typedef int (*Part)(Argv *a, const Guest *g, const QemuFacts *facts);

static void assert_part(Part part, const Guest *g, const QemuFacts *facts, const char *wanted) {
        _cleanup_(argv_done) Argv argv = {};
        _cleanup_(freep) char *seen = strdup("");

        assert_int_equal(part(&argv, g, facts), 0);
        for (size_t i = 0; i < argv.n; i++)
                assert_int_equal(list_append(&seen, i > 0 ? " " : "", "%s", argv.items[i]), 0);
        assert_string_equal(seen, wanted);
}

static void test_networks(void **state) {
        GuestNetwork networks[] = {
                { .name = (char *) "lan", .type = NETWORK_BRIDGE },
                { .name = (char *) "off", .type = NETWORK_NONE },
                { .name = (char *) "out", .type = NETWORK_HOST, .model = NETWORK_E1000E },
        };
        QemuLink links[] = {
                { "52:54:00:00:00:01", 11, 12 },
                {},
                { "52:54:00:00:00:02", 13, -EBADF },
        };
        Guest g = { .networks = networks, .n_networks = ELEMENTSOF(networks) };
        QemuFacts facts = { .links = links };

        (void) state;
        assert_part(qemu_add_networks, &g, &facts,
                "-netdev tap,id=net-lan,fd=11,vhost=on,vhostfd=12 "
                "-device virtio-net-pci,id=nic-lan,netdev=net-lan,mac=52:54:00:00:00:01,romfile= "
                "-netdev stream,id=net-out,server=off,addr.type=fd,addr.str=13 "
                "-device e1000e,id=nic-out,netdev=net-out,mac=52:54:00:00:00:02,romfile=");
        links[0].vhost_fd = -EBADF;
        g.n_networks = 2;
        assert_part(qemu_add_networks, &g, &facts,
                "-netdev tap,id=net-lan,fd=11 "
                "-device virtio-net-pci,id=nic-lan,netdev=net-lan,mac=52:54:00:00:00:01,romfile=");
        g.n_networks = 0;
        assert_part(qemu_add_networks, &g, &facts, "");
}

static int find(Fixture *f, const char *text, QemuLink **ret) {
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_int_equal(guest_load(f->root, "g", &g), 0);
        return qemu_links_find(f->root, g, ret);
}

static void test_links(void **state) {
        static const char text[] = "[Network lan]\nType=bridge\nBridge=br0\n[Network out]\nMAC=02:00:00:00:00:07\n"
                                   "[Network old]\nType=bridge\nBridge=br0\nModel=e1000e\n";
        _cleanup_(freep) QemuLink *links = NULL, *again = NULL, *none = NULL, *same = NULL;
        _cleanup_(freep) char *twin = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(find(f, text, &links), -E_LACKS);
        fixture_assert_logged(f,
                "/etc/machine-id holds no id (No such file or directory), so [Network lan] can have no address");

        fixture_write(f, "etc/machine-id", "000102030405060708090a0b0c0d0e0f\n");
        assert_int_equal(find(f, text, &links), 0);
        assert_memory_equal(links[0].mac, "52:54:00:", 9);
        assert_string_equal(links[1].mac, "02:00:00:00:00:07");
        assert_true(links[0].vhost_fd < 0);
        fixture_write(f, "dev/vhost-net", "");
        assert_int_equal(find(f, text, &again), 0);
        assert_string_equal(links[0].mac, again[0].mac);
        assert_true(again[0].vhost_fd >= 0);
        assert_true(again[1].vhost_fd < 0 && again[2].vhost_fd < 0); /* passt has none, nor has e1000e */

        assert_int_equal(find(f, "[Guest]\n", &none), 0);

        assert_int_equal(format(&twin, "[Network lan]\nType=bridge\nBridge=br0\n[Network twin]\nMAC=%s\n",
                links[0].mac), 0);
        fixture_capture(f);
        assert_int_equal(find(f, twin, &same), -E_CONFIG);
        fixture_assert_logged(f, "[Network twin] has the MAC address of [Network lan], 52:54:00:");
}

static void test_display(void **state) {
        QemuFacts facts = { .sockets = (char *) "/run/a,b" };
        Guest g = {};

        (void) state;
        assert_part(qemu_add_display, &g, &facts, "");
        g.vnc = DISPLAY_SOCKET;
        assert_part(qemu_add_display, &g, &facts,
                "-device virtio-vga,id=display -device qemu-xhci,id=display-usb "
                "-device usb-tablet,id=display-tablet,bus=display-usb.0 -vnc unix:/run/a,,b/vnc");
        g.vnc = DISPLAY_NO;
        g.spice = DISPLAY_SOCKET;
        g.display_model = DISPLAY_QXL;
        assert_part(qemu_add_display, &g, &facts,
                "-device qxl-vga,id=display -device qemu-xhci,id=display-usb "
                "-device usb-tablet,id=display-tablet,bus=display-usb.0 "
                "-spice unix=on,addr=/run/a,,b/spice,disable-ticketing=on -chardev "
                "spicevmc,id=spice-agent,name=vdagent "
                "-device virtserialport,bus=serial.0,chardev=spice-agent,name=com.redhat.spice.0");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_networks),
                fixture_test(test_links),
                cmocka_unit_test(test_display),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
