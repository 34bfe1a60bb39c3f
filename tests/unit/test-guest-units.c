/* SPDX-License-Identifier: BSD-3-Clause */
/* Units of guests by their names, and what their states mean. */

#include "fixture.h"
#include "guest-units.h"

static void test_parse(void **state) {
        static const struct {
                const char *unit, *kind, *guest;
        } rows[] = {
                { "vxm-guest@win11.service", "vxm-guest", "win11" },
                { "vxm-share@win11:music.socket", "vxm-share", "win11" },
                { "vxm-share@win11:music.service", "vxm-share", "win11" },
                { "vxm-spice@a-b.socket", "vxm-spice", "a-b" },
                { "vxm-bind@win11.socket", NULL, NULL }, /* there is none of these */
                { "vxm-guest@.service", NULL, NULL },
                { "vxm-guest@Win.service", NULL, NULL },
                { "vxm-guest@win11.timer", NULL, NULL },
                { "vxm-guest@aaaaaaaaaaaaaaaaaaaaaaaaaaaaa.service", NULL, NULL },
                { "vxm-plug@001-005.service", NULL, NULL }, /* of a device */
                { "vxm-prepare.target", NULL, NULL },
                { "ssh.service", NULL, NULL },
                { "", NULL, NULL },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char guest[GUEST_NAME_MAX + 1];
                size_t rank;
                const GuestUnitKind *kind = guest_unit_parse(rows[i].unit, guest, &rank);

                assert_true(!kind == !rows[i].kind);
                if (!kind)
                        continue;
                assert_string_equal(kind->name, rows[i].kind);
                assert_string_equal(guest, rows[i].guest);
                assert_ptr_equal(&guest_unit_kinds[rank], kind);
        }
}

static void test_names(void **state) {
        char name[GUEST_UNIT_SIZE];

        (void) state;
        guest_unit_name("bind", "win11", name);
        assert_string_equal(name, "vxm-bind@win11.service");
        guest_unit_short("vxm-bind@win11.service", name);
        assert_string_equal(name, "vxm-bind@win11");
        guest_unit_short("vxm-vnc@win11.socket", name);
        assert_string_equal(name, "vxm-vnc@win11.socket");
}

/* Each row: what the guest's own unit and another one of it are, the job of the own one, and what that comes to. */
static void test_states(void **state) {
        static const struct {
                const char *own, *sub, *job, *other, *result;
                bool settled;
        } rows[] = {
                { "active", "running", "", "active", "running", true },
                { "activating", "start", "", "active", "starting", false },
                { "activating", "auto-restart", "", "active", "restarting", true },
                { "deactivating", "stop-sigterm", "", "active", "stopping", false },
                { "inactive", "dead", "start", "activating", "preparing", false },
                { "inactive", "dead", "", "activating", "preparing", false },
                { "inactive", "dead", "", "deactivating", "undoing", false },
                { "inactive", "dead", "", "active", "undoing", true },
                { "failed", "failed", "", "deactivating", "undoing", false },
                { "failed", "failed", "", "inactive", "failed", true },
                { "inactive", "dead", "", "failed", "failed", true },
                { "inactive", "dead", "", "inactive", "off", true },
                { NULL, NULL, "", "inactive", "off", true },
                { NULL, NULL, "", "failed", "failed", true },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                GuestUnit units[] = {
                        { .guest = "g", .kind = &guest_unit_kinds[3], .name = (char *) "vxm-bind@g.service", .active = (char *) rows[i].other,
                                .sub = (char *) "x", .job = (char *) "" },
                        { .guest = "g", .name = (char *) "vxm-guest@g.service", .active = (char *) rows[i].own, .sub = (char *) rows[i].sub,
                                .job = (char *) rows[i].job, .description = (char *) "G" },
                };
                const GuestUnits all = { units, rows[i].own ? 2 : 1 };
                GuestView v;

                for (const GuestUnitKind *kind = guest_unit_kinds; kind->name; kind++)
                        if (streq(kind->name, "vxm-guest"))
                                units[1].kind = kind;
                v = guest_units_of(&all, "g");
                assert_int_equal(v.n, all.n);
                assert_string_equal(guest_view_state(&v), rows[i].result);
                assert_int_equal(guest_view_is_settled(&v), rows[i].settled);
        }
}

/* Of a guest that systemd knows nothing of. */
static void test_unknown(void **state) {
        _cleanup_(json_decrefp) json_t *json = NULL;
        const GuestUnits none = {};
        GuestView v = guest_units_of(&none, "g");
        _cleanup_(freep) char *text = NULL;

        (void) state;
        assert_string_equal(guest_view_state(&v), "off");
        assert_true(guest_view_is_settled(&v));
        json = guest_view_json(&v);
        text = json_dumps(json, JSON_COMPACT);
        assert_string_equal(text, "{\"guest\":\"g\",\"state\":\"off\",\"description\":null,\"status\":null,\"failed\":[],\"units\":[]}");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_states),
                cmocka_unit_test(test_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
