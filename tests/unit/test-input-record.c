/* SPDX-License-Identifier: BSD-3-Clause */
/* Records of input devices, and nodes that somebody is let at. */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fixture.h"
#include "input-loan.h"
#include "root.h"

static int parse(const char *text, InputRecord *ret) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return input_record_parse(copy, ret);
}

static void test_record(void **state) {
        static const char text[] = "user 988\nwant auto\nwant A Mouse\nhave keyboard-4 13:68 4711\nhave pointer-6 13:70 4712 before";
        static const char *const bad[] = { "user 0", "user -1", "user 1\nuser 2", "want ", "want /dev/input/event3", "have keyboard-4",
                "have keyboard-4 13:68", "have keyboard-4 13 1", "have keyboard-4 13:68 0", "have other-4 13:68 1", "have keyboard-4 13:68 1 ", "have keyboard-4 13:68 1 before ",
                "have keyboard-4 13:68 1\nhave keyboard-4 13:68 1", "nonsense", "have" };
        _cleanup_(input_record_done) InputRecord record = {};
        _cleanup_(freep) char *again = NULL;
        Fixture *f = *state;

        assert_int_equal(parse(text, &record), 0);
        assert_true(record.user == 988 && record.n_wants == 2 && record.n_loans == 2);
        fixture_directory(f, "run/vxm/input");
        assert_int_equal(input_record_save(f->root, "demo", &record), 0);
        assert_int_equal(root_read(f->root, "run/vxm/input/demo", &again), 0);
        assert_string_equal(again, text);
        input_record_remove(&record, 0);
        assert_true(record.n_loans == 1 && record.loans[0].kind == INPUT_POINTER && record.loans[0].before);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(input_record_done) InputRecord none = {};

                if (parse(bad[i], &none) != -EBADMSG)
                        fail_msg("taken: %s", bad[i]);
        }
}

static void test_holder(void **state) {
        InputLoan mine = { INPUT_KEYBOARD, 4, 13 << 8 | 68, 4711 }, newer = { INPUT_KEYBOARD, 4, 13 << 8 | 68, 4799 };
        _cleanup_(freep) char *holder = NULL;
        Fixture *f = *state;

        fixture_write(f, "run/vxm/input/other", "user 988\nhave keyboard-4 13:68 4711\n");
        assert_int_equal(input_record_holder(f->root, "other", &mine, &holder), 0);
        assert_int_equal(input_record_holder(f->root, "demo", &newer, &holder), 0); /* another device by now */
        assert_int_equal(input_record_holder(f->root, "demo", &mine, &holder), 1);
        assert_string_equal(holder, "other");
}

static mode_t mode_of(Fixture *f) {
        struct stat st;

        assert_int_equal(fstatat(f->root, "dev/input/event4", &st, 0), 0);
        return st.st_mode & 07777;
}

static bool has_list(Fixture *f) {
        _cleanup_(freep) char *path = NULL;

        assert_true(format(&path, "%s/dev/input/event4", f->path) >= 0);
        return getxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* Another one in the list, mode and list as before when it is out again; two at once. */
static void test_loan(void **state) {
        InputDevice d = { .number = 4, .device = 13 << 8 | 68, .kind = INPUT_KEYBOARD };
        Fixture *f = *state;
        InputLoan loan;
        int r;

        fixture_write(f, "dev/input/event4", "");
        assert_int_equal(fchmodat(f->root, "dev/input/event4", 0640, 0), 0);
        assert_int_equal(input_loan_note(f->root, &d, &loan), 0);
        r = input_loan_give(f->root, &loan, 4711);
        if (r == -EOPNOTSUPP) {
                print_message("the file system has no access lists\n");
                skip();
        }
        assert_int_equal(r, 1);
        assert_true(has_list(f) && mode_of(f) == 0660); /* the group's bits are the mask now */
        assert_int_equal(input_loan_give(f->root, &loan, 4711), 0);
        assert_int_equal(input_loan_is_held(f->root, &loan, 4711), 1);
        assert_int_equal(input_loan_is_held(f->root, &loan, 4712), 0);
        assert_int_equal(input_loan_give(f->root, &loan, 4712), 1);
        assert_int_equal(input_loan_return(f->root, &loan, 4711), 1);
        assert_true(has_list(f));
        assert_int_equal(input_loan_return(f->root, &loan, 4711), 0);
        assert_int_equal(input_loan_is_held(f->root, &loan, 4712), 1);
        assert_int_equal(input_loan_return(f->root, &loan, 4712), 1);
        assert_false(has_list(f));
        assert_int_equal(mode_of(f), 0640);

        /* Who was let in before stays so. */
        assert_int_equal(input_loan_give(f->root, &loan, 4711), 1);
        assert_int_equal(input_loan_note_user(f->root, &d, 4711, &loan), 0);
        assert_true(loan.before);
        assert_int_equal(input_loan_return(f->root, &loan, 4711), 0);
        assert_int_equal(input_loan_is_held(f->root, &loan, 4711), 1);

        /* Another device's node by now. */
        assert_int_equal(renameat(f->root, "dev/input/event4", f->root, "old"), 0);
        fixture_write(f, "dev/input/event4", "");
        assert_int_equal(input_loan_give(f->root, &loan, 4711), -ENOENT);
        assert_int_equal(input_loan_is_held(f->root, &loan, 4711), 0);
        assert_false(has_list(f));
        fixture_remove(f, "dev/input/event4");
        assert_int_equal(input_loan_return(f->root, &loan, 4711), -ENOENT);
        assert_int_equal(input_loan_note(f->root, &d, &loan), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = { fixture_test(test_record), fixture_test(test_holder), fixture_test(test_loan) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
