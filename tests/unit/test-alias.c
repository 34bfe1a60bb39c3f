/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands @NAME: made, listed and removed below a home of the test's own. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "alias.h"
#include "caller.h"
#include "exit-status.h"
#include "fixture.h"
#include "json.h"
#include "verb.h"

static int alias(const char *const words[static 4]) {
        char *argv[6] = { (char *) "alias" };
        int argc = 1;

        for (; argc < 5 && words[argc - 1]; argc++)
                argv[argc] = (char *) words[argc - 1];
        return verb_alias(argc, argv);
}

#define ALIAS(...) alias((const char *const[4]){ __VA_ARGS__ })

static bool exists(Fixture *f, const char *path) {
        struct stat st;

        return fstatat(f->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_life(void **state) {
        Fixture *f = *state;
        char target[256] = {};

        (void) setenv("HOME", f->path, 1);
        assert_int_equal(ALIAS("spirit", "@docker"), STATUS_DONE);
        assert_true(readlinkat(f->root, ".local/bin/@spirit", target, sizeof target - 1) > 0);
        assert_int_equal(access(target, X_OK), 0); /* what runs: this test */
        assert_true(exists(f, ".local/bin/@docker"));
        /* Those of vxm itself are known by its name. */
        assert_int_equal(unlinkat(f->root, ".local/bin/@spirit", 0), 0);
        assert_int_equal(unlinkat(f->root, ".local/bin/@docker", 0), 0);
        fixture_link(f, ".local/bin/@docker", "/old/place/vxm");
        fixture_link(f, ".local/bin/@demo", "/usr/bin/vxm");
        assert_int_equal(ALIAS("--remove", "@demo", "docker", "never"), STATUS_DONE);
        assert_false(exists(f, ".local/bin/@demo"));
        assert_false(exists(f, ".local/bin/@docker"));
}

static void test_refusals(void **state) {
        Fixture *f = *state;

        (void) setenv("HOME", f->path, 1);
        fixture_write(f, ".local/bin/@docker", "mine");
        assert_int_equal(ALIAS("spirit", "docker"), STATUS_FAILED);
        assert_false(exists(f, ".local/bin/@spirit")); /* nothing has been changed */
        assert_int_equal(ALIAS("--remove", "docker"), STATUS_FAILED);
        assert_true(exists(f, ".local/bin/@docker"));
        assert_int_equal(ALIAS("no-such-guest"), STATUS_CONFIG);
        assert_int_equal(ALIAS("--remove", "../x"), STATUS_CONFIG);
        assert_int_equal(ALIAS("--list", "x"), STATUS_USAGE);
        assert_int_equal(ALIAS("--remove"), STATUS_USAGE);
        assert_int_equal(ALIAS("--json", "spirit"), STATUS_USAGE);
}

static void test_list(void **state) {
        _cleanup_(json_decrefp) json_t *list = NULL;
        int fd = memfd_create("vxm-test", MFD_CLOEXEC), saved = dup(STDOUT_FILENO);
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;
        bool found = false;
        const json_t *item;
        size_t i;

        (void) setenv("HOME", f->path, 1);
        fixture_link(f, ".local/bin/@demo", "/usr/bin/vxm");
        fixture_link(f, ".local/bin/@other", "/usr/bin/env");
        fflush(stdout);
        assert_true(dup2(fd, STDOUT_FILENO) >= 0);
        assert_int_equal(ALIAS("--list", "--json"), STATUS_DONE);
        fflush(stdout);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(read_full(fd, 65536, &text, NULL), 0);
        list = json_loads(text, 0, NULL);
        assert_true(json_is_array(list));
        json_array_foreach(list, i, item) {
                assert_string_not_equal(json_get_string(item, "name"), "other");
                found = found || (streq(json_get_string(item, "name"), "demo") && streq(json_get_string(item, "target"), "/usr/bin/vxm"));
        }
        assert_true(found);
        close(fd);
        close(saved);
}

/* By sudo, the caller's home is not in $HOME. */
static void test_home_of_caller(void **state) {
        _cleanup_(freep) char *home = NULL, *wanted = NULL;
        const struct passwd *who;

        (void) state;
        who = getpwuid(geteuid());
        assert_non_null(who);
        assert_int_equal(format(&wanted, "%s/.local/bin", who->pw_dir), 0);
        (void) unsetenv("SUDO_USER");
        assert_int_equal(alias_home_of_caller(&home), 0);
        assert_string_equal(home, wanted);
        (void) setenv("SUDO_USER", "nobody", 1);
        who = caller_find();
        assert_non_null(who);
        assert_int_equal(strcmp(who->pw_name, "nobody") == 0, geteuid() == 0); /* nobody else is believed */
        (void) setenv("SUDO_USER", "no-such-user", 1);
        assert_int_equal(!caller_find(), geteuid() == 0);
        (void) unsetenv("SUDO_USER");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_life),
                fixture_test(test_refusals),
                fixture_test(test_list),
                cmocka_unit_test(test_home_of_caller),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
