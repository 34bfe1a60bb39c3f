/* SPDX-License-Identifier: BSD-3-Clause */
/* Which units are asked for, refused, stopped, and noted. */

#include "fixture.h"
#include "units-plan.h"

static void test_wanted(void **state) {
        char *units[] = { (char *) "ollama.service", (char *) "a.socket", (char *) "ollama.service" };
        Guest g = { .stop_units = units, .n_stop_units = 3 };
        UnitNames wanted = {};

        (void) state;
        assert_int_equal(units_wanted(&g, &wanted), 0);
        assert_int_equal(wanted.n, 2);
        unit_names_done(&wanted);

        g.single_gpu = true;
        assert_int_equal(units_wanted(&g, &wanted), 0);
        assert_int_equal(wanted.n, 3);
        assert_string_equal(wanted.names[2], "display-manager.service");
        assert_true(unit_is_implied(&g, "display-manager.service"));
        assert_false(unit_is_implied(&g, "ollama.service"));
        unit_names_done(&wanted);

        /* Named, it has to be there. */
        units[0] = (char *) "display-manager.service";
        assert_false(unit_is_implied(&g, "display-manager.service"));
}

/* As Debian has it: the display manager's alias leads to a name that is itself one, and whose unit is in /usr. */
static void test_wanted_by_alias(void **state) {
        char *units[] = { (char *) "ollama.service", (char *) "loop.service" };
        Guest g = { .stop_units = units, .n_stop_units = 2 };
        Fixture *f = *state;

        fixture_lines(f, "etc/systemd/system/display-manager.service -> /lib/systemd/system/gdm3.service\n"
                         "lib -> usr/lib\n"
                         "usr/lib/systemd/system/gdm3.service -> gdm.service\n"
                         "usr/lib/systemd/system/gdm.service = [Unit]\n"
                         "usr/lib/systemd/system/display-manager.service -> lightdm.service\n"
                         "etc/systemd/system/loop.service -> loop.service\n");
        assert_true(unit_is_wanted(f->root, &g, "ollama.service"));
        assert_false(unit_is_wanted(f->root, &g, "gdm.service"));
        g.single_gpu = true;
        assert_true(unit_is_wanted(f->root, &g, "gdm.service"));
        assert_true(unit_is_wanted(f->root, &g, "display-manager.service"));
        assert_false(unit_is_wanted(f->root, &g, "lightdm.service")); /* the other one is hidden */
        assert_false(unit_is_wanted(f->root, &g, "x.service"));
}

static void test_refused_by_name(void **state) {
        static const char *const refused[] = { "vxm-guest@g.service", "vxm-bind@g.service", "vxm-units@other.service",
                "vxm-prepare.target", "systemd-logind.service", "systemd-journald.socket", "dbus.service",
                "dbus.socket", "dbus-broker.service", "init.scope", "-.mount", "-.slice", "user-1000.slice",
                "session-2.scope", "sysinit.target", "basic.target", "dev-kvm.device" };
        static const char *const taken[] = { "gdm.service", "ollama.service", "vxm-guest@other.service",
                "systemd-nspawn@ml.service", "dbus-org.bluez.service", "getty@tty1.service", "srv-data.mount",
                "graphical.target", "docker.socket", "user@1000.service" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                if (!unit_name_refusal(refused[i], "g"))
                        fail_msg("taken: %s", refused[i]);
        for (size_t i = 0; i < ELEMENTSOF(taken); i++)
                if (unit_name_refusal(taken[i], "g"))
                        fail_msg("refused: %s", taken[i]);
}

static UnitState unit(const char *load_state, UnitActivity activity) {
        return (UnitState){ .id = (char *) "x.service",
                .load_state = (char *) load_state,
                .activity = activity,
                .can_stop = true,
                .can_start = true };
}

static void test_refused_by_state(void **state) {
        UnitState s;

        (void) state;
        s = unit("loaded", UNIT_UP);
        assert_null(unit_state_refusal(&s));
        s.can_start = false;
        assert_non_null(strstr(unit_state_refusal(&s), "start it again"));
        s.can_stop = false;
        assert_non_null(strstr(unit_state_refusal(&s), "stops it"));
        s = unit("not-found", UNIT_DOWN);
        assert_non_null(strstr(unit_state_refusal(&s), "systemctl list-units"));
        s = unit("bad-setting", UNIT_DOWN);
        assert_non_null(unit_state_refusal(&s));

        /* Masked, it may have kept on running; it would not come back. */
        s = unit("masked", UNIT_UP);
        assert_non_null(unit_state_refusal(&s));
        s = unit("masked", UNIT_DOWN);
        assert_null(unit_state_refusal(&s));
}

static void test_activity(void **state) {
        static const struct {
                const char *active, *job;
                UnitActivity activity;
        } rows[] = {
                { "active", "", UNIT_UP },
                { "reloading", "", UNIT_UP },
                { "activating", "start", UNIT_UP },
                { "activating", "", UNIT_UP }, /* on its way to a restart */
                { "inactive", "", UNIT_DOWN },
                { "failed", "", UNIT_DOWN },
                { "inactive", "start", UNIT_UP }, /* at boot, or by another guest's end */
                { "failed", "restart", UNIT_UP },
                { "inactive", "verify-active", UNIT_DOWN },
                { "deactivating", "stop", UNIT_ENDING },
                { "deactivating", "", UNIT_ENDING },
                { "deactivating", "restart", UNIT_UP },
                { "active", "stop", UNIT_ENDING },
                { "active", "reload", UNIT_UP },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (unit_activity(rows[i].active, rows[i].job) != rows[i].activity)
                        fail_msg("%s with job “%s”", rows[i].active, rows[i].job);
}

/* What is stopped, and what is noted, of a unit that is in this state, and held by another guest or not. */
static void test_plan(void **state) {
        static const struct {
                UnitActivity activity;
                bool held, stopped, noted;
        } rows[] = {
                { UNIT_UP, false, true, true },
                { UNIT_UP, true, true, true },
                { UNIT_ENDING, false, true, false }, /* not our doing, but it has to be waited for */
                { UNIT_ENDING, true, true, true },
                { UNIT_DOWN, false, false, false },
                { UNIT_DOWN, true, false, true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(units_plan_done) UnitsPlan plan = {};
                UnitState s = unit("loaded", rows[i].activity);

                s.held = rows[i].held;
                assert_int_equal(units_plan_add(&plan, &s), 0);
                assert_int_equal(units_plan_add(&plan, &s), 0); /* by its alias, too */
                if (plan.stop.n != rows[i].stopped || plan.record.n != rows[i].noted)
                        fail_msg("row %zu: %zu stopped, %zu noted", i, plan.stop.n, plan.record.n);
        }
}

/* Started twice, the second run finds its units down, by its own doing. */
static void test_keep(void **state) {
        char text[] = "x.service\nleft.service\n";
        _cleanup_(units_plan_done) UnitsPlan plan = {};
        _cleanup_(unit_names_done) UnitNames earlier = {};
        UnitState s = unit("loaded", UNIT_DOWN);

        (void) state;
        assert_int_equal(units_record_parse(text, &earlier), 0);
        assert_int_equal(units_plan_add(&plan, &s), 0);
        assert_int_equal(units_plan_keep(&plan, &earlier), 0);
        assert_int_equal(plan.stop.n, 0);
        assert_int_equal(plan.record.n, 2);
        assert_true(unit_names_have(&plan.record, "x.service"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wanted),
                fixture_test(test_wanted_by_alias),
                cmocka_unit_test(test_refused_by_name),
                cmocka_unit_test(test_refused_by_state),
                cmocka_unit_test(test_activity),
                cmocka_unit_test(test_plan),
                cmocka_unit_test(test_keep),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
