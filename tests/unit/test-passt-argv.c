/* SPDX-License-Identifier: BSD-3-Clause */
/* passt's command line, and the name servers that a guest is told. */

#include "fixture.h"
#include "passt-argv.h"
#include "root.h"

static void assert_argv(const GuestNetwork *n, char *const servers[], size_t n_servers, const char *wanted) {
        _cleanup_(argv_done) Argv argv = {};
        _cleanup_(freep) char *seen = NULL;

        assert_int_equal(passt_argv_build(n, servers, n_servers, 7, &argv), 0);
        assert_string_equal(argv.items[0], PASST_PATH);
        assert_null(argv.items[argv.n]);
        for (size_t i = 1; i < argv.n; i++)
                assert_int_equal(list_append(&seen, " ", "%s", argv.items[i]), 0);
        assert_string_equal(seen, wanted);
}

static void test_argv(void **state) {
        Forward forwards[3];
        GuestNetwork n = { .name = (char *) "out", .type = NETWORK_NAT };
        char *servers[] = { (char *) "192.0.2.53", (char *) "2001:db8::53" };

        (void) state;
        assert_int_equal(forward_parse("8080:80", &forwards[0]), 0);
        assert_int_equal(forward_parse("[::1]:5353:53/udp", &forwards[1]), 0);
        assert_int_equal(forward_parse("192.0.2.1:443:443", &forwards[2]), 0);
        assert_argv(&n, NULL, 0, "--quiet --fd 7 --no-map-gw --tcp-ports none --udp-ports none");

        n.forwards = forwards;
        n.n_forwards = 3;
        n.ssh = 2222;
        assert_argv(&n, servers, 2,
                "--quiet --fd 7 --no-map-gw --dns 192.0.2.53 --dns 2001:db8::53 --tcp-ports 127.0.0.1/8080:80 "
                "--tcp-ports 192.0.2.1/443:443 --tcp-ports 127.0.0.1/2222:22 --udp-ports ::1/5353:53");
        n.type = NETWORK_HOST;
        assert_argv(&n, NULL, 0,
                "--quiet --fd 7 --tcp-ports 8080:80 --tcp-ports 192.0.2.1/443:443 --tcp-ports 2222:22 --udp-ports "
                "::1/5353:53");
}

static void test_parse(void **state) {
        static const struct {
                const char *text, *wanted;
        } rows[] = {
                { "nameserver 192.0.2.53\nsearch example.org\nnameserver\t2001:db8::53 \n", "192.0.2.53 2001:db8::53" },
                { "nameserver 127.0.0.53\nnameserver ::1\nnameserver 127.8.8.8\n", "" },
                { "# nameserver 192.0.2.1\nnameservers 192.0.2.1\n nameserver 192.0.2.1\nnameserver x\nnameserver\n",
                "" },
                { "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
                        "192.0.2.1 192.0.2.2 192.0.2.3" },
                { "nameserver fe80::1%eth0\nnameserver 192.0.2.1 # home\n", "192.0.2.1" },
                { "", "" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *seen = strdup("");
                char **servers = NULL;
                size_t n = 0;

                assert_int_equal(name_servers_parse(rows[i].text, &servers, &n), 0);
                for (size_t k = 0; k < n; k++)
                        assert_int_equal(list_append(&seen, k > 0 ? " " : "", "%s", servers[k]), 0);
                assert_string_equal(seen, rows[i].wanted);
                strings_free(servers, n);
        }
}

static void test_find(void **state) {
        Fixture *f = *state;
        char **servers = NULL;
        size_t n = 0;

        assert_int_equal(name_servers_find(f->root, &servers, &n), 0);
        fixture_write(f, "run/systemd/resolve/resolv.conf", "nameserver 192.0.2.53\n");
        fixture_write(f, "etc/resolv.conf", "nameserver 192.0.2.1\nnameserver 127.0.0.53\n");
        assert_int_equal(name_servers_find(f->root, &servers, &n), 0);
        assert_int_equal(n, 0); /* passt reads that one itself */
        fixture_write(f, "etc/resolv.conf", "nameserver 127.0.0.53\n");
        assert_int_equal(name_servers_find(f->root, &servers, &n), 0);
        assert_int_equal(n, 1);
        assert_string_equal(servers[0], "192.0.2.53");
        servers = strings_free(servers, n);
        n = 0;
        fixture_write(f, "run/systemd/resolve/resolv.conf", "nameserver ::1\n");
        assert_int_equal(name_servers_find(f->root, &servers, &n), 1);
        fixture_remove(f, "run/systemd/resolve/resolv.conf");
        assert_int_equal(name_servers_find(f->root, &servers, &n), 1);
        assert_int_equal(n, 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_argv),
                cmocka_unit_test(test_parse),
                fixture_test(test_find),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
