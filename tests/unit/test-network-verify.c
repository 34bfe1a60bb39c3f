/* SPDX-License-Identifier: BSD-3-Clause */
/* What does not go together in a guest file's networks, and what does. */

#include "exit-status.h"
#include "fixture.h"
#include "guest.h"

static const char *const good[] = {
        "[Network a]\n",
        "[Network a]\nType=host\nSSH=2222\nForward=8080:80\nForward=8080:80/udp\n",
        "[Network a]\nType=bridge\nBridge=br0\n[Network b]\nType=bridge\nBridge=br0\n[Network c]\n",
        "[Network a]\nType=none\n[Network b]\n[Network c]\nType=none\n",
        "[Network a]\nType=none\nForward=8080:80\nForward=8080:80\nSSH=2222\nBridge=br0\nMAC=52:54:00:00:00:aa\n"
        "[Network b]\nMAC=52:54:00:00:00:aa\n[Display]\nVNC=2222\n",
        "[Network a]\nType=bridge\nBridge=br0\nMAC=52:54:00:00:00:01\n[Network b]\nMAC=52:54:00:00:00:02\n",
        "[Display]\nModel=qxl\nSPICE=yes\n",
        "[Display]\nModel=vga\nVNC=yes\n",
        "[Display]\nSPICE=5930\nVNC=5900\n[Network a]\nForward=5900:5900/udp\nForward=127.0.0.2:5900:5900\n",
};

static const struct {
        const char *text, *log;
} bad[] = {
        { "[Network a]\nType=bridge\n", "[Network a] Type=bridge needs Bridge=; name the bridge, such as br0." },
        { "[Network a]\nBridge=br0\n",
        "[Network a] Bridge= is set, but Type= is not bridge; set Type=bridge, or remove Bridge=." },
        { "[Network a]\nType=bridge\nBridge=br0\nSSH=2222\n", "[Network a] SSH= goes with Type=nat and Type=host;" },
        { "[Network a]\nForward=2222:80\nSSH=2222\n", "[Network a] Port 2222 of the host is forwarded twice;" },
        { "[Network a]\nForward=8080:80\nForward=127.0.0.1:8080:81\n",
        "[Network a] Port 8080 of the host is forwarded twice;" },
        { "[Network a]\n[Network b]\nType=host\n", "[Network a] and [Network b] are both of Type=nat or Type=host;" },
        { "[Network a]\nMAC=52:54:00:00:00:aa\n[Network b]\nType=bridge\nBridge=br0\nMAC=52:54:00:00:00:AA\n",
                "[Network a] and [Network b] have the same MAC=52:54:00:00:00:aa; change one of them." },
        { "[Display]\nModel=qxl\nVNC=yes\n", "[Display] Model=qxl goes with SPICE=yes;" },
        { "[Network]\n", "[Network] needs a name" },
        { "[Network a]\nForward=80\n", "[Network a] Forward=80: expected [ADDRESS:]HOST:GUEST[/tcp|/udp]" },
        { "[Network a]\nBridge=averyveryverylongname\n",
        "[Network a] Bridge=averyveryverylongname: expected the name of a bridge" },
        { "[Network a]\nBridge=../x\n", "[Network a] Bridge=../x: expected the name of a bridge" },
        { "[Network a]\nMAC=01:00:5e:00:00:01\n",
        "[Network a] MAC=01:00:5e:00:00:01: expected an address of one card" },
        { "[Network a]\nSSH=65536\n", "[Network a] SSH=65536: expected a port of the host" },
        { "[Display]\nSPICE=80\n", "[Display] SPICE=80: expected yes, no, or a port from 1024 to 65535" },
        { "[Display]\nVNC=65536\n", "[Display] VNC=65536: expected yes, no, or a port from 1024 to 65535" },
        { "[Display]\nVNC=5900\nSPICE=5900\n", "[Display] SPICE= and VNC= have the same port; change one of them." },
        { "[Display]\nVNC=5900\n[Network a]\nForward=5900:5900\n",
        "[Display] and [Network a] have the same port, 5900; change" },
};

static int load(Fixture *f, const char *text) {
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/g.guest", text);
        return guest_load(f->root, "g", &g);
}

static void test_good(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (load(*state, good[i]) != 0)
                        fail_msg("is refused: %s", good[i]);
}

static void test_bad(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                fixture_capture(*state);
                if (load(*state, bad[i].text) != -E_CONFIG)
                        fail_msg("is taken: %s", bad[i].text);
                fixture_assert_logged(*state, bad[i].log);
        }
}

static void test_too_many(void **state) {
        _cleanup_(freep) char *networks = NULL, *forwards = NULL;

        for (int i = 0; i < 9; i++)
                assert_int_equal(list_append(&networks, "", "[Network n%d]\nType=none\n", i), 0);
        fixture_capture(*state);
        assert_int_equal(load(*state, networks), -E_CONFIG);
        fixture_assert_logged(*state, "[Network n8]: there can be 8 networks at most.");

        assert_int_equal(list_append(&forwards, "", "[Network a]\n"), 0);
        for (int i = 0; i < 65; i++)
                assert_int_equal(list_append(&forwards, "", "Forward=%d:80\n", 2000 + i), 0);
        fixture_capture(*state);
        assert_int_equal(load(*state, forwards), -E_CONFIG);
        fixture_assert_logged(*state, ":66: [Network a] Forward=2064:80: expected ");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_good),
                fixture_test(test_bad),
                fixture_test(test_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
