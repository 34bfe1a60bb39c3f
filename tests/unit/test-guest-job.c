/* SPDX-License-Identifier: BSD-3-Clause */
/* Jobs for a guest as they are followed on a bus, against a systemd of the test's own. */

#include <sys/mman.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest-job.h"
#include "private-bus.h"

#define GUEST "vxm-guest@g.service"
#define BIND "vxm-bind@g.service"

/* Runs a job on a bus of its own. Returns what it returns; *ret_output is what it prints, *ret_calls what systemd was
 * asked; both to be freed. What it logs is captured. */
static int run(Fixture *f, const FakePlay *plays, void (*prepare)(FakeSystemd *systemd), GuestJob job, char **ret_output, char **ret_calls) {
        int fd = memfd_create("output", MFD_CLOEXEC), saved = dup(STDOUT_FILENO), r;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        PrivateBus b = {};

        r = private_bus_start(&b, f->path, plays, prepare);
        if (r > 0)
                skip();
        assert_int_equal(r, 0);
        assert_int_equal(systemd_bus_open(&bus), 0);
        fflush(stdout);
        assert_true(dup2(fd, STDOUT_FILENO) >= 0);
        r = guest_job_run(bus, job, "g");
        fflush(stdout);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        close(saved);
        assert_true(lseek(fd, 0, SEEK_SET) == 0);
        assert_int_equal(read_full(fd, 65536, ret_output, NULL), 0);
        close(fd);
        *ret_calls = strdup(b.systemd->calls);
        private_bus_stop(&b);
        fixture_remove(f, "bus.conf");
        return r;
}

static void nothing(FakeSystemd *systemd) {
        (void) systemd;
}

static void running(FakeSystemd *systemd) {
        fake_unit(systemd, GUEST, "active", "running");
        fake_unit(systemd, BIND, "active", "exited");
        fake_unit(systemd, "vxm-guest@other.service", "active", "running");
}

static void test_start(void **state) {
        static const FakePlay plays[] = {
                { "StartUnit", BIND " activating start\nvxm-bind@other.service activating start\n" BIND " active exited\n" GUEST
                               " activating start\n" GUEST " active running\njob " GUEST " done\n" },
                {},
        };
        _cleanup_(freep) char *output = NULL, *calls = NULL;

        assert_int_equal(run(*state, plays, nothing, GUEST_START, &output, &calls), 0);
        /* Only what lasts, in the order in which it came, and nothing of another guest. */
        assert_non_null(strstr(output, " s  up        vxm-bind@g "));
        assert_non_null(strstr(strstr(output, "vxm-bind@g "), " s  up        vxm-guest@g "));
        assert_null(strstr(output, "other"));
        assert_null(strstr(output, "starting"));
        assert_null(strchr(output, '\033'));
        assert_non_null(strstr(output, "\nGuest g runs, after "));
        assert_string_equal(calls, "Subscribe LoadUnit GetAll ListUnitsByPatterns StartUnit ListUnitsByPatterns LoadUnit GetAll ");
}

static void test_start_again(void **state) {
        _cleanup_(freep) char *output = NULL, *calls = NULL;

        assert_int_equal(run(*state, NULL, running, GUEST_START, &output, &calls), 0);
        assert_string_equal(output, "Guest g runs already.\n");
        assert_null(strstr(calls, "StartUnit"));
}

static void failing(FakeSystemd *systemd) {
        systemd->exit_status = STATUS_BUSY;
}

/* A unit that others need fails: that one is named, its status becomes ours, and the way back is waited for. */
static void test_start_fails(void **state) {
        static const FakePlay plays[] = {
                { "StartUnit", "vxm-units@g.service active exited\n" BIND " activating start\n" BIND " failed failed\n"
                               "vxm-units@g.service deactivating stop\njob " GUEST " dependency\n" },
                { "ListUnitsByPatterns", "" },
                { "ListUnitsByPatterns", "vxm-units@g.service inactive dead\n" },
                {},
        };
        _cleanup_(freep) char *output = NULL, *calls = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(f, plays, failing, GUEST_START, &output, &calls), STATUS_BUSY);
        fixture_assert_logged(f, "Guest g has not started; vxm log g --catalog tells all.");
        assert_non_null(strstr(output, " s  failed    vxm-bind@g "));
        assert_non_null(strstr(output, " s  down      vxm-units@g "));
}

static void failing_before(FakeSystemd *systemd) {
        systemd->pre_exit_status = STATUS_CONFIG;
}

/* The same by what runs before a unit's own program, as that which judges. */
static void test_start_fails_early(void **state) {
        static const FakePlay plays[] = {
                { "StartUnit", "vxm-user@g.service activating start-pre\nvxm-user@g.service failed failed\njob " GUEST " dependency\n" }, {}
        };
        _cleanup_(freep) char *output = NULL, *calls = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(f, plays, failing_before, GUEST_START, &output, &calls), STATUS_CONFIG);
        fixture_assert_logged(f, "vxm-user@g has failed:");
}

static void needing_reload(FakeSystemd *systemd) {
        systemd->needs_reload = true;
}

static void not_generated(FakeSystemd *systemd) {
        systemd->not_generated = true;
}

static void test_reload(void **state) {
        _cleanup_(freep) char *output = NULL, *calls = NULL, *more = NULL, *others = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(f, NULL, needing_reload, GUEST_START, &output, &calls), -E_CONFIG);
        fixture_assert_logged(f, "The file of guest g has changed since systemd has read it; run systemctl daemon-reload, then vxm start g.");
        assert_null(strstr(calls, "StartUnit"));
        fixture_capture(f);
        assert_int_equal(run(f, NULL, not_generated, GUEST_RESTART, &more, &others), -E_CONFIG);
        fixture_assert_logged(f, "systemd has not read the file of guest g yet; run systemctl daemon-reload, then vxm restart g.");
        assert_null(strstr(others, "RestartUnit"));
}

static void test_rights(void **state) {
        static const FakePlay plays[] = { { "StartUnit", "refuse org.freedesktop.DBus.Error.AccessDenied Permission denied" }, {} };
        static const FakePlay interactive[] = {
                { "StartUnit", "refuse org.freedesktop.DBus.Error.InteractiveAuthorizationRequired Interactive authentication required." }, {}
        };
        _cleanup_(freep) char *output = NULL, *calls = NULL, *more = NULL, *others = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(f, plays, nothing, GUEST_START, &output, &calls), -EACCES);
        fixture_assert_logged(f, "You may not start guest g: be root, or in the group vxm");
        fixture_capture(f);
        assert_int_equal(run(f, interactive, nothing, GUEST_START, &more, &others), -EACCES);
        fixture_assert_logged(f, "You may not start guest g: be root, or in the group vxm");
}

static void unconditional(FakeSystemd *systemd) {
        systemd->condition_fails = true;
}

static void test_passed_over(void **state) {
        static const FakePlay plays[] = { { "StartUnit", "job " GUEST " done\n" }, {} };
        _cleanup_(freep) char *output = NULL, *calls = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(f, plays, unconditional, GUEST_START, &output, &calls), -E_LACKS);
        fixture_assert_logged(f, "Guest g was passed over: the host has been booted with vxm=off.");
}

/* Off it is when what was prepared for it is undone. */
static void test_stop(void **state) {
        static const FakePlay plays[] = {
                { "StopUnit", GUEST " deactivating stop-sigterm\n" GUEST " inactive dead\n" BIND " deactivating stop\njob " GUEST " done\n" },
                { "ListUnitsByPatterns", "" },
                { "ListUnitsByPatterns", BIND " inactive dead\n" },
                {},
        };
        _cleanup_(freep) char *output = NULL, *calls = NULL;

        assert_int_equal(run(*state, plays, running, GUEST_STOP, &output, &calls), 0);
        assert_non_null(strstr(output, " s  down      vxm-guest@g "));
        assert_non_null(strstr(strstr(output, "vxm-guest@g"), " s  down      vxm-bind@g "));
        assert_non_null(strstr(output, "\nGuest g is off, after "));
}

static void test_stop_again(void **state) {
        _cleanup_(freep) char *output = NULL, *calls = NULL;

        assert_int_equal(run(*state, NULL, nothing, GUEST_STOP, &output, &calls), 0);
        assert_string_equal(output, "Guest g is off already.\n");
}

/* A guest that had to be switched off, and one whose devices do not go back. */
static void test_stop_fails(void **state) {
        static const FakePlay forced[] = {
                { "StopUnit", GUEST " deactivating stop-sigterm\n" GUEST " failed failed\n" BIND " inactive dead\njob " GUEST " done\n" }, {}
        };
        static const FakePlay stuck[] = {
                { "StopUnit", GUEST " inactive dead\n" BIND " deactivating stop\njob " GUEST " done\n" },
                { "ListUnitsByPatterns", "" },
                { "ListUnitsByPatterns", BIND " failed failed\n" },
                {},
        };
        _cleanup_(freep) char *output = NULL, *calls = NULL, *more = NULL, *others = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(run(f, forced, running, GUEST_STOP, &output, &calls), STATUS_FAILED);
        fixture_assert_logged(f, "Guest g is off, but not as it should; vxm log g --catalog tells all.");
        assert_non_null(strstr(output, " s  failed    vxm-guest@g "));
        fixture_capture(f);
        assert_int_equal(run(f, stuck, running, GUEST_STOP, &more, &others), STATUS_FAILED);
        fixture_assert_logged(f, "Guest g is off, but not as it should");
        assert_non_null(strstr(more, " s  failed    vxm-bind@g "));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_start),
                fixture_test(test_start_again),
                fixture_test(test_start_fails),
                fixture_test(test_start_fails_early),
                fixture_test(test_reload),
                fixture_test(test_rights),
                fixture_test(test_passed_over),
                fixture_test(test_stop),
                fixture_test(test_stop_again),
                fixture_test(test_stop_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
