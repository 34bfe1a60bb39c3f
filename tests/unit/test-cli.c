/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line all helpers share. */

#include <fcntl.h>
#include <getopt.h>
#include <sys/mman.h>

#include "cli.h"
#include "fixture.h"

static bool arg_flag;
static const char *arg_value;

static const CliOption options[] = {
        { "flag", NULL, "a flag", &arg_flag, NULL },
        { "value", "WORD", "a value", NULL, &arg_value },
        {},
};

/* Runs cli_parse() as a program of n operands would, -n: that may be left out; the first operand, or NULL, in *ret_operand. */
static int parse(const char *const words[static 6], int n, const char **ret_operand) {
        Cli cli = { "vxm-test", "Tests.", "GUEST", abs(n), options, n < 0 };
        char *argv[8] = { (char *) "vxm-test" }, **operands = NULL;
        int argc = 1, r;

        for (int i = 0; i < 6 && words[i]; i++)
                argv[argc++] = (char *) words[i];
        arg_flag = false;
        arg_value = NULL;
        r = cli_parse(&cli, argc, argv, &operands);
        if (ret_operand)
                *ret_operand = r > 0 ? operands[0] : NULL;
        return r;
}

static void test_good(void **state) {
        const char *operand;

        (void) state;
        assert_int_equal(parse((const char *const[6]){ "win11" }, 1, &operand), 1);
        assert_string_equal(operand, "win11");
        assert_false(arg_flag);
        assert_null(arg_value);

        assert_int_equal(parse((const char *const[6]){ "--flag", "win11", "--value", "x" }, 1, &operand), 1);
        assert_string_equal(operand, "win11");
        assert_true(arg_flag);
        assert_string_equal(arg_value, "x");

        assert_int_equal(parse((const char *const[6]){ "--value=", "--", "--flag" }, 1, &operand), 1);
        assert_string_equal(operand, "--flag");
        assert_false(arg_flag);
        assert_string_equal(arg_value, "");

        assert_int_equal(parse((const char *const[6]){ "a", "b", "c" }, 3, &operand), 1);
        assert_string_equal(operand, "a");
        assert_int_equal(parse((const char *const[6]){}, 0, NULL), 1);
}

/* All of them or none. */
static void test_optional(void **state) {
        const char *operand;

        (void) state;
        assert_int_equal(parse((const char *const[6]){ "--flag" }, -1, &operand), 1);
        assert_null(operand);
        assert_true(arg_flag);
        assert_int_equal(parse((const char *const[6]){ "win11", "--flag" }, -1, &operand), 1);
        assert_string_equal(operand, "win11");
        assert_int_equal(parse((const char *const[6]){ "a", "b" }, -1, &operand), -EINVAL);
        assert_int_equal(parse((const char *const[6]){ "a" }, -2, &operand), -EINVAL);
        assert_int_equal(parse((const char *const[6]){}, -2, &operand), 1);
}

/* A command that is given keeps its own options; and one command line can follow another. */
static void test_more(void **state) {
        static const Cli cli = { .program = "vxm-test", .summary = "Tests.", .operands = "GUEST COMMAND…", .n_operands = 2,
                .options = options, .n_more = CLI_ANY, .verbatim = true };
        static const char *const words[] = { "guest", "--flag", "win11", "ls", "--flag", "-l" };
        char *argv[8] = {}, **operands;

        (void) state;
        for (int i = 0; i < 6; i++)
                argv[i] = (char *) words[i];
        for (int round = 0; round < 2; round++) {
                arg_flag = false;
                assert_int_equal(cli_parse(&cli, 6, argv, &operands), 1);
                assert_true(arg_flag);
                assert_ptr_equal(operands, argv + 2);
                assert_string_equal(operands[2], "--flag");
                assert_ptr_equal(argv[0], words[0]); /* may be an operand of the line around this one */
        }
        assert_int_equal(cli_parse(&cli, 3, argv, &operands), -EINVAL);
        assert_int_equal(cli_parse(&cli, 4, argv, &operands), 1);
}

/* With --dry-run any root will do, and this machine's always. */
static void test_root_alone(void **state) {
        static const char *root;
        static bool dry_run;
        static const CliOption with_root[] = {
                { "dry-run", NULL, "print the steps", &dry_run, NULL },
                { "root", "DIR", "the files below DIR", NULL, &root },
                {},
        };
        static const Cli cli = { "vxm-test", "Tests.", "GUEST", 1, with_root, .root_alone = "goes with --dry-run." };
        static const struct {
                const char *words[4];
                int result;
        } rows[] = {
                { { "vxm-test", "win11" }, 1 },
                { { "vxm-test", "--root=/", "win11" }, 1 },
                { { "vxm-test", "--root=/tmp", "win11" }, -EINVAL },
                { { "vxm-test", "--root=/tmp", "--dry-run", "win11" }, 1 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char *argv[5] = {}, **operands;
                int argc = 0;

                for (; argc < 4 && rows[i].words[argc]; argc++)
                        argv[argc] = (char *) rows[i].words[argc];
                root = "/";
                dry_run = false;
                optind = 0;
                assert_int_equal(cli_parse(&cli, argc, argv, &operands), rows[i].result);
        }
}

static void test_bad(void **state) {
        static const struct {
                const char *words[6], *log;
        } rows[] = {
                { {}, "vxm-test: expected GUEST; see vxm-test --help.\n" },
                { { "a", "b" }, "vxm-test: expected GUEST, so “b” is too much; see vxm-test --help.\n" },
                { { "--flag" }, "vxm-test: expected GUEST; see vxm-test --help.\n" },
                { { "--nonsense", "a" }, "vxm-test: there is no option --nonsense; see vxm-test --help.\n" },
                { { "-x", "a" }, "vxm-test: there is no option -x; see vxm-test --help.\n" },
                { { "--flag=yes", "a" }, "vxm-test: there is no option --flag=yes; see vxm-test --help.\n" },
                { { "a", "--value" }, "vxm-test: --value needs a value; see vxm-test --help.\n" },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *log = NULL;
                int r;

                fixture_capture(f);
                r = parse(rows[i].words, 1, NULL);
                log = fixture_log(f);
                assert_string_equal(log, rows[i].log); /* one line, and why */
                assert_int_equal(r, -EINVAL);
        }
}

/* Standard output while one option is looked at. */
static char *output_of(const char *option) {
        int fd = memfd_create("output", MFD_CLOEXEC), saved = dup(STDOUT_FILENO), r;
        char *text = NULL;

        fflush(stdout);
        assert_true(fd >= 0 && saved >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
        r = parse((const char *const[6]){ option }, 1, NULL);
        fflush(stdout);
        assert_true(dup2(saved, STDOUT_FILENO) >= 0);
        close(saved);
        assert_int_equal(r, 0);
        assert_true(lseek(fd, 0, SEEK_SET) == 0);
        assert_int_equal(read_full(fd, 65536, &text, NULL), 0);
        close(fd);
        return text;
}

static void test_help(void **state) {
        _cleanup_(freep) char *help = output_of("--help"), *short_help = output_of("-h"), *version = output_of("--version");

        (void) state;
        assert_non_null(strstr(help, "vxm-test [OPTION…] GUEST\n\nTests.\n"));
        assert_non_null(strstr(help, "\n  --flag              a flag\n"));
        assert_non_null(strstr(help, "\n  --value WORD        a value\n"));
        assert_non_null(strstr(help, "\n  --help "));
        assert_non_null(strstr(help, "\n  --version "));
        assert_string_equal(short_help, help);
        assert_string_equal(version, "vxm-test " VXM_VERSION "\n");
}

/* What belongs to another program is left alone, and so are options in any case behind “--”. */
static void test_verbatim(void **state) {
        static bool follow;
        static const CliOption letters[] = {
                { "follow", NULL, "go on", &follow, NULL, 'f' },
                { "lines", "N", "so many", NULL, &arg_value, 'n' },
                {},
        };
        static const Cli cli = { "vxm-test", "Tests.", "NAME [WORD…]", 1, letters, .n_more = 2, .verbatim = true, .manual = "vxm(1)" };
        char *good[] = { (char *) "x", (char *) "-f", (char *) "-n", (char *) "5", (char *) "win11", (char *) "-n", (char *) "--help", NULL };
        char *many[] = { (char *) "x", (char *) "a", (char *) "b", (char *) "c", (char *) "d", NULL };
        char **operands;

        (void) state;
        assert_int_equal(cli_parse(&cli, 7, good, &operands), 1);
        assert_true(follow);
        assert_string_equal(arg_value, "5");
        assert_string_equal(operands[0], "win11");
        assert_string_equal(operands[1], "-n");
        assert_string_equal(operands[2], "--help");
        assert_null(operands[3]);
        assert_int_equal(cli_parse(&cli, 5, many, &operands), -EINVAL);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_good),
                fixture_test(test_optional),
                fixture_test(test_more),
                fixture_test(test_root_alone),
                fixture_test(test_verbatim),
                fixture_test(test_bad),
                fixture_test(test_help),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
