/* SPDX-License-Identifier: BSD-3-Clause */
/* What owners and modes let another user do, on the way to a file too. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fixture.h"
#include "user-access.h"

/* A user who is in two groups, and owns nothing unless a case says so. */
static gid_t groups[] = { 4712, 4713 };
static const UserIds user = { 4711, groups, ELEMENTSOF(groups) };

static void set(Fixture *f, const char *path, mode_t mode, uid_t uid, gid_t gid) {
        assert_int_equal(fchownat(f->root, path, uid, gid, 0), 0);
        assert_int_equal(fchmodat(f->root, path, mode, 0), 0);
}

static void lay_out(Fixture *f) {
        fixture_write(f, "home/alice/vm/a.img", "");
        fixture_write(f, "srv/a.img", "");
        fixture_link(f, "srv/link", "../home/alice/vm");
        assert_int_equal(chmod(f->path, 0755), 0);
        set(f, "home", 0755, 0, 0);
        set(f, "home/alice", 0755, 4710, 4710);
        set(f, "home/alice/vm", 0755, 4710, 4710);
        set(f, "home/alice/vm/a.img", 0600, 4711, 4711);
        set(f, "srv", 0755, 0, 0);
}

static void assert_may(Fixture *f, const char *path, int wanted, const char *blocker) {
        _cleanup_(freep) char *where = NULL;

        assert_int_equal(user_may(f->root, path, &user, wanted, &where), !blocker);
        assert_true(streq_ptr(where, blocker));
}

static void test_files(void **state) {
        static const struct {
                mode_t mode;
                uid_t uid;
                gid_t gid;
                int wanted;
                bool may;
        } cases[] = {
                { 0600, 4711, 0, R_OK | W_OK, true },
                { 0400, 4711, 0, R_OK | W_OK, false },
                { 0066, 4711, 4712, R_OK, false }, /* the first class that fits decides */
                { 0660, 0, 4712, R_OK | W_OK, true },
                { 0660, 0, 4713, R_OK | W_OK, true },
                { 0640, 0, 4713, R_OK | W_OK, false },
                { 0606, 0, 4713, R_OK, false },
                { 0644, 0, 0, R_OK, true },
                { 0644, 0, 0, R_OK | W_OK, false },
        };
        Fixture *f = *state;

        if (geteuid() != 0) /* nobody else can give files away */
                skip();
        lay_out(f);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                set(f, "srv/a.img", cases[i].mode, cases[i].uid, cases[i].gid);
                assert_may(f, "/srv/a.img", cases[i].wanted, cases[i].may ? NULL : "/srv/a.img");
        }
}

static void test_directories(void **state) {
        Fixture *f = *state;

        if (geteuid() != 0)
                skip();
        lay_out(f);
        assert_may(f, "/home/alice/vm/a.img", R_OK | W_OK, NULL);
        assert_may(f, "/srv/link/a.img", R_OK | W_OK, NULL);
        set(f, "home/alice", 0700, 4710, 4710);
        assert_may(f, "/home/alice/vm/a.img", R_OK | W_OK, "/home/alice");
        assert_may(f, "/srv/link/a.img", R_OK | W_OK, "/home/alice"); /* where the link leads */
        set(f, "home/alice", 0711, 4710, 4710);
        assert_may(f, "/home/alice/vm/a.img", R_OK | W_OK, NULL);
        set(f, "home/alice", 0750, 4710, 4713);
        assert_may(f, "/home/alice/vm/a.img", R_OK | W_OK, NULL);
        assert_int_equal(chmod(f->path, 0700), 0);
        assert_may(f, "/srv/a.img", R_OK, "/");
}

/* With a list the mode is not the whole truth. */
static void test_list(void **state) {
        /* Version 2; the owner rwx, user 4711 x, the group nothing, the mask x, others nothing (acl(5)). */
        static const uint8_t list[] = { 2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 1, 0, 0x67, 0x12, 0, 0,
                4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x10, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x20, 0, 0, 0, 0xff, 0xff,
                0xff, 0xff };
        _cleanup_(freep) char *path = NULL;
        Fixture *f = *state;

        if (geteuid() != 0)
                skip();
        lay_out(f);
        set(f, "home/alice", 0700, 4710, 4710);
        assert_int_equal(format(&path, "%s/home/alice", f->path), 0);
        if (setxattr(path, "system.posix_acl_access", list, sizeof list, 0) < 0)
                skip(); /* a file system without lists */
        assert_may(f, "/home/alice/vm/a.img", R_OK | W_OK, NULL);
}

static void test_missing(void **state) {
        _cleanup_(freep) char *where = NULL;
        UserIds ids = {};
        Fixture *f = *state;

        assert_int_equal(user_may(f->root, "/none", &user, R_OK, &where), -ENOENT);
        assert_null(where);
        assert_int_equal(user_ids_find("vxm-no-such-guest", &ids), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_files),
                fixture_test(test_directories),
                fixture_test(test_list),
                fixture_test(test_missing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
