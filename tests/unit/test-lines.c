/* SPDX-License-Identifier: BSD-3-Clause */
/* The bounded line buffer: bytes in any portion become the same lines, and no line outgrows the limit. */

#include <fcntl.h>

#include "fixture.h"
#include "lines.h"

static void assert_next(LineBuffer *b, const char *wanted) {
        _cleanup_(freep) char *line = NULL;
        size_t size = 4711;

        line = lines_next(b, &size);
        if (!wanted) {
                assert_null(line);
                return;
        }
        assert_non_null(line);
        assert_string_equal(line, wanted);
        assert_int_equal(size, strlen(wanted));
}

static void test_portions(void **state) {
        static const char text[] = "one\n\ntwo and more\nrest";
        const size_t size = sizeof text - 1;

        (void) state;
        for (size_t portion = 1; portion <= sizeof text; portion++) {
                _cleanup_(lines_done) LineBuffer b = { .max = 100 };

                for (size_t i = 0; i < size; i += portion)
                        assert_int_equal(lines_feed(&b, text + i, size - i < portion ? size - i : portion), 0);
                assert_next(&b, "one");
                assert_next(&b, "");
                assert_next(&b, "two and more");
                assert_next(&b, NULL);
                assert_int_equal(lines_feed(&b, "\n", 1), 0);
                assert_next(&b, "rest");
                assert_next(&b, NULL);
        }
}

static void test_limit(void **state) {
        _cleanup_(lines_done) LineBuffer b = { .max = 4 };

        (void) state;
        assert_int_equal(lines_feed(&b, "1234", 4), 0);
        assert_int_equal(lines_feed(&b, "\n", 1), 0);
        assert_next(&b, "1234");
        assert_int_equal(lines_feed(&b, "1234", 4), 0);
        assert_int_equal(lines_feed(&b, "5", 1), -EMSGSIZE);
}

static void test_empty(void **state) {
        _cleanup_(lines_done) LineBuffer b = { .max = 4 };

        (void) state;
        assert_next(&b, NULL);
        assert_int_equal(lines_feed(&b, NULL, 0), 0);
        assert_next(&b, NULL);
}

static void test_nul(void **state) {
        _cleanup_(lines_done) LineBuffer b = { .max = 10 };
        _cleanup_(freep) char *line = NULL;
        size_t size;

        (void) state;
        assert_int_equal(lines_feed(&b, "a\0b\n", 4), 0);
        line = lines_next(&b, &size);
        assert_int_equal(size, 3);
        assert_memory_equal(line, "a\0b", 4);
}

static void test_read(void **state) {
        _cleanup_(lines_done) LineBuffer b = { .max = 10 };
        int fd[2];

        (void) state;
        assert_int_equal(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
        assert_int_equal(lines_read(&b, fd[0]), -EAGAIN);
        assert_int_equal(write(fd[1], "ab\nc", 4), 4);
        assert_int_equal(lines_read(&b, fd[0]), 4);
        assert_next(&b, "ab");
        assert_int_equal(write(fd[1], "0123456789", 10), 10);
        assert_int_equal(lines_read(&b, fd[0]), -EMSGSIZE);
        close(fd[1]);
        lines_done(&b);
        assert_int_equal(b.max, 10);
        assert_int_equal(lines_read(&b, fd[0]), 0);
        close(fd[0]);
        assert_int_equal(lines_read(&b, fd[0]), -EBADF);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_portions),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
