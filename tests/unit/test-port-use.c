/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's tables of sockets: who stands in the way of a port, and who does not. */

#include "fixture.h"
#include "port-use.h"

#define HEADING "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
/* The texts are those of a little-endian machine. */
#define LINE(address, state, uid, inode)                                                                               \
        "   0: " address " 00000000:0000 " state " 00000000:00000000 00:00000000 00000000  " uid "        0 " inode        \
        " 1 0000000000000000 100 0 0 10 0\n"
#define LINE6(address, state, uid, inode)                                                                              \
        "   0: " address " 00000000000000000000000000000000:0000 " state " 00000000:00000000 00:00000000 00000000  " uid     \
        "        0 " inode " 1 0000000000000000 100 0 0 10 0\n"
#define LOOPBACK "0100007F:1F90"
#define ANY "00000000:1F90"
#define OTHER "0501A8C0:1F90" /* 192.168.1.5 */
#define LOOPBACK6 "00000000000000000000000001000000:1F90"
#define ANY6 "00000000000000000000000000000000:1F90"
#define MAPPED6 "0000000000000000FFFF00000100007F:1F90"

static const uid_t nobody = (uid_t) -1;

static int look(const char *text, bool ipv6, const char *forward, PortUse *use) {
        Forward f;

        assert_int_equal(forward_parse(forward, &f), 0);
        return port_use_parse(text, ipv6, &f, nobody, use);
}

static void test_overlap(void **state) {
        static const struct {
                const char *text;
                bool ipv6;
                const char *forward;
                int found;
        } rows[] = {
                { HEADING LINE(LOOPBACK, "0A", "1000", "77"), false, "127.0.0.1:8080:80", 1 },
                { HEADING LINE(LOOPBACK, "0A", "1000", "77"), false, "127.0.0.1:8081:80", 0 },
                { HEADING LINE(LOOPBACK, "0A", "1000", "77"), false, "127.0.0.2:8080:80", 0 },
                { HEADING LINE(LOOPBACK, "0A", "1000", "77"), false, "0.0.0.0:8080:80", 1 },
                { HEADING LINE(LOOPBACK, "0A", "1000", "77"), false, "8080:80", 1 },
                { HEADING LINE(LOOPBACK, "0A", "1000", "77"), false, "[::1]:8080:80", 0 },
                { HEADING LINE(ANY, "0A", "1000", "77"), false, "127.0.0.1:8080:80", 1 },
                { HEADING LINE(ANY, "0A", "1000", "77"), false, "[::1]:8080:80", 0 },
                { HEADING LINE(OTHER, "0A", "1000", "77"), false, "127.0.0.1:8080:80", 0 },
                { HEADING LINE(OTHER, "0A", "1000", "77"), false, "192.168.1.5:8080:80", 1 },
                { HEADING LINE(LOOPBACK, "01", "1000", "77"), false, "127.0.0.1:8080:80", 0 }, /* a connection */
                { HEADING LINE(LOOPBACK, "06", "0", "0"), false, "127.0.0.1:8080:80", 0 },     /* one that has ended */
                { HEADING LINE(LOOPBACK, "07", "1000", "77"), false, "127.0.0.1:8080:80/udp", 1 },
                { HEADING LINE6(LOOPBACK6, "0A", "1000", "77"), true, "[::1]:8080:80", 1 },
                { HEADING LINE6(LOOPBACK6, "0A", "1000", "77"), true, "127.0.0.1:8080:80", 0 },
                { HEADING LINE6(LOOPBACK6, "0A", "1000", "77"), true, "[::]:8080:80", 1 },
                { HEADING LINE6(ANY6, "0A", "1000", "77"), true, "127.0.0.1:8080:80", 1 },
                { HEADING LINE6(ANY6, "0A", "1000", "77"), true, "[::1]:8080:80", 1 },
                { HEADING LINE6(MAPPED6, "0A", "1000", "77"), true, "127.0.0.1:8080:80", 1 },
                { HEADING LINE6(MAPPED6, "0A", "1000", "77"), true, "127.0.0.2:8080:80", 0 },
                { HEADING LINE6(MAPPED6, "0A", "1000", "77"), true, "0.0.0.0:8080:80", 1 },
                { HEADING, false, "8080:80", 0 },
                { "", false, "8080:80", 0 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PortUse use = {};

                if (look(rows[i].text, rows[i].ipv6, rows[i].forward, &use) != rows[i].found)
                        fail_msg("row %zu: %s", i, rows[i].forward);
                assert_int_equal(use.inode, rows[i].found ? 77 : 0);
                assert_int_equal(use.uid, rows[i].found ? 1000 : 0);
        }
}

static void test_own_does_not_count(void **state) {
        Forward f = { .host = 8080 };
        PortUse use;

        (void) state;
        assert_int_equal(port_use_parse(HEADING LINE(ANY, "0A", "990", "77") LINE(ANY, "0A", "991", "78"), false, &f, 990, &use), 1);
        assert_int_equal(use.inode, 78);
        assert_int_equal(port_use_parse(HEADING LINE(ANY, "0A", "990", "77"), false, &f, 990, &use), 0);
}

static void test_damaged(void **state) {
        static const char *const rows[] = { HEADING "x\n", HEADING "  0: 0100007F:1F90\n", HEADING LINE("01:1F90", "0A", "0", "1"),
                HEADING LINE(LOOPBACK6, "0A", "0", "1"), HEADING LINE(ANY, "0A", "0", "x") };
        PortUse use;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (look(rows[i], false, "8080:80", &use) != -EINVAL)
                        fail_msg("row %zu is taken", i);
}

static void test_find(void **state) {
        _cleanup_(freep) char *seen = NULL;
        Fixture *f = *state;
        Forward forward = { .host = 8080 };
        PortUse use;

        assert_int_equal(port_use_find(f->root, &forward, nobody, &use), 0);
        fixture_write(f, "proc/net/tcp", HEADING);
        fixture_write(f, "proc/net/tcp6", HEADING LINE6(ANY6, "0A", "1000", "77"));
        assert_int_equal(port_use_find(f->root, &forward, nobody, &use), 1);
        assert_int_equal(port_use_describe(f->root, &use, &seen), 0);
        assert_string_equal(seen, "a process of user 1000");
        free(TAKE_PTR(seen));

        fixture_write(f, "proc/812/comm", "nginx\n");
        fixture_link(f, "proc/812/fd/3", "socket:[770]");
        fixture_link(f, "proc/812/fd/4", "socket:[77]");
        assert_int_equal(port_use_describe(f->root, &use, &seen), 0);
        assert_string_equal(seen, "nginx (pid 812)");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_overlap),
                cmocka_unit_test(test_own_does_not_count),
                cmocka_unit_test(test_damaged),
                fixture_test(test_find),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
