/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest files that are judged before they are written, and written whole. */

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest-write.h"
#include "guest.h"
#include "root.h"

#define FILE_OF_G "etc/vxm/guests/g.guest"
#define TEMPORARY "etc/vxm/guests/.g.guest.new"

static uint64_t memory_with(Fixture *f, const char *path, const char *text) {
        _cleanup_(guest_freep) Guest *g = NULL;
        const GuestDraft draft = { .path = path, .text = text };

        assert_int_equal(guest_load_draft(f->root, "g", &draft, &g), 0);
        return g->memory_size >> 20;
}

/* A draft stands for its file, at the file's place among the others. */
static void test_draft(void **state) {
        Fixture *f = *state;

        assert_int_equal(memory_with(f, FILE_OF_G, "[Memory]\nSize=32M\n"), 32); /* there is nothing of that name yet */
        fixture_write(f, "usr/lib/vxm/guests/g.guest", "[Memory]\nSize=64M\n");
        assert_int_equal(memory_with(f, FILE_OF_G, "[Memory]\nSize=32M\n"), 32);
        fixture_write(f, FILE_OF_G, "[Memory]\nSize=128M\n");
        assert_int_equal(memory_with(f, FILE_OF_G, "[Memory]\nSize=32M\n"), 32);
        fixture_write(f, FILE_OF_G, ""); /* masked */
        assert_int_equal(memory_with(f, FILE_OF_G, "[Memory]\nSize=32M\n"), 32);

        fixture_write(f, FILE_OF_G, "[Memory]\nSize=128M\n");
        assert_int_equal(memory_with(f, FILE_OF_G ".d/60-a.conf", "[Memory]\nSize=32M\n"), 32);
        fixture_write(f, FILE_OF_G ".d/50-b.conf", "[Memory]\nSize=256M\n");
        assert_int_equal(memory_with(f, FILE_OF_G ".d/60-a.conf", "[Memory]\nSize=32M\n"), 32);
        fixture_write(f, FILE_OF_G ".d/70-c.conf", "[Memory]\nSize=512M\n");
        assert_int_equal(memory_with(f, FILE_OF_G ".d/60-a.conf", "[Memory]\nSize=32M\n"), 512);
        assert_int_equal(memory_with(f, FILE_OF_G ".d/70-c.conf", "[Memory]\nSize=32M\n"), 32);
        fixture_write(f, "run/vxm/guests/g.guest.d/60-a.conf", "[Memory]\nSize=1G\n");
        fixture_remove(f, FILE_OF_G ".d/70-c.conf");
        assert_int_equal(memory_with(f, FILE_OF_G ".d/60-a.conf", "[Memory]\nSize=32M\n"), 32); /* /etc counts */
}

static void test_draft_that_is_wrong(void **state) {
        const GuestDraft draft = { .path = FILE_OF_G, .text = "[Memory]\nSize=lots\n" };
        Guest *g = NULL;
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(guest_load_draft(f->root, "g", &draft, &g), -E_CONFIG);
        fixture_assert_logged(f, "/" FILE_OF_G ":2: [Memory] Size=lots");
        assert_int_equal(guest_load_draft(f->root, "G", &draft, &g), -E_CONFIG);
        assert_false(root_exists(f->root, FILE_OF_G));
}

static void assert_content(Fixture *f, const char *path, const char *text, mode_t mode) {
        _cleanup_(freep) char *found = NULL;
        struct stat st;

        assert_int_equal(root_read(f->root, path, &found), 0);
        assert_string_equal(found, text);
        assert_int_equal(fstatat(f->root, path, &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, mode);
}

static void test_write(void **state) {
        Fixture *f = *state;

        assert_int_equal(guest_write(f->root, FILE_OF_G, "a\n", false), 0);
        assert_content(f, FILE_OF_G, "a", 0644);
        assert_int_equal(guest_write(f->root, FILE_OF_G, "b\n", false), -EEXIST);
        assert_content(f, FILE_OF_G, "a", 0644);
        assert_int_equal(fchmodat(f->root, FILE_OF_G, 0600, 0), 0);
        assert_int_equal(guest_write(f->root, FILE_OF_G, "b\n", true), 0);
        assert_content(f, FILE_OF_G, "b", 0600);
        assert_int_equal(guest_write(f->root, FILE_OF_G ".d/50-x.conf", "c\n", true), 0);
        assert_content(f, FILE_OF_G ".d/50-x.conf", "c", 0644);
        assert_false(root_exists(f->root, "etc/vxm/guests/.g.guest.new"));

        assert_int_equal(guest_unwrite(f->root, FILE_OF_G), 0);
        assert_false(root_exists(f->root, FILE_OF_G));
        assert_int_equal(guest_unwrite(f->root, FILE_OF_G), 0);
        assert_int_equal(guest_unwrite(f->root, "nowhere/g.guest"), 0);
}

/* Neither gets what the other has half written. */
static void test_two_at_once(void **state) {
        Fixture *f = *state;
        int fd;

        fixture_write(f, FILE_OF_G, "a\n");
        fixture_write(f, TEMPORARY, "half of it");
        fd = openat(f->root, TEMPORARY, O_WRONLY | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_EX), 0);
        assert_int_equal(guest_write(f->root, FILE_OF_G, "b\n", true), -E_BUSY);
        assert_content(f, TEMPORARY, "half of it", 0644);
        close(fd);
        assert_int_equal(guest_write(f->root, FILE_OF_G, "b\n", true), 0);
        assert_content(f, FILE_OF_G, "b", 0644);
        assert_false(root_exists(f->root, TEMPORARY));
}

/* A kill may have left a file that has its final name as well, and nobody writes through links. */
static void test_left_behind(void **state) {
        Fixture *f = *state;

        fixture_write(f, "etc/vxm/guests/h.guest", "a\n");
        assert_int_equal(linkat(f->root, "etc/vxm/guests/h.guest", f->root, TEMPORARY, 0), 0);
        assert_int_equal(guest_write(f->root, FILE_OF_G, "b\n", false), 0);
        assert_content(f, "etc/vxm/guests/h.guest", "a", 0644);
        fixture_link(f, TEMPORARY, "h.guest");
        assert_int_equal(guest_write(f->root, FILE_OF_G, "c\n", true), 0);
        assert_content(f, "etc/vxm/guests/h.guest", "a", 0644);
        assert_content(f, FILE_OF_G, "c", 0644);
}

static void test_owner(void **state) {
        Fixture *f = *state;
        struct stat st;

        if (geteuid() != 0)
                skip();
        fixture_write(f, FILE_OF_G, "a\n");
        assert_int_equal(fchownat(f->root, FILE_OF_G, 1000, 100, 0), 0);
        assert_int_equal(guest_write(f->root, FILE_OF_G, "b\n", true), 0);
        assert_int_equal(fstatat(f->root, FILE_OF_G, &st, 0), 0);
        assert_int_equal(st.st_uid, 1000);
        assert_int_equal(st.st_gid, 100);
}

/* A link in another machine's tree does not lead out of it. */
static void test_link(void **state) {
        Fixture *f = *state;

        fixture_directory(f, "etc/vxm");
        fixture_link(f, "etc/vxm/guests", "/elsewhere");
        assert_true(guest_write(f->root, FILE_OF_G, "a\n", false) < 0);
        fixture_directory(f, "elsewhere");
        assert_int_equal(guest_write(f->root, FILE_OF_G, "a\n", false), 0);
        assert_content(f, "elsewhere/g.guest", "a", 0644);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_draft),
                fixture_test(test_draft_that_is_wrong),
                fixture_test(test_write),
                fixture_test(test_two_at_once),
                fixture_test(test_left_behind),
                fixture_test(test_owner),
                fixture_test(test_link),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
