/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of what is there already: files, links, pipes, directories. */

#include <fcntl.h>

#include "fixture.h"
#include "root.h"
#include "whole-file.h"

/* Writes text as path, below the fixture's directory; finish: all of it. Returns what the last call did. */
static int put(Fixture *f, const char *path, const char *name, const char *text, bool finish) {
        _cleanup_(whole_file_done) WholeFile file = { .fd = -EBADF };
        _cleanup_(freep) char *full = NULL;
        int r;

        assert_int_equal(format(&full, "%s/%s", f->path, path), 0);
        r = whole_file_find(&file, full, name);
        r = r < 0 ? r : whole_file_open(&file);
        r = r < 0 ? r : write_full(file.fd, text, strlen(text));
        return r < 0 || !finish ? r : whole_file_finish(&file, 0666);
}

static void assert_is(Fixture *f, const char *path, const char *text, unsigned mode) {
        _cleanup_(freep) char *found = NULL;
        struct stat st;

        assert_int_equal(root_read(f->root, path, &found), 0);
        assert_string_equal(found, text);
        assert_int_equal(fstatat(f->root, path, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, S_IFREG | mode);
}

static size_t count(Fixture *f, const char *path) {
        char **names = NULL;
        size_t n = 0;

        assert_int_equal(root_list(f->root, path, &names, &n), 0);
        strings_free(names, n);
        return n;
}

static void test_regular(void **state) {
        const mode_t mask = umask(027);
        Fixture *f = *state;

        fixture_directory(f, "d");
        assert_int_equal(put(f, "d/new", NULL, "new", true), 0);
        assert_is(f, "d/new", "new", 0640);
        assert_int_equal(fchmodat(f->root, "d/new", 0604, 0), 0);
        assert_int_equal(put(f, "d/new", NULL, "half", false), 0);
        assert_is(f, "d/new", "new", 0604);
        assert_int_equal(put(f, "d", "new", "newer", true), 0);
        assert_is(f, "d/new", "newer", 0604);
        assert_int_equal(count(f, "d"), 1);
        (void) umask(mask);
}

static void test_link(void **state) {
        Fixture *f = *state;
        struct stat st;

        fixture_write(f, "there/real", "old");
        fixture_link(f, "link", "there/real");
        assert_int_equal(put(f, "link", NULL, "new", true), 0);
        assert_int_equal(fstatat(f->root, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_is(f, "there/real", "new", 0644);
        assert_int_equal(count(f, "there"), 1);
}

/* A link is followed also where its file is yet to be made. */
static void test_link_to_nothing(void **state) {
        Fixture *f = *state;
        struct stat st;

        fixture_directory(f, "there");
        fixture_link(f, "link", "there/hop");
        fixture_link(f, "there/hop", "new");
        assert_int_equal(put(f, "link", NULL, "new", true), 0);
        assert_int_equal(fstatat(f->root, "there/hop", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISLNK(st.st_mode));
        assert_is(f, "there/new", "new", 0644);
        assert_int_equal(count(f, "there"), 2);

        fixture_link(f, "round", "round");
        assert_true(put(f, "round", NULL, "new", true) < 0);
}

static void test_in_place(void **state) {
        _cleanup_(closep) int reading = -EBADF;
        Fixture *f = *state;
        char text[8] = {};
        struct stat st;

        assert_int_equal(mkfifoat(f->root, "pipe", 0600), 0);
        reading = openat(f->root, "pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_int_equal(put(f, "pipe", NULL, "new", true), 0);
        assert_int_equal(read(reading, text, sizeof text), 3);
        assert_int_equal(fstatat(f->root, "pipe", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISFIFO(st.st_mode));
        assert_int_equal(count(f, "."), 1);
}

static void test_refusals(void **state) {
        Fixture *f = *state;

        fixture_directory(f, "d/x");
        assert_int_equal(put(f, "d", NULL, "", true), -EISDIR);
        assert_int_equal(put(f, "d", "x", "", true), -EISDIR);
        assert_int_equal(put(f, "no/where", NULL, "", true), -ENOENT);
        assert_int_equal(count(f, "d"), 1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_regular),
                fixture_test(test_link),
                fixture_test(test_link_to_nothing),
                fixture_test(test_in_place),
                fixture_test(test_refusals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
