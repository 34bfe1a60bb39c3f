/* SPDX-License-Identifier: BSD-3-Clause */
/* Units on the bus, against a manager of the test's own: a child at the other end of a socket pair that answers as
 * org.freedesktop.systemd1(5) says, from a table in shared memory. */

#include <signal.h>

#include "fake-bus.h"
#include "fixture.h"
#include "units-bus.h"

#define MINUTE (UINT64_C(60) * 1000000)

enum {
        FAKE_UNITS = 4,
};

typedef struct FakeUnit {
        char name[32], id[32];
        char load[16], active[16], job[16];
        char result[16]; /* of its stop job; "" never ends */
        bool gone;       /* StopUnit and StartUnit do not know it */
        bool comes_back; /* is active again right after it has stopped */
        bool conflicts;  /* StartUnit stands against another job */
        bool early;      /* the job ends before the answer that names it */
        int stopped, started;
} FakeUnit;

typedef struct Fake {
        FakeUnit units[FAKE_UNITS];
        char system_state[16];
        bool subscribed;
} Fake;

typedef struct Bench {
        Fixture *fixture;
        Fake *fake;
        UnitsBus bus;
        FakeBus peer;
} Bench;

/* ---- the manager ---- */

static FakeUnit *find_unit(Fake *fake, const char *name) {
        for (size_t i = 0; i < FAKE_UNITS; i++)
                if (streq(fake->units[i].name, name) || streq(fake->units[i].id, name))
                        return &fake->units[i];
        return NULL;
}

static int end_job(sd_bus *bus, Fake *fake, FakeUnit *u) {
        char path[64];

        (void) snprintf(path, sizeof path, "/org/freedesktop/systemd1/job/%zd", u - fake->units);
        strcpy(u->active, u->comes_back ? "active" : "inactive");
        strcpy(u->job, "");
        return sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
                "uoss", 1, path, u->id, u->result);
}

static int on_stop(sd_bus_message *m, Fake *fake, FakeUnit *u) {
        sd_bus *bus = sd_bus_message_get_bus(m);
        char path[64];
        int r;

        if (u->gone)
                return sd_bus_reply_method_errorf(
                        m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.", u->id);
        u->stopped++;
        (void) snprintf(path, sizeof path, "/org/freedesktop/systemd1/job/%zd", u - fake->units);
        if (u->early && *u->result)
                (void) end_job(bus, fake, u);
        r = sd_bus_reply_method_return(m, "o", path);
        return r >= 0 && !u->early && *u->result ? end_job(bus, fake, u) : r;
}

static int on_start(sd_bus_message *m, FakeUnit *u) {
        const char *mode;

        if (sd_bus_message_read(m, "s", &mode) < 0 || !streq(mode, "fail"))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "wrong mode");
        if (u->gone)
                return sd_bus_reply_method_errorf(
                        m, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", u->id);
        if (u->conflicts)
                return sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.TransactionIsDestructive", "Conflicts.");
        u->started++;
        return sd_bus_reply_method_return(m, "o", "/org/freedesktop/systemd1/job/99");
}

static int on_property(sd_bus_message *m, Fake *fake, const char *path) {
        const char *interface, *property, *number = strrchr(path, '/') + 1;
        FakeUnit *u = &fake->units[atoi(number)];

        if (sd_bus_message_read(m, "ss", &interface, &property) < 0)
                return -EINVAL;
        if (streq(property, "SystemState"))
                return sd_bus_reply_method_return(m, "v", "s", fake->system_state);
        if (streq(property, "JobType"))
                return *u->job ? sd_bus_reply_method_return(m, "v", "s", u->job)
                               : sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_OBJECT, "gone");
        if (streq(property, "Job")) {
                _cleanup_(freep) char *job = NULL;

                assert_int_equal(format(&job, "/org/freedesktop/systemd1/job/%s", number), 0);
                return sd_bus_reply_method_return(m, "v", "(uo)", *u->job ? 7 : 0, *u->job ? job : "/");
        }
        if (streq(property, "CanStart") || streq(property, "CanStop"))
                return sd_bus_reply_method_return(m, "v", "b", 1);
        return sd_bus_reply_method_return(m, "v", "s",
                streq(property, "Id")          ? u->id
                : streq(property, "LoadState") ? u->load
                                               : u->active);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *member = sd_bus_message_get_member(m), *path = sd_bus_message_get_path(m), *name;
        Fake *fake = userdata;
        FakeUnit *u;
        char unit_path[64];

        (void) error;
        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;
        if (streq(member, "Get"))
                return on_property(m, fake, path);
        if (streq(member, "Subscribe")) {
                fake->subscribed = true;
                return sd_bus_reply_method_return(m, "");
        }
        if (sd_bus_message_read(m, "s", &name) < 0 || !(u = find_unit(fake, name)))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "Unit name %s is not valid.", name);
        if (streq(member, "StopUnit"))
                return on_stop(m, fake, u);
        if (streq(member, "StartUnit"))
                return on_start(m, u);
        (void) snprintf(unit_path, sizeof unit_path, "/org/freedesktop/systemd1/unit/%zd", u - fake->units);
        return sd_bus_reply_method_return(m, "o", unit_path);
}

/* ---- the bench ---- */

static int setup(void **state) {
        Bench *b = calloc(1, sizeof *b);

        if (!b || fixture_setup((void **) &b->fixture) < 0 || fake_bus_make(&b->peer, sizeof *b->fake) < 0)
                return -1;
        b->fake = b->peer.memory;
        strcpy(b->fake->system_state, "running");
        *state = b;
        return fake_bus_start(&b->peer, on_call, &b->bus.bus);
}

static int teardown(void **state) {
        Bench *b = *state;
        int r;

        units_bus_done(&b->bus);
        fake_bus_done(&b->peer);
        r = fixture_teardown((void **) &b->fixture);
        free(b);
        return r;
}

#define bench_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* A unit that runs, and stops when asked. */
static FakeUnit *fake_unit(Bench *b, size_t i, const char *name) {
        FakeUnit *u = &b->fake->units[i];

        strcpy(u->name, name);
        strcpy(u->id, name);
        strcpy(u->load, "loaded");
        strcpy(u->active, "active");
        strcpy(u->result, "done");
        return u;
}

static int stop(Bench *b, const char *first, const char *second, uint64_t timeout) {
        _cleanup_(unit_names_done) UnitNames units = {};

        assert_int_equal(unit_names_add(&units, first), 0);
        if (second)
                assert_int_equal(unit_names_add(&units, second), 0);
        return units_bus_stop(&b->bus, &units, timeout);
}

static void test_look(void **state) {
        _cleanup_(unit_state_done) UnitState s = {};
        Bench *b = *state;

        strcpy(fake_unit(b, 0, "display-manager.service")->id, "gdm.service");
        assert_int_equal(units_bus_look(&b->bus, "display-manager.service", &s), 0);
        assert_string_equal(s.id, "gdm.service");
        assert_string_equal(s.load_state, "loaded");
        assert_int_equal(s.activity, UNIT_UP);
        assert_true(s.can_stop && s.can_start);
        assert_null(s.stop_job);
}

static void test_look_sees_jobs(void **state) {
        static const struct {
                const char *active, *job;
                UnitActivity activity;
                bool stopping;
        } rows[] = { { "inactive", "start", UNIT_UP, false }, { "active", "stop", UNIT_ENDING, true },
                { "inactive", "", UNIT_DOWN, false } };
        Bench *b = *state;
        FakeUnit *u = fake_unit(b, 1, "x.service");

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(unit_state_done) UnitState s = {};

                strcpy(u->active, rows[i].active);
                strcpy(u->job, rows[i].job);
                assert_int_equal(units_bus_look(&b->bus, "x.service", &s), 0);
                assert_int_equal(s.activity, rows[i].activity);
                assert_int_equal(s.stop_job != NULL, rows[i].stopping);
        }
}

static void test_look_refused(void **state) {
        _cleanup_(unit_state_done) UnitState s = {};
        Bench *b = *state;

        fixture_capture(b->fixture);
        assert_true(units_bus_look(&b->bus, "nobody.service", &s) < 0);
        fixture_assert_logged(
                b->fixture, "Cannot ask systemd about nobody.service: Unit name nobody.service is not valid.");
}

/* An Id that could not be noted, and read back, is none to work with. */
static void test_look_at_nonsense(void **state) {
        _cleanup_(unit_state_done) UnitState s = {};
        Bench *b = *state;

        strcpy(fake_unit(b, 0, "x.service")->id, "a b\n");
        assert_int_equal(units_bus_look(&b->bus, "x.service", &s), -EPROTO);
}

static void test_stop(void **state) {
        Bench *b = *state;
        FakeUnit *x = fake_unit(b, 0, "x.service"), *y = fake_unit(b, 1, "y.service");

        y->early = true;
        fixture_capture(b->fixture);
        assert_int_equal(stop(b, "x.service", "y.service", MINUTE), 0);
        fixture_assert_logged(b->fixture, "x.service is stopped for the guest.");
        assert_true(b->fake->subscribed);
        assert_int_equal(x->stopped, 1);
        assert_int_equal(y->stopped, 1);
}

static void test_stop_what_has_gone(void **state) {
        Bench *b = *state;
        FakeUnit *u = fake_unit(b, 0, "x.service");

        u->gone = true;
        strcpy(u->active, "inactive");
        assert_int_equal(stop(b, "x.service", NULL, MINUTE), 0);
}

/* One fails, and is named; the other has been asked to stop all the same. */
static void test_stop_fails(void **state) {
        Bench *b = *state;
        FakeUnit *y;

        strcpy(fake_unit(b, 0, "x.service")->result, "failed");
        y = fake_unit(b, 1, "y.service");
        fixture_capture(b->fixture);
        assert_int_equal(stop(b, "x.service", "y.service", MINUTE), -EIO);
        fixture_assert_logged(b->fixture, "x.service could not be stopped (failed); see `systemctl status x.service`.");
        assert_int_equal(y->stopped, 1);
}

static void test_stop_takes_too_long(void **state) {
        Bench *b = *state;

        (void) fake_unit(b, 0, "x.service");
        strcpy(fake_unit(b, 1, "y.service")->result, "");
        fixture_capture(b->fixture);
        assert_int_equal(stop(b, "x.service", "y.service", MINUTE / 1000), -EBUSY);
        fixture_assert_logged(
                b->fixture, "y.service has not stopped within 0.001 min; see `systemctl status y.service`.");
}

static void test_stop_and_it_comes_back(void **state) {
        Bench *b = *state;

        fake_unit(b, 0, "x.service")->comes_back = true;
        fixture_capture(b->fixture);
        assert_int_equal(stop(b, "x.service", NULL, MINUTE), -EBUSY);
        fixture_assert_logged(b->fixture, "x.service was stopped, and started again at once; name what does so in");
}

static void test_connection_lost(void **state) {
        Bench *b = *state;

        strcpy(fake_unit(b, 0, "x.service")->result, "");
        assert_int_equal(kill(b->peer.child, SIGSTOP), 0);
        assert_int_equal(kill(b->peer.child, SIGKILL), 0);
        assert_true(stop(b, "x.service", NULL, MINUTE) < 0);
}

/* A job of somebody else that stops a unit is waited for; how it ends does not matter. */
static void test_settle(void **state) {
        _cleanup_(unit_names_done) UnitNames units = {};
        Bench *b = *state;
        FakeUnit *u = fake_unit(b, 0, "x.service");

        (void) fake_unit(b, 1, "y.service");
        assert_int_equal(unit_names_add(&units, "x.service"), 0);
        assert_int_equal(unit_names_add(&units, "y.service"), 0);
        assert_int_equal(units_bus_settle(&b->bus, &units, MINUTE), 0);

        strcpy(u->job, "stop");
        assert_int_equal(units_bus_settle(&b->bus, &units, MINUTE / 1000), -EBUSY);
        assert_int_equal(u->stopped, 0);

        /* Another's StopUnit ends it while we wait. */
        strcpy(u->result, "canceled");
        assert_true(
                sd_bus_call_method_async(b->bus.bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                        "org.freedesktop.systemd1.Manager", "StopUnit", NULL, NULL, "ss", "x.service", "replace") >= 0);
        assert_int_equal(units_bus_settle(&b->bus, &units, MINUTE), 0);
}

static void test_start(void **state) {
        Bench *b = *state;
        FakeUnit *u = fake_unit(b, 0, "x.service");
        char *why = NULL;

        assert_int_equal(units_bus_start(&b->bus, "x.service", &why), 0);
        assert_null(why);
        assert_int_equal(u->started, 1);

        u->gone = true;
        assert_int_equal(units_bus_start(&b->bus, "x.service", &why), -ENOENT);
        assert_string_equal(why, "Unit x.service not found.");

        u->gone = false;
        u->conflicts = true;
        assert_true(units_bus_start(&b->bus, "x.service", &why) < 0);
        assert_int_not_equal(units_bus_start(&b->bus, "x.service", &why), -ENOENT);
        assert_string_equal(why, "Conflicts.");
        free(why);
}

static void test_host_ends(void **state) {
        Bench *b = *state;

        assert_int_equal(units_bus_host_ends(&b->bus), 0);
        strcpy(b->fake->system_state, "stopping");
        assert_int_equal(units_bus_host_ends(&b->bus), 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                bench_test(test_look),
                bench_test(test_look_sees_jobs),
                bench_test(test_look_refused),
                bench_test(test_look_at_nonsense),
                bench_test(test_stop),
                bench_test(test_stop_what_has_gone),
                bench_test(test_stop_fails),
                bench_test(test_stop_takes_too_long),
                bench_test(test_stop_and_it_comes_back),
                bench_test(test_connection_lost),
                bench_test(test_settle),
                bench_test(test_start),
                bench_test(test_host_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
