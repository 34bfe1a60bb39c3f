/* SPDX-License-Identifier: BSD-3-Clause */
/* What of the host a guest's networks and display need: what is missing is told with its key and the next step. */

#include "exit-status.h"
#include "fixture.h"
#include "network-check.h"

static Guest *load(Fixture *f, const char *text) {
        Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_int_equal(guest_load(f->root, "g", &g), 0);
        return g;
}

static void check(Fixture *f, const char *text, int result, const char *log) {
        _cleanup_(guest_freep) Guest *g = load(f, text);
        int r;

        fixture_capture(f);
        r = network_check(f->root, g);
        r = r < 0 ? r : display_check(f->root, g);
        fixture_assert_logged(f, log);
        assert_int_equal(r, result);
}

static void test_nothing_asked(void **state) {
        check(*state, "[Guest]\n", 0, "");
        check(*state, "[Network a]\nType=none\n[Display]\nVNC=yes\n", 0, "");
}

static void test_bridge(void **state) {
        static const char text[] = "[Network lan]\nType=bridge\nBridge=br0\n";
        Fixture *f = *state;

        check(f, text, -E_LACKS, "/dev/net/tun is missing, which a bridged network needs; load it: modprobe tun");
        fixture_write(f, "dev/net/tun", "");
        check(f, text, -E_CONFIG,
                "/etc/vxm/guests/g.guest: [Network lan] Bridge=br0: there is no such interface; make the bridge (ip "
                "link add br0 "
                "type bridge && ip link set br0 up; for good: systemd.netdev(5), Kind=bridge), or correct the name.");
        fixture_directory(f, "sys/class/net/br0");
        check(f, text, -E_CONFIG, "[Network lan] Bridge=br0 is no bridge; make one with br0 in it ");
        fixture_directory(f, "sys/class/net/br0/bridge");
        check(f, text, 0, "");
}

static void test_ports(void **state) {
        Fixture *f = *state;

        check(f, "[Network out]\n", -E_LACKS,
                "/usr/bin/passt is missing, which a network of Type=nat or Type=host needs; install passt.");
        fixture_write(f, "usr/bin/passt", "");
        check(f, "[Network out]\nSSH=2222\nForward=1024:22\n", 0, "");
        check(f, "[Network out]\nSSH=22\n", -E_CONFIG,
                "/etc/vxm/guests/g.guest: [Network out] SSH=22: ports of the host below 1024 are root's; choose "
                "another one.");
        check(f, "[Network out]\nForward=[::1]:80:8080/udp\n", -E_CONFIG,
                "[Network out] Forward=[::1]:80:8080/udp: ports of the host below");
        fixture_write(f, "proc/sys/net/ipv4/ip_unprivileged_port_start", "80\n");
        check(f, "[Network out]\nForward=80:8080\n", 0, "");
        check(f, "[Network out]\nSSH=22\n", -E_CONFIG, "below 80 are root's");
}

static void test_taken(void **state) {
        Fixture *f = *state;

        fixture_write(f, "usr/bin/passt", "");
        fixture_write(f, "proc/net/tcp",
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                "   0: 0501A8C0:08AE 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 77 1 0 "
                "100 0 0 10 0\n");
        fixture_write(f, "proc/812/comm", "sshd\n");
        fixture_link(f, "proc/812/fd/4", "socket:[77]");
        /* Of a network of Type=nat it is the loopback address that is forwarded, of Type=host it is all of them. */
        check(f, "[Network out]\nSSH=2222\n", 0, "");
        check(f, "[Network out]\nType=host\nSSH=2222\n", -E_BUSY,
                "/etc/vxm/guests/g.guest: [Network out] SSH=2222: sshd (pid 812) has port 2222 of the host; choose "
                "another one, "
                "or end that.");
        check(f, "[Network out]\nForward=192.168.1.5:2222:22\n", -E_BUSY,
                "[Network out] Forward=192.168.1.5:2222:22: sshd (pid 812) has port 2222 of the host; ");
        /* What cannot be read is no reason to refuse. */
        fixture_write(f, "proc/net/tcp", "\nx\n");
        check(f, "[Network out]\nType=host\nSSH=2222\n", 0, "");
}

static void test_display_port(void **state) {
        static const char text[] = "[Display]\nVNC=5900\n";
        Fixture *f = *state;

        check(f, text, 0, "");
        fixture_write(f, "proc/net/tcp",
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                "   0: 0100007F:170C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 "
                "100 0 0 10 0\n");
        check(f, text, -E_BUSY,
                "/etc/vxm/guests/g.guest: [Display] VNC=5900: a process of user 0 has that port; choose another one");
        check(f, "[Display]\nVNC=5901\nSPICE=yes\n", 0, "");
        fixture_directory(f, "run/vxm/sockets/g"); /* the guest runs: the port is its own */
        check(f, text, 0, "");
}

static void test_spice(void **state) {
        static const char text[] = "[Display]\nSPICE=yes\n";
        Fixture *f = *state;

        check(f, text, 0, ""); /* a QEMU without modules has it inside */
        fixture_directory(f, "usr/lib/x86_64-linux-gnu/qemu");
        check(f, text, -E_LACKS, "QEMU's SPICE module is missing, which [Display] SPICE=yes needs; install it (Debian: "
                                 "qemu-system-modules-spice), or use VNC=yes.");
        fixture_write(f, "usr/lib/x86_64-linux-gnu/qemu/ui-spice-core.so", "");
        check(f, text, 0, "");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_nothing_asked),
                fixture_test(test_bridge),
                fixture_test(test_ports),
                fixture_test(test_taken),
                fixture_test(test_display_port),
                fixture_test(test_spice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
