/* SPDX-License-Identifier: BSD-3-Clause */
/* NETJACK: what a guest file may say of it, what of the host it needs, which program it becomes and what that is told. */

#include "exit-status.h"
#include "fixture.h"
#include "netjack.h"
#include "root.h"

#define NETWORK "[Network lan]\nType=bridge\nBridge=br0\n"
#define PLAIN NETWORK "[NetJack]\nEnable=yes\n"

enum { UID = 1000 };

static int load(Fixture *f, const char *text, Guest **ret) {
        fixture_write(f, "etc/vxm/guests/g.guest", text);
        return guest_load(f->root, "g", ret);
}

static void test_values(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL, *all = NULL, *none = NULL;

        assert_int_equal(load(*state, PLAIN, &g), 0);
        assert_int_equal(g->netjack.port, 19000);
        assert_string_equal(g->netjack.address, "225.3.19.154");
        assert_true(netjack_is_group(g));
        assert_int_equal(g->netjack.frames, 256);
        assert_int_equal(g->netjack.rate, 48000);
        assert_int_equal(g->netjack.channels.in, 2);
        assert_int_equal(g->netjack.channels.out, 2);
        assert_string_equal(netjack_bridge(g), "br0");

        assert_int_equal(load(*state, PLAIN "Server=jack\nPort=1024\nAddress=10.0.7.1\nFrames=16\nRate=192000\nChannels=0  64\n", &all), 0);
        assert_int_equal(all->netjack.port, 1024);
        assert_false(netjack_is_group(all));
        assert_int_equal(all->netjack.frames, 16);
        assert_int_equal(all->netjack.rate, 192000);
        assert_int_equal(all->netjack.channels.in, 0);
        assert_int_equal(all->netjack.channels.out, 64);

        /* What is not switched on needs nothing. */
        assert_int_equal(load(*state, "[NetJack]\nServer=pipewire\nChannels=1 2\n", &none), 0);
        assert_int_equal(netjack_check(((Fixture *) *state)->root, none), 0);
}

static void test_bad(void **state) {
        static const struct {
                const char *text, *log;
        } rows[] = {
                { "[NetJack]\nEnable=yes\n", "[NetJack] Enable=yes is set, but no network of Type=bridge" },
                { "[Network a]\nType=host\n[NetJack]\nEnable=yes\n", "[NetJack] Enable=yes is set, but no network of Type=bridge" },
                { PLAIN "Server=pipewire\nChannels=2 4\n", "[NetJack] Channels=2 4: PipeWire has as many in as out;" },
                { PLAIN "Server=alsa\n", "[NetJack] Server=alsa: expected auto, pipewire or jack." },
                { PLAIN "Port=1023\n", "[NetJack] Port=1023: expected a port from 1024 to 65535" },
                { PLAIN "Address=::1\n", "[NetJack] Address=::1: expected an IPv4 address" },
                { PLAIN "Frames=100\n", "[NetJack] Frames=100: expected a power of two from 16 to 8192" },
                { PLAIN "Frames=8\n", "[NetJack] Frames=8: expected a power of two" },
                { PLAIN "Frames=16384\n", "[NetJack] Frames=16384: expected a power of two" },
                { PLAIN "Rate=7999\n", "[NetJack] Rate=7999: expected frames a second from 8000 to 192000" },
                { PLAIN "Rate=192001\n", "[NetJack] Rate=192001: expected frames a second" },
                { PLAIN "Channels=65\n", "[NetJack] Channels=65: expected channels in each direction" },
                { PLAIN "Channels=2 65\n", "[NetJack] Channels=2 65: expected channels" },
                { PLAIN "Channels=0\n", "[NetJack] Channels=0: expected channels" },
                { PLAIN "Channels=2 2 2\n", "[NetJack] Channels=2 2 2: expected channels" },
                { PLAIN "Channels=200000000 2\n", "[NetJack] Channels=200000000 2: expected channels" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                fixture_capture(*state);
                if (load(*state, rows[i].text, &g) != -E_CONFIG)
                        fail_msg("is taken: %s", rows[i].text);
                fixture_assert_logged(*state, rows[i].log);
        }
}

static void check(Fixture *f, int result, const char *log) {
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        assert_int_equal(load(f, PLAIN, &g), 0);
        fixture_capture(f);
        r = netjack_check(f->root, g);
        fixture_assert_logged(f, log);
        assert_int_equal(r, result);
}

static void test_host(void **state) {
        Fixture *f = *state;

        check(f, -E_LACKS, "[NetJack] Enable=yes, but /usr/bin/jackd is missing; install JACK");
        fixture_write(f, "usr/bin/jackd", "");
        check(f, -E_LACKS, "[NetJack] The bridge br0 has no IPv4 address");
        fixture_write(f, "proc/net/route",
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
                "br01\t0007000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
        check(f, -E_LACKS, "[NetJack] The bridge br0 has no IPv4 address");
        fixture_write(f, "proc/net/route",
                "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
                "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                "br0\t0007000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
        check(f, 0, "");
        fixture_write(f, "proc/net/udp",
                "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
                "  100: 00000000:4A38 00000000:0000 07 00000000:00000000 00:00000000 00000000 4242        0 77 2 0000000000000000 0\n");
        fixture_write(f, "proc/812/comm", "jackd\n");
        fixture_link(f, "proc/812/fd/6", "socket:[77]");
        check(f, -E_BUSY, "[NetJack] Port=19000: jackd (pid 812) has that port; choose another one");
}

/* What is there, and what comes of it. */
static void find(Fixture *f, const char *more, uid_t uid, int result, NetJackServer wanted) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        NetJackServer server;

        assert_int_equal(format(&text, PLAIN "%s", more), 0);
        assert_int_equal(load(f, text, &g), 0);
        assert_int_equal(netjack_find_server(f->root, g, uid, &server), result);
        if (result == 0)
                assert_int_equal(server, wanted);
}

static void test_server(void **state) {
        Fixture *f = *state;

        find(f, "", UID, -E_LACKS, 0);
        fixture_write(f, "usr/bin/pipewire", "");
        find(f, "", UID, -E_LACKS, 0);
        fixture_write(f, "usr/lib64/pipewire-0.3/libpipewire-module-netjack2-manager.so", "");
        find(f, "Server=pipewire\n", UID, -E_LACKS, 0);
        fixture_write(f, "run/user/1000/pipewire-0", "");
        find(f, "", UID, 0, NETJACK_PIPEWIRE);
        find(f, "Server=pipewire\n", UID, 0, NETJACK_PIPEWIRE);
        find(f, "Server=jack\n", UID, -E_LACKS, 0);
        find(f, "Server=pipewire\n", UID + 1, -E_LACKS, 0);
        find(f, "Server=pipewire\n", (uid_t) -1, -E_LACKS, 0);
        fixture_write(f, "usr/bin/jackd", "");
        find(f, "", UID, 0, NETJACK_PIPEWIRE);
        find(f, "", UID + 1, 0, NETJACK_JACK);
        fixture_remove(f, "usr/lib64/pipewire-0.3/libpipewire-module-netjack2-manager.so");
        find(f, "", UID, 0, NETJACK_JACK);
        find(f, "Server=pipewire\n", UID, -E_LACKS, 0);
        fixture_write(f, "usr/lib/pipewire-0.3/libpipewire-module-netjack2-manager.so", "");
        find(f, "Channels=2 4\n", UID, 0, NETJACK_JACK);
        find(f, "Server=jack\n", UID, 0, NETJACK_JACK);
        fixture_remove(f, "usr/bin/pipewire");
        find(f, "", UID, 0, NETJACK_JACK);
}

static char *file_of(const Guest *g, NetJackServer server) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        netjack_print_file(f, g, server);
        fclose(f);
        return text;
}

static void test_told(void **state) {
        _cleanup_(freep) char *jack = NULL, *pipewire = NULL, *mono = NULL, *seen = NULL;
        _cleanup_(guest_freep) Guest *g = NULL, *one = NULL;
        _cleanup_(argv_done) Argv argv = {}, other = {};

        assert_int_equal(load(*state, PLAIN "Frames=128\nRate=96000\nChannels=3 4\n", &g), 0);
        jack = file_of(g, NETJACK_JACK);
        assert_string_equal(jack, "load netmanager netmanager -a 225.3.19.154 -p 19000\n");
        assert_int_equal(netjack_build(g, NETJACK_JACK, "/run/x", &argv), 0);
        for (size_t i = 0; i < argv.n; i++)
                assert_int_equal(list_append(&seen, " ", "%s", argv.items[i]), 0);
        assert_string_equal(seen, "/usr/bin/jackd --name vxm-g --realtime-priority 70 --port-max 256 --internal-session-file /run/x "
                                  "-d dummy --rate 96000 --period 128 --capture 3 --playback 4");

        pipewire = file_of(g, NETJACK_PIPEWIRE);
        assert_non_null(strstr(pipewire, "local.ifname = \"br0\" net.ip = \"127.0.0.1\" net.port = 19000\n"));
        assert_non_null(strstr(pipewire, "netjack2.sample-rate = 96000 netjack2.period-size = 128\n"));
        assert_non_null(strstr(pipewire, "sink.props = { node.name = \"vxm-g-send\" midi.ports = 0 audio.channels = 3 audio.ports = 3 "
                                         "audio.position = [ AUX0 AUX1 AUX2 ] }\n"));
        assert_int_equal(load(*state, PLAIN "Channels=1 2\n", &one), 0);
        mono = file_of(one, NETJACK_PIPEWIRE);
        assert_non_null(strstr(mono, "audio.channels = 1 audio.ports = 1 audio.position = [ MONO ]"));
        assert_non_null(strstr(mono, "audio.channels = 2 audio.ports = 2 audio.position = [ FL FR ]"));
        assert_int_equal(netjack_build(one, NETJACK_PIPEWIRE, "/run/x", &other), 0);
        assert_string_equal(other.items[0], "/usr/bin/pipewire");
        assert_string_equal(other.items[2], "/run/x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_values),
                fixture_test(test_bad),
                fixture_test(test_host),
                fixture_test(test_server),
                fixture_test(test_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
