/* SPDX-License-Identifier: BSD-3-Clause */
/* AllowedCPUs= on the bus, against a manager of the test's own: a child at the other end of a socket pair that answers
 * as org.freedesktop.systemd1(5) says, from a table in shared memory. */

#include "cpus-bus.h"
#include "fake-bus.h"
#include "fixture.h"

typedef struct FakeUnit {
        const char *name, *interface;
        uint8_t allowed[CPU_SET_MAX / 8];
        size_t n;
        int sets; /* how often it was set */
        bool refuses;
} FakeUnit;

typedef struct Fake {
        FakeUnit units[3];
} Fake;

typedef struct Bench {
        Fixture *fixture;
        Fake *fake;
        sd_bus *bus;
        FakeBus peer;
} Bench;

/* ---- the manager ---- */

static int on_set(sd_bus_message *m, FakeUnit *u) {
        const char *property;
        const void *bytes;
        int runtime;
        size_t n;

        if (sd_bus_message_read(m, "b", &runtime) < 0 || !runtime ||
                sd_bus_message_enter_container(m, 'a', "(sv)") <= 0 ||
                sd_bus_message_enter_container(m, 'r', "sv") <= 0 || sd_bus_message_read(m, "s", &property) < 0 ||
                !streq(property, "AllowedCPUs") || sd_bus_message_enter_container(m, 'v', "ay") <= 0 ||
                sd_bus_message_read_array(m, 'y', &bytes, &n) < 0 || n > sizeof u->allowed)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "not as it has to be");
        if (u->refuses)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "Not today.");
        memset(u->allowed, 0, sizeof u->allowed);
        if (n > 0)
                memcpy(u->allowed, bytes, n);
        u->n = n;
        u->sets++;
        return sd_bus_reply_method_return(m, "");
}

static int on_get(sd_bus_message *m, const FakeUnit *u) {
        _cleanup_(freep) char *wanted = NULL;
        const char *interface, *property;
        sd_bus_message *reply = NULL;
        int r;

        assert_int_equal(format(&wanted, "org.freedesktop.systemd1.%s", u->interface), 0);
        if (sd_bus_message_read(m, "ss", &interface, &property) < 0 || !streq(interface, wanted))
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_INTERFACE, "another interface");
        r = sd_bus_message_new_method_return(m, &reply);
        r = r < 0 ? r : sd_bus_message_open_container(reply, 'v', "ay");
        /* Effective is all there is in the kernel: a byte of CPUs, more than the unit says. */
        r = r < 0 ? r
                  : sd_bus_message_append_array(reply, 'y',
                            streq(property, "EffectiveCPUs") ? "\xff" : (const char *) u->allowed,
                            streq(property, "EffectiveCPUs") ? 1 : u->n);
        r = r < 0 ? r : sd_bus_message_close_container(reply);
        r = r < 0 ? r : sd_bus_send(sd_bus_message_get_bus(m), reply, NULL);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *member = sd_bus_message_get_member(m), *name;
        Fake *fake = userdata;
        char path[64];

        (void) error;
        if (!sd_bus_message_is_method_call(m, NULL, NULL))
                return 0;
        if (streq(member, "Get"))
                return on_get(m, &fake->units[atoi(strrchr(sd_bus_message_get_path(m), '/') + 1)]);
        if (sd_bus_message_read(m, "s", &name) < 0)
                return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "no name");
        for (size_t i = 0; i < ELEMENTSOF(fake->units); i++) {
                if (!streq(fake->units[i].name, name))
                        continue;
                if (streq(member, "SetUnitProperties"))
                        return on_set(m, &fake->units[i]);
                (void) snprintf(path, sizeof path, "/org/freedesktop/systemd1/unit/%zu", i);
                return sd_bus_reply_method_return(m, "o", path);
        }
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_INVALID_ARGS, "Unit name %s is not valid.", name);
}

/* ---- the bench ---- */

static int setup(void **state) {
        Bench *b = calloc(1, sizeof *b);

        if (!b || fixture_setup((void **) &b->fixture) < 0 || fake_bus_make(&b->peer, sizeof *b->fake) < 0)
                return -1;
        b->fake = b->peer.memory;
        b->fake->units[0] = (FakeUnit){ .name = "init.scope", .interface = "Scope" };
        b->fake->units[1] = (FakeUnit){ .name = "user.slice", .interface = "Slice", .allowed = { 0x0f }, .n = 1 };
        b->fake->units[2] = (FakeUnit){ .name = "vxm-guest@a.service", .interface = "Service" };
        *state = b;
        return fake_bus_start(&b->peer, on_call, &b->bus);
}

static int teardown(void **state) {
        Bench *b = *state;
        int r;

        cpus_bus_closep(&b->bus);
        fake_bus_done(&b->peer);
        r = fixture_teardown((void **) &b->fixture);
        free(b);
        return r;
}

static void test_read(void **state) {
        char text[CPU_SET_TEXT_MAX];
        Bench *b = *state;
        CpuSet set;

        assert_int_equal(cpus_bus_allowed(b->bus, "init.scope", &set), 0);
        assert_true(cpu_set_is_empty(&set));
        assert_int_equal(cpus_bus_allowed(b->bus, "user.slice", &set), 0);
        assert_string_equal(cpu_set_print(&set, text), "0-3");
        assert_int_equal(cpus_bus_effective(b->bus, "vxm-guest@a.service", &set), 0);
        assert_string_equal(cpu_set_print(&set, text), "0-7");
}

static void test_set(void **state) {
        const CpuSet all = { .words = { 0xff } };
        Bench *b = *state;
        CpuSet set;

        assert_int_equal(cpu_set_parse("1,8", &set), 0);
        assert_int_equal(cpus_bus_allow(b->bus, "init.scope", &set, &all), 1);
        assert_int_equal(b->fake->units[0].n, 2);
        assert_memory_equal(b->fake->units[0].allowed, "\x02\x01", 2);
        assert_int_equal(cpus_bus_allow(b->bus, "init.scope", &set, &all), 0); /* is so already */
        assert_int_equal(b->fake->units[0].sets, 1);

        set = (CpuSet){}; /* no limit */
        assert_int_equal(cpus_bus_allow(b->bus, "user.slice", &set, &all), 1);
        assert_int_equal(b->fake->units[1].n, 0);
        assert_int_equal(b->fake->units[1].sets, 2); /* to all there are before, for the kernel */
}

static void test_refused(void **state) {
        CpuSet set = { .words = { 1 } };
        const CpuSet all = { .words = { 0xff } };
        Bench *b = *state;

        b->fake->units[0].refuses = true;
        fixture_capture(b->fixture);
        assert_int_equal(cpus_bus_allow(b->bus, "init.scope", &set, &all), -EACCES);
        fixture_assert_logged(b->fixture, "Cannot set AllowedCPUs=0 of init.scope: Not today..");
        fixture_capture(b->fixture);
        assert_int_equal(cpus_bus_allowed(b->bus, "nonsense", &set), -EINVAL);
        fixture_assert_logged(b->fixture, "Cannot ask systemd about AllowedCPUs of nonsense: Unit name nonsense is not "
                                          "valid..");
}

#define bench_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                bench_test(test_read),
                bench_test(test_set),
                bench_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
