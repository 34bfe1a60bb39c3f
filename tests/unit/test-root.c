/* SPDX-License-Identifier: BSD-3-Clause */
/* The root handle: reads and writes below it, and nothing beyond. */

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fixture.h"
#include "root.h"

static void test_read(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *text = NULL;

        fixture_write(f, "a", "one\ntwo\n\n");
        assert_int_equal(root_read(f->root, "a", &text), 0);
        assert_string_equal(text, "one\ntwo\n"); /* one newline goes, not all */
        free(TAKE_PTR(text));
        fixture_write(f, "a", "");
        assert_int_equal(root_read(f->root, "a", &text), 0);
        assert_string_equal(text, "");
        assert_int_equal(root_read(f->root, "b", &text), -ENOENT);
        fixture_directory(f, "d");
        assert_int_equal(root_read(f->root, "d", &text), -EISDIR);
}

static void test_read_limit(void **state) {
        _cleanup_(freep) char *text = malloc(ROOT_FILE_MAX + 2), *read = NULL;
        Fixture *f = *state;

        assert_non_null(text);
        memset(text, 'x', ROOT_FILE_MAX + 1);
        text[ROOT_FILE_MAX + 1] = '\0';
        fixture_write(f, "too-large", text);
        assert_int_equal(root_read(f->root, "too-large", &read), -EFBIG);
        text[ROOT_FILE_MAX] = '\0';
        fixture_write(f, "large", text);
        assert_int_equal(root_read(f->root, "large", &read), 0);
        assert_int_equal(strlen(read), ROOT_FILE_MAX);
}

/* Whoever puts a pipe where a file should be must not make us wait for its writer. */
static void test_read_pipe(void **state) {
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        assert_int_equal(mkfifoat(f->root, "pipe", 0600), 0);
        assert_int_equal(root_read(f->root, "pipe", &text), 0);
        assert_string_equal(text, "");
}

/* Neither on the way nor at its end. */
static void test_without_links(void **state) {
        Fixture *f = *state;
        int fd;

        fixture_write(f, "a/b/file", "x");
        fixture_link(f, "link", "a");
        fixture_link(f, "a/b/last", "file");
        fd = root_openat_without_links(f->root, "a/b/file", O_RDONLY);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(root_openat_without_links(f->root, "link/b/file", O_RDONLY), -ELOOP);
        assert_int_equal(root_openat_without_links(f->root, "a/b/last", O_RDONLY), -ELOOP);
        assert_int_equal(root_openat_without_links(f->root, "a/c", O_RDONLY), -ENOENT);
}

static void test_number(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } rows[] = {
                { "0x10de\n", 0, 0x10de },
                { "1\n", 0, 1 },
                { "18446744073709551615", 0, UINT64_MAX },
                { "18446744073709551616", -EINVAL, 0 },
                { "-1\n", -EINVAL, 0 },
                { "\n", -EINVAL, 0 },
                { "", -EINVAL, 0 },
                { "0x", -EINVAL, 0 },
                { "1 2", -EINVAL, 0 },
                { "vga", -EINVAL, 0 },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t value = 4711;

                fixture_write(f, "number", rows[i].text);
                if (root_read_number(f->root, "number", &value) != rows[i].r)
                        fail_msg("“%s”", rows[i].text);
                assert_true(value == (rows[i].r < 0 ? 4711 : rows[i].value));
        }
}

static void test_links(void **state) {
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        fixture_link(f, "a/link", "../../bus/pci/drivers/nvidia");
        fixture_link(f, "plain", "nvidia");
        fixture_link(f, "slash", "nvidia/");
        assert_int_equal(root_readlink(f->root, "a/link", &text), 0);
        assert_string_equal(text, "../../bus/pci/drivers/nvidia");
        assert_int_equal(root_readlink_name(f->root, "a/link", &text), 0);
        assert_string_equal(text, "nvidia");
        assert_int_equal(root_readlink_name(f->root, "plain", &text), 0);
        assert_string_equal(text, "nvidia");
        assert_int_equal(root_readlink_name(f->root, "slash", &text), 0);
        assert_string_equal(text, "");

        fixture_write(f, "file", "");
        assert_int_equal(root_readlink_name(f->root, "file", &text), -EINVAL);
        assert_int_equal(root_readlink_name(f->root, "none", &text), -ENOENT);
        assert_true(root_exists(f->root, "plain")); /* dangling, and there */
        assert_false(root_exists(f->root, "none"));
}

/* Absolute links and any number of “..” end at the root. */
static void test_nothing_leads_out(void **state) {
        static const char *const targets[] = { "/etc/passwd", "../../../../../../../../../../etc/passwd" };
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                fixture_link(f, "a/link", targets[i]);
                assert_int_equal(root_read(f->root, "a/link", &text), -ENOENT);
                assert_int_equal(root_write(f->root, "a/link", "x"), -ENOENT);
        }
        assert_int_equal(root_read(f->root, "../../../../../../etc/passwd", &text), -ENOENT);
        fixture_write(f, "etc/passwd", "ours\n");
        assert_int_equal(root_read(f->root, "a/link", &text), 0);
        assert_string_equal(text, "ours");
}

/* Entries of a directory, of which no link leads anywhere. */
static void test_directory(void **state) {
        Fixture *f = *state;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int directory = -EBADF;
        uint64_t number = 0;

        fixture_lines(f, "d/a = 0x10\nd/b -> ../e/name\nd/c -> a\ne/name = 1");
        directory = root_openat(f->root, "d", O_PATH | O_DIRECTORY);
        assert_true(directory >= 0);
        assert_int_equal(directory_read(directory, "a", &text), 0);
        assert_string_equal(text, "0x10");
        assert_int_equal(directory_read_number(directory, "a", &number), 0);
        assert_int_equal(number, 0x10);
        assert_int_equal(directory_read(directory, "none", &text), -ENOENT);
        assert_int_equal(directory_read(directory, "c", &text), -ELOOP);
        assert_int_equal(directory_read_number(directory, "b", &number), -ELOOP);

        free(TAKE_PTR(text));
        assert_int_equal(directory_readlink_name(directory, "b", &text), 0);
        assert_string_equal(text, "name");
        assert_int_equal(directory_readlink_name(directory, "none", &text), -ENOENT);
        assert_int_equal(directory_readlink_name(directory, "a", &text), -EINVAL);
}

/* Where openat2(2) is filtered, as by RestrictSUIDSGID=, only the machine's own root can be read: nothing else keeps links
 * within a tree. */
static int read_without_openat2(const Fixture *f) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { ELEMENTSOF(filter), filter };
        _cleanup_(closep) int machine = root_open("/");

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return 77;
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(closep) int fd = root_openat(machine, "proc/self/status", O_RDONLY);

                if (fd < 0 || root_openat(f->root, "a", O_RDONLY) != -ENOSYS || root_openat(machine, "a/b/c", O_RDONLY) != -ENOENT)
                        return 1;
        }
        return 0;
}

static void test_without_openat2(void **state) {
        Fixture *f = *state;
        pid_t pid;
        int status;

        fixture_write(f, "a", "one\n");
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(read_without_openat2(f));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
                skip();
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_write(void **state) {
        _cleanup_(freep) char *text = NULL;
        Fixture *f = *state;

        assert_int_equal(root_write(f->root, "attribute", "x"), -ENOENT); /* sysfs attributes exist or do not */
        fixture_write(f, "attribute", "");
        assert_int_equal(root_write(f->root, "attribute", "vfio-pci"), 0);
        assert_int_equal(root_read(f->root, "attribute", &text), 0);
        assert_string_equal(text, "vfio-pci");
}

static void test_list(void **state) {
        Fixture *f = *state;
        char **names;
        size_t n;

        fixture_write(f, "d/b", "");
        fixture_write(f, "d/a", "");
        fixture_write(f, "d/.c", "");
        fixture_directory(f, "d/B");
        assert_int_equal(root_list(f->root, "d", &names, &n), 0);
        assert_int_equal(n, 4);
        assert_string_equal(names[0], ".c");
        assert_string_equal(names[1], "B");
        assert_string_equal(names[2], "a");
        assert_string_equal(names[3], "b");
        assert_null(strings_free(names, n));

        assert_int_equal(root_list(f->root, "none", &names, &n), -ENOENT);
        assert_int_equal(root_list(f->root, "d/a", &names, &n), -ENOTDIR);
}

static void test_descriptors_close_on_exec(void **state) {
        _cleanup_(closep) int fd = -EBADF;
        Fixture *f = *state;

        assert_true(fcntl(f->root, F_GETFD) & FD_CLOEXEC);
        fixture_write(f, "a", "");
        fd = root_openat(f->root, "a", O_RDONLY);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(root_open("/nonexistent"), -ENOENT);
        assert_int_equal(root_open("/etc/passwd"), -ENOTDIR);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_read),
                fixture_test(test_read_limit),
                fixture_test(test_read_pipe),
                fixture_test(test_without_links),
                fixture_test(test_number),
                fixture_test(test_links),
                fixture_test(test_nothing_leads_out),
                fixture_test(test_directory),
                fixture_test(test_without_openat2),
                fixture_test(test_write),
                fixture_test(test_list),
                fixture_test(test_descriptors_close_on_exec),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
