/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of static binding: all are written or none, only ours are touched, and a tool that failed is run again. */

#include <sys/stat.h>

#include "exit-status.h"
#include "fixture.h"
#include "root.h"
#include "static-apply.h"

#define PENDING "var/lib/vxm/initramfs-pending"

static const StaticTool good = { "/bin/true", { "true" } }, bad = { "/bin/false", { "false" } },
                        missing = { "/nonexistent/tool", { "tool" } };

static StaticFile wanted_items[] = {
        { .path = STATIC_DEVICES, .mode = 0644, .content = (char *) STATIC_HEADER "devices\n" },
        { .path = STATIC_RULES, .mode = 0644, .content = (char *) STATIC_HEADER "rules\n" },
        { .path = STATIC_WANTS, .target = (char *) "/usr/lib/systemd/system/vxm-static-bind.service" },
};
static const StaticFiles wanted = { wanted_items, ELEMENTSOF(wanted_items) }, none = {};

static void assert_content(Fixture *f, const char *path, const char *content) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(root_read(f->root, path, &text), 0);
        assert_string_equal(text, content);
}

static void assert_nothing(Fixture *f) {
        for (size_t i = 0; static_paths[i]; i++)
                if (root_exists(f->root, static_paths[i]))
                        fail_msg("/%s is there", static_paths[i]);
}

static void test_enable_and_disable(void **state) {
        _cleanup_(freep) char *target = NULL;
        Fixture *f = *state;
        struct stat st;

        assert_int_equal(static_apply(f->root, &wanted, &good), 1);
        assert_content(f, STATIC_DEVICES, STATIC_HEADER "devices");
        assert_content(f, STATIC_RULES, STATIC_HEADER "rules");
        assert_int_equal(fstatat(f->root, STATIC_RULES, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(root_readlink(f->root, STATIC_WANTS, &target), 0);
        assert_string_equal(target, "/usr/lib/systemd/system/vxm-static-bind.service");
        assert_false(root_exists(f->root, "etc/udev/rules.d/.60-vxm-static.rules.new"));
        assert_false(root_exists(f->root, PENDING));

        assert_int_equal(static_apply(f->root, &wanted, &missing), 0); /* nothing to do, so the tool is not run */

        fixture_write(f, "etc/udev/rules.d/70-mine.rules", "mine\n");
        assert_int_equal(static_apply(f->root, &none, &good), 1);
        assert_nothing(f);
        assert_content(f, "etc/udev/rules.d/70-mine.rules", "mine");
        assert_int_equal(static_apply(f->root, &none, &missing), 0);
}

/* What is no longer wanted goes, such as the part for mkinitcpio where that is not the tool any more. */
static void test_change(void **state) {
        Fixture *f = *state;

        fixture_write(f, STATIC_MKINITCPIO, STATIC_HEADER "hooks\n");
        fixture_write(f, STATIC_DEVICES, STATIC_HEADER "other devices\n");
        assert_int_equal(static_apply(f->root, &wanted, NULL), 1);
        assert_false(root_exists(f->root, STATIC_MKINITCPIO));
        assert_content(f, STATIC_DEVICES, STATIC_HEADER "devices");
}

static void test_not_ours(void **state) {
        Fixture *f = *state;

        fixture_write(f, STATIC_RULES, "# by hand\n");
        fixture_capture(f);
        assert_int_equal(static_apply(f->root, &wanted, &good), -E_CONFIG);
        fixture_assert_logged(f, "/" STATIC_RULES " was not made by vxm; move it away, then try again.");
        assert_content(f, STATIC_RULES, "# by hand");
        assert_false(root_exists(f->root, STATIC_DEVICES));
        assert_int_equal(static_apply(f->root, &none, &good), -E_CONFIG);
        assert_content(f, STATIC_RULES, "# by hand");

        fixture_remove(f, STATIC_RULES);
        fixture_link(f, STATIC_RULES, "/dev/null"); /* masked */
        assert_int_equal(static_apply(f->root, &wanted, &good), -E_CONFIG);
        assert_false(root_exists(f->root, STATIC_DEVICES));
}

/* A tool that fails leaves the files as they were, and itself to be run again. */
static void test_tool_fails(void **state) {
        Fixture *f = *state;

        fixture_capture(f);
        assert_int_equal(static_apply(f->root, &wanted, &bad), -EIO);
        fixture_assert_logged(f, "/bin/false failed (status 1)");
        assert_nothing(f);
        assert_true(root_exists(f->root, PENDING));
        assert_int_equal(static_apply(f->root, &none, &missing), -ENOENT); /* nothing differs, and yet it is run */
        assert_int_equal(static_apply(f->root, &none, &good), 1);
        assert_false(root_exists(f->root, PENDING));

        assert_int_equal(static_apply(f->root, &wanted, &good), 1);
        assert_int_equal(static_apply(f->root, &none, &bad), -EIO);
        assert_content(f, STATIC_DEVICES, STATIC_HEADER "devices");
        assert_content(f, STATIC_RULES, STATIC_HEADER "rules");
        assert_true(root_exists(f->root, STATIC_WANTS));
}

/* What cannot be written in one place is not written in any. */
static void test_write_fails(void **state) {
        Fixture *f = *state;

        fixture_write(f, STATIC_DEVICES, STATIC_HEADER "earlier\n");
        fixture_write(f, "etc/udev", "no directory\n");
        assert_int_equal(static_apply(f->root, &wanted, &missing), -ENOTDIR);
        assert_content(f, STATIC_DEVICES, STATIC_HEADER "earlier");
        assert_false(root_exists(f->root, STATIC_WANTS));
}

/* The link alone, made by systemctl, is in no initramfs. */
static void test_link_alone(void **state) {
        Fixture *f = *state;

        fixture_link(f, STATIC_WANTS, "/usr/lib/systemd/system/vxm-static-bind.service");
        assert_int_equal(static_apply(f->root, &none, &missing), 1);
        assert_nothing(f);
}

static void test_tools(void **state) {
        Fixture *f = *state;

        assert_null(static_tool_find(f->root));
        fixture_write(f, "usr/bin/dracut", "");
        assert_string_equal(static_tool_find(f->root)->argv[0], "dracut");
        fixture_write(f, "usr/bin/mkinitcpio", "");
        assert_string_equal(static_tool_find(f->root)->argv[0], "mkinitcpio");
        fixture_write(f, "usr/sbin/update-initramfs", "");
        assert_string_equal(static_tool_find(f->root)->argv[0], "update-initramfs");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_enable_and_disable),
                fixture_test(test_change),
                fixture_test(test_not_ours),
                fixture_test(test_tool_fails),
                fixture_test(test_write_fails),
                fixture_test(test_link_alone),
                fixture_test(test_tools),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
