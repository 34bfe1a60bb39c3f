/* SPDX-License-Identifier: BSD-3-Clause */
/* The record of stopped units: what is written comes back, what is damaged is refused, a reader never sees half. */

#include "fixture.h"
#include "parse.h"
#include "root.h"
#include "units-record.h"

static int parse(const char *text, UnitNames *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return units_record_parse(copy, ret);
}

static void test_names(void **state) {
        static const char *const good[] = { "gdm.service", "getty@tty1.service", "a\\x2db.mount", "-.mount",
                "dbus.socket", "systemd-fsck@dev-disk-by\\x2duuid-1:2.service", "x.target", "session-1.scope" };
        static const char *const bad[] = { "", "gdm", ".service", "getty@.service", "@a.service", "a/b.service",
                "a b.service", "a.servic", "gdm.service ", "../x.service", "\xc3\xa4.service", "a.service\n",
                "*.service", "a.conf" };
        char name[300];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (!unit_name_is_valid(good[i]))
                        fail_msg("refused: %s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (unit_name_is_valid(bad[i]))
                        fail_msg("taken: %s", bad[i]);

        memset(name, 'a', sizeof name);
        strcpy(name + 255 - STRLEN(".service"), ".service");
        assert_true(unit_name_is_valid(name));
        memset(name, 'a', sizeof name);
        strcpy(name + 256 - STRLEN(".service"), ".service");
        assert_false(unit_name_is_valid(name));
}

static void test_parse(void **state) {
        UnitNames record;

        (void) state;
        assert_int_equal(parse("gdm.service\nollama.service\ngdm.service\n", &record), 0);
        assert_int_equal(record.n, 2);
        assert_string_equal(record.names[0], "gdm.service");
        assert_true(unit_names_have(&record, "ollama.service"));
        assert_false(unit_names_have(&record, "ollama"));
        unit_names_done(&record);

        assert_int_equal(parse("", &record), 0);
        assert_int_equal(record.n, 0);
        unit_names_done(&record);
}

static void test_damaged(void **state) {
        static const char *const rows[] = { "gdm", "gdm.service ollama.service", "gdm.service\ngar", " gdm.service",
                "a/b.service" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                UnitNames record = { .n = 4711 };

                if (parse(rows[i], &record) != -EBADMSG)
                        fail_msg("taken: %s", rows[i]);
                assert_int_equal(record.n, 4711);
        }
}

/* Parses a record of n lines. */
static int parse_lines(int n, UnitNames *ret) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (int i = 0; i < n; i++)
                fprintf(f, "unit-%d.service\n", i);
        fclose(f);
        return units_record_parse(text, ret);
}

static void test_limit(void **state) {
        UnitNames record;

        (void) state;
        assert_int_equal(parse_lines(256, &record), 0);
        assert_int_equal(record.n, 256);
        assert_int_equal(unit_names_add(&record, "one-more.service"), -E2BIG);
        assert_int_equal(unit_names_add(&record, "unit-0.service"), 0);
        unit_names_done(&record);
        assert_int_equal(parse_lines(257, &record), -EBADMSG);
}

static void test_round_trip(void **state) {
        _cleanup_(unit_names_done) UnitNames saved = {}, loaded = {};
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/units");
        assert_int_equal(unit_names_add(&saved, "gdm.service"), 0);
        assert_int_equal(unit_names_add(&saved, "a\\x2db.mount"), 0);
        assert_int_equal(units_record_save(f->root, "g", &saved), 0);
        assert_int_equal(root_read(f->root, "run/vxm/units/g", &text), 0);
        assert_string_equal(text, "gdm.service\na\\x2db.mount");
        assert_int_equal(units_record_load(f->root, "g", &loaded), 0);
        assert_int_equal(loaded.n, 2);
        assert_string_equal(loaded.names[1], "a\\x2db.mount");

        assert_int_equal(units_record_forget(f->root, "g"), 0);
        assert_int_equal(units_record_load(f->root, "g", &loaded), -ENOENT);
        assert_int_equal(units_record_forget(f->root, "g"), 0); /* twice is once */
}

static void assert_holder(Fixture *f, const char *guest, const char *unit, const char *wanted) {
        _cleanup_(freep) char *holder = NULL;

        assert_int_equal(units_record_holder(f->root, guest, unit, &holder), wanted ? 1 : 0);
        if (wanted)
                assert_string_equal(holder, wanted);
        else
                assert_null(holder);
}

/* One's own record is no other guest's, nor is a half-written one. */
static void test_holder(void **state) {
        _cleanup_(freep) char *holder = NULL;
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/units");
        assert_holder(f, "a", "gdm.service", NULL);
        fixture_write(f, "run/vxm/units/b", "x.service\n");
        fixture_write(f, "run/vxm/units/c", "y.service\ngdm.service\n");
        fixture_write(f, "run/vxm/units/.d.new", "z.service\n");
        assert_holder(f, "a", "gdm.service", "c");
        assert_holder(f, "c", "gdm.service", NULL);
        assert_holder(f, "a", "z.service", NULL);

        /* What cannot be read may hold anything. */
        fixture_write(f, "run/vxm/units/b", "garbage\n");
        assert_int_equal(units_record_holder(f->root, "z", "gdm.service", &holder), -EBADMSG);
        assert_string_equal(holder, "b");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_limit),
                fixture_test(test_round_trip),
                fixture_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
