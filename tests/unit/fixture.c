/* SPDX-License-Identifier: BSD-3-Clause */
/* A root directory for tests, made from text and removed afterwards. */

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fixture.h"
#include "log.h"
#include "root.h"

int fixture_setup(void **state) {
        Fixture *f = calloc(1, sizeof *f);

        if (!f)
                return -1;
        (void) unsetenv("JOURNAL_STREAM");
        log_set_max_priority(-1);
        f->log = f->saved_stderr = -EBADF;
        strcpy(f->path, "/tmp/vxm-test-XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->root = root_open(f->path);
        *state = f;
        return f->root < 0 ? -1 : 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position) {
        (void) st;
        (void) type;
        (void) position;
        return remove(path);
}

int fixture_teardown(void **state) {
        Fixture *f = *state;
        int r;

        if (f->log >= 0)
                free(fixture_log(f)); /* the test has failed with its capture on */
        close(f->root);
        r = nftw(f->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(f);
        return r;
}

static void make_parents(Fixture *f, const char *path) {
        _cleanup_(freep) char *copy = strdup(path);

        assert_non_null(copy);
        for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                assert_true(mkdirat(f->root, copy, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
}

void fixture_directory(Fixture *f, const char *path) {
        make_parents(f, path);
        assert_true(mkdirat(f->root, path, 0755) == 0 || errno == EEXIST);
}

void fixture_remove(Fixture *f, const char *path) {
        assert_int_equal(unlinkat(f->root, path, 0), 0);
}

void fixture_write(Fixture *f, const char *path, const char *content) {
        int fd;

        make_parents(f, path);
        (void) unlinkat(f->root, path, 0);
        fd = openat(f->root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write_full(fd, content, strlen(content)), 0);
        close(fd);
}

/* One more line at the end of a file that is there. */
static void append_line(Fixture *f, const char *path, const char *line) {
        _cleanup_(closep) int fd = openat(f->root, path, O_WRONLY | O_APPEND | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write_full(fd, line, strlen(line)), 0);
        assert_int_equal(write_full(fd, "\n", 1), 0);
}

/* A file of bytes that are given in hexadecimal digits. */
static void write_bytes(Fixture *f, const char *path, const char *digits) {
        _cleanup_(closep) int fd = -EBADF;
        unsigned byte;
        int used;

        fixture_write(f, path, "");
        fd = openat(f->root, path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_true(fd >= 0);
        for (; sscanf(digits, " %2x%n", &byte, &used) == 1; digits += used)
                assert_int_equal(write_full(fd, &(uint8_t){ (uint8_t) byte }, 1), 0);
        assert_int_equal(digits[strspn(digits, " ")], '\0');
}

void fixture_link(Fixture *f, const char *path, const char *target) {
        make_parents(f, path);
        (void) unlinkat(f->root, path, 0);
        assert_int_equal(symlinkat(target, f->root, path), 0);
}

/* Splits “path OPERATOR value” in place; value may be empty. */
static bool split(char *line, const char *operator, char **ret_value) {
        char *space = strchr(line, ' ');
        size_t n = strlen(operator);

        if (!space || strncmp(space + 1, operator, n) != 0 || (space[n + 1] != '\0' && space[n + 1] != ' '))
                return false;
        *space = '\0';
        *ret_value = space[n + 1] == ' ' ? space + n + 2 : space + n + 1;
        return true;
}

static void expand_line(Fixture *f, char *line) {
        _cleanup_(freep) char *content = NULL;
        size_t n = strlen(line);
        char *value;

        if (n == 0 || *line == '#')
                return;
        if (*line == '!') {
                fixture_remove(f, line + 1);
        } else if (line[n - 1] == '/' && !strchr(line, ' ')) {
                line[n - 1] = '\0';
                fixture_directory(f, line);
        } else if (split(line, "->", &value)) {
                fixture_link(f, line, value);
        } else if (split(line, "+=", &value)) {
                append_line(f, line, value);
        } else if (split(line, "=x", &value)) {
                write_bytes(f, line, value);
        } else if (split(line, "=", &value)) {
                assert_int_equal(format(&content, "%s%s", value, isempty(value) ? "" : "\n"), 0);
                fixture_write(f, line, content);
        } else {
                fail_msg("not a line of a tree: %s", line);
        }
}

void fixture_lines(Fixture *f, const char *lines) {
        _cleanup_(freep) char *copy = strdup(lines);
        char *rest = copy, *line;

        assert_non_null(copy);
        while ((line = strsep(&rest, "\n")))
                expand_line(f, line);
}

void fixture_machine(Fixture *f, const char *name) {
        _cleanup_(closep) int machines = root_open(VXM_MACHINES);
        _cleanup_(freep) char *file = NULL, *text = NULL;

        assert_true(machines >= 0);
        assert_int_equal(format(&file, "%s.tree", name), 0);
        assert_int_equal(root_read(machines, file, &text), 0);
        fixture_lines(f, text);
}

void fixture_capture(Fixture *f) {
        f->log = memfd_create("log", MFD_CLOEXEC);
        assert_true(f->log >= 0);
        f->saved_stderr = dup(STDERR_FILENO);
        assert_true(f->saved_stderr >= 0);
        assert_true(dup2(f->log, STDERR_FILENO) >= 0);
        log_set_max_priority(LOG_DEBUG);
}

char *fixture_log(Fixture *f) {
        char *text = NULL;
        int r;

        log_set_max_priority(-1);
        (void) dup2(f->saved_stderr, STDERR_FILENO);
        close(f->saved_stderr);
        r = lseek(f->log, 0, SEEK_SET) < 0 ? -errno : read_full(f->log, ROOT_FILE_MAX, &text, NULL);
        close(f->log);
        f->log = f->saved_stderr = -EBADF;
        return r < 0 ? NULL : text;
}

void fixture_assert_logged(Fixture *f, const char *text) {
        _cleanup_(freep) char *log = fixture_log(f);

        assert_non_null(log);
        if (!strstr(log, text))
                fail_msg("not logged: %s\nlogged was: %s", text, log);
}
