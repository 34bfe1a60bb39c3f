/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices that others have, or that are stuck. */

#include "claims.h"
#include "exit-status.h"
#include "fixture.h"

/* Asks for 0000:01:00.0 and .1, as guest “g”. */
static int check(Fixture *f) {
        GuestFunction items[2] = {
                { .pci = { .address = { .bus = 1 }, .name = "0000:01:00.0" } },
                { .pci = { .address = { .bus = 1, .function = 1 }, .name = "0000:01:00.1" } },
        };

        return claims_check(f->root, "g", &(GuestFunctions){ items, 2 });
}

static void assert_refused(Fixture *f, int error, const char *log) {
        int r;

        fixture_capture(f);
        r = check(f);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -error);
}

static void test_nobodys(void **state) {
        assert_int_equal(check(*state), 0);
        fixture_directory(*state, "run/vxm/bind");
        assert_int_equal(check(*state), 0);
        fixture_write(*state, "run/vxm/bind/other", "function 0000:02:00.0 - - 0 0\n");
        fixture_write(*state, "run/vxm/bind/g", "function 0000:01:00.0 - - 0 0\n");
        assert_int_equal(check(*state), 0);
}

static void test_other_guest(void **state) {
        fixture_write(*state, "run/vxm/bind/other", "function 0000:01:00.1 - - 0 0\n");
        assert_refused(*state, E_BUSY, "0000:01:00.1 belongs to guest other now; stop that first: systemctl stop vxm-guest@other;");
        fixture_write(*state, "run/vxm/bind/other", "function\n");
        assert_refused(*state, E_CONFIG, "Cannot read the undo record /run/vxm/bind/other: ");
}

/* The card is left alone as long as the process is there, whichever of its functions was written to. */
static void test_stuck(void **state) {
        Fixture *f = *state;

        fixture_write(f, "run/vxm/bind/g", "function 0000:01:00.3 - - 0 0\nstuck 0000:01:00.3 42 4711\n");
        assert_int_equal(check(f), 0);
        fixture_write(f, "proc/42/stat", "42 (vxm-bind) D 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1 2\n");
        assert_refused(f, E_BUSY, "0000:01:00.0 is left alone: a driver has not come back from an earlier write to its card.");
        fixture_write(f, "run/vxm/bind/g", "function 0000:03:00.3 - - 0 0\nstuck 0000:03:00.3 42 4711\n");
        assert_int_equal(check(f), 0);
        /* Nor is it touched for another guest than the one whose write it was. */
        fixture_write(f, "run/vxm/bind/other", "function 0000:01:00.3 - - 0 0\nstuck 0000:01:00.3 42 4711\n");
        assert_refused(f, E_BUSY, "0000:01:00.0 belongs to guest other now;");
        fixture_write(f, "run/vxm/bind/other", "function 0000:01:00.3 - - 0 0\nstuck 0000:01:00.3 42 4712\n");
        assert_int_equal(check(f), 0);
        /* It might tell of something that is stuck. */
        fixture_write(f, "run/vxm/bind/g", "damaged\n");
        assert_refused(f, E_CONFIG, "Cannot read the undo record /run/vxm/bind/g: Bad message; correct or remove it.");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_nobodys),
                fixture_test(test_other_guest),
                fixture_test(test_stuck),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
