/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarded ports: all ways to write one, and which two stand in each other's way. */

#include "fixture.h"
#include "forward.h"

static void test_good(void **state) {
        static const struct {
                const char *text, *address;
                bool udp;
                unsigned host, guest;
        } rows[] = {
                { "8080:80", "", false, 8080, 80 },
                { "8080:80/tcp", "", false, 8080, 80 },
                { "5353:53/udp", "", true, 5353, 53 },
                { "192.168.1.5:2222:22", "192.168.1.5", false, 2222, 22 },
                { "0.0.0.0:1:65535/udp", "0.0.0.0", true, 1, 65535 },
                { "[::1]:8080:80", "::1", false, 8080, 80 },
                { "[2001:DB8:0:0::1]:8080:80", "2001:db8::1", false, 8080, 80 },
                { "[::]:8080:80/udp", "::", true, 8080, 80 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Forward f;

                if (forward_parse(rows[i].text, &f) != 0)
                        fail_msg("%s is refused", rows[i].text);
                assert_string_equal(f.address, rows[i].address);
                assert_int_equal(f.udp, rows[i].udp);
                assert_int_equal(f.host, rows[i].host);
                assert_int_equal(f.guest, rows[i].guest);
        }
}

static void test_bad(void **state) {
        static const char *const rows[] = { "", ":", "80", "80:", ":80", ":80:80", "::80:80", "80:80/", "80:80/sctp",
                "80:80/udp/", "80/udp:80", "a:80", "80:b", "80 :80", " 80:80", "0x50:80", "-1:80", "+80:80",
                "127.0.0.1:80", "127.0.1:80:80", "localhost:80:80", "::1:80:80", "[::1]80:80", "[::1:80:80", "[]:80:80",
                "[127.0.0.1]:80:80", "[::1%lo]:80:80", "1.2.3.4:5:80:80", "80:80:", "80-90:80-90" };
        static const char *const ranges[] = { "0:80", "80:0", "65536:80", "80:65536", "80:99999999999999999999" };
        char too_long[128];
        Forward f;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (forward_parse(rows[i], &f) != -EINVAL)
                        fail_msg("“%s” is taken", rows[i]);
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                if (forward_parse(ranges[i], &f) != -ERANGE)
                        fail_msg("“%s” is in range", ranges[i]);
        memset(too_long, '0', sizeof too_long - 1);
        strcpy(too_long + sizeof too_long - 6, "80:80");
        assert_int_equal(forward_parse(too_long, &f), -EINVAL);
}

static void test_collide(void **state) {
        static const struct {
                const char *a, *b;
                bool collide;
        } rows[] = {
                { "8080:80", "8080:81", true },
                { "8080:80", "8081:80", false },
                { "8080:80", "8080:80/udp", false },
                { "8080:80", "127.0.0.1:8080:80", true },
                { "127.0.0.1:8080:80", "127.0.0.2:8080:80", false },
                { "0.0.0.0:8080:80", "127.0.0.2:8080:80", true },
                { "[::]:8080:80", "127.0.0.2:8080:80", true },
                { "[::1]:8080:80", "127.0.0.1:8080:80", false },
                { "[0:0::1]:8080:80", "[::1]:8080:80", true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Forward a, b;

                assert_int_equal(forward_parse(rows[i].a, &a), 0);
                assert_int_equal(forward_parse(rows[i].b, &b), 0);
                if (forwards_collide(&a, &b) != rows[i].collide || forwards_collide(&b, &a) != rows[i].collide)
                        fail_msg("%s and %s", rows[i].a, rows[i].b);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_collide),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
