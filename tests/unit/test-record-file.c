/* SPDX-License-Identifier: BSD-3-Clause */
/* Undo records as files: whole or not at all, no link is followed, of two runs one waits, and whose record has something. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "fixture.h"
#include "record-file.h"
#include "root.h"

static int print_text(FILE *f, const void *text) {
        return fputs(text, f) < 0 ? -EIO : 0;
}

static int print_half(FILE *f, const void *text) {
        (void) fputs(text, f);
        return -E2BIG;
}

static int save(Fixture *f, const char *guest, const char *text) {
        return record_file_save(f->root, "kind", guest, print_text, text);
}

static void assert_text(Fixture *f, const char *path, const char *wanted) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, path, &text), 0);
        assert_string_equal(text, wanted);
}

/* A new record takes the old one's place by rename(2): who has the old one open still reads all of it. */
static void test_save_is_atomic(void **state) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;
        struct stat st;

        fixture_directory(f, "run/vxm/kind");
        assert_int_equal(save(f, "g", "first\n"), 0);
        fd = record_file_open(f->root, "kind", "g");
        assert_true(fd >= 0);

        fixture_write(f, "run/vxm/kind/.g.new", "what a kill left behind, longer than any record of this test will be");
        assert_int_equal(save(f, "g", "second\n"), 0);
        assert_int_equal(read_full(fd, 4096, &text, NULL), 0);
        assert_string_equal(text, "first\n");
        assert_text(f, "run/vxm/kind/g", "second");
        assert_int_equal(fstatat(f->root, "run/vxm/kind/g", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600); /* not the leftover's */
        assert_false(root_exists(f->root, "run/vxm/kind/.g.new"));
}

/* All or nothing: what cannot be made or renamed into place leaves no trace. */
static void test_save_fails_whole(void **state) {
        Fixture *f = *state;

        assert_int_equal(save(f, "g", "x\n"), -ENOENT);
        fixture_directory(f, "run/vxm/kind");
        assert_int_equal(record_file_save(f->root, "kind", "g", print_half, "x\n"), -E2BIG);
        assert_false(root_exists(f->root, "run/vxm/kind/g"));
        fixture_directory(f, "run/vxm/kind/g");
        assert_int_equal(save(f, "g", "x\n"), -EISDIR);
        assert_false(root_exists(f->root, "run/vxm/kind/.g.new"));
}

static void test_follows_no_link(void **state) {
        Fixture *f = *state;

        fixture_directory(f, "run/vxm/kind");
        fixture_write(f, "victim", "untouched\n");
        fixture_link(f, "run/vxm/kind/.g.new", "../../../victim");
        assert_int_equal(save(f, "g", "x\n"), 0);
        assert_text(f, "victim", "untouched");
        fixture_link(f, "run/vxm/kind/h", "../../../victim");
        assert_int_equal(record_file_open(f->root, "kind", "h"), -ELOOP);
}

/* Twice is once, and what a kill between its making and its renaming left goes too. */
static void test_forget(void **state) {
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        assert_int_equal(record_file_forget(f->root, "kind", "g"), 0);
        fixture_directory(f, "run/vxm/kind");
        assert_int_equal(save(f, "g", "x\n"), 0);
        fixture_write(f, "run/vxm/kind/.g.new", "half");
        assert_int_equal(record_file_forget(f->root, "kind", "g"), 0);
        assert_int_equal(record_file_read(f->root, "kind", "g", &text), -ENOENT);
        assert_false(root_exists(f->root, "run/vxm/kind/.g.new"));
        assert_int_equal(record_file_forget(f->root, "kind", "g"), 0);
}

/* Of two runs one waits: a second descriptor is a second party to flock(2). */
static void test_lock(void **state) {
        int first = -EBADF, second = -EBADF;
        Fixture *f = *state;

        assert_int_equal(record_file_lock(f->root, "kind", &first), -ENOENT);
        fixture_directory(f, "run/vxm/kind");
        assert_int_equal(record_file_lock(f->root, "kind", &first), 0);
        second = root_openat(f->root, "run/vxm/kind", O_RDONLY | O_DIRECTORY);
        assert_true(second >= 0);
        assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
        assert_int_equal(errno, EWOULDBLOCK);
        close(first);
        assert_int_equal(flock(second, LOCK_EX | LOCK_NB), 0);
        close(second);
}

static int has_word(int root, const char *guest, const void *word) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, "kind", guest, &text);

        return r < 0 ? r : streq(text, "damaged") ? -EBADMSG : streq(text, word);
}

static void assert_holder(Fixture *f, const char *guest, const char *word, int wanted, const char *name) {
        _cleanup_(freep) char *holder = NULL;

        assert_int_equal(record_file_holder(f->root, "kind", guest, has_word, word, &holder), wanted);
        assert_true(streq_ptr(holder, name));
}

static void test_holder(void **state) {
        Fixture *f = *state;

        assert_holder(f, "a", "x", 0, NULL);
        fixture_write(f, "run/vxm/kind/b", "x\n");
        fixture_write(f, "run/vxm/kind/c", "y\n");
        fixture_write(f, "run/vxm/kind/.d.new", "z\n"); /* half-written */
        fixture_write(f, "run/vxm/kind/a~", "damaged\n"); /* no guest's */
        assert_holder(f, "a", "y", 1, "c");
        assert_holder(f, "c", "y", 0, NULL); /* one's own is no other's */
        assert_holder(f, "a", "z", 0, NULL);

        /* What cannot be read may hold anything. */
        fixture_write(f, "run/vxm/kind/b", "damaged\n");
        assert_holder(f, "a", "y", -EBADMSG, "b");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_save_is_atomic),
                fixture_test(test_save_fails_whole),
                fixture_test(test_follows_no_link),
                fixture_test(test_forget),
                fixture_test(test_lock),
                fixture_test(test_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
