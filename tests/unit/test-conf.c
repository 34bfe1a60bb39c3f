/* SPDX-License-Identifier: BSD-3-Clause */
/* The syntax of guest files: what a text becomes, line by line, and that each error names its line. */

#include "conf.h"
#include "exit-status.h"
#include "fixture.h"
#include "log.h"

/* Writes each line taken in as “LINE [SECTION] KEY=VALUE;”. */
static int record(const ConfLine *line, void *userdata) {
        FILE *f = userdata;

        assert_string_equal(line->file, "/x");
        if (line->key)
                fprintf(f, "%u [%s] %s=%s;", line->line, line->section, line->key, line->value);
        else
                fprintf(f, "%u [%s];", line->line, line->section);
        return 0;
}

static int parse(const char *text, size_t size, char **ret) {
        _cleanup_(freep) char *copy = malloc(size + 1);
        size_t ret_size;
        FILE *f;
        int r;

        assert_non_null(copy);
        memcpy(copy, text, size);
        copy[size] = '\0';
        f = open_memstream(ret, &ret_size);
        assert_non_null(f);
        r = conf_parse(copy, size, "/x", record, f);
        fclose(f);
        return r;
}

static void test_good(void **state) {
        static const struct {
                const char *text, *wanted;
        } rows[] = {
                { "", "" },
                { "\n\n \t\n", "" },
                { "# c\n; c\n  # c\n", "" },
                { "[A]", "1 [A];" },
                { "[A]\nk=v", "1 [A];2 [A] k=v;" },
                { "[A]\nk=v\n", "1 [A];2 [A] k=v;" },
                { "[A]\n  k \t=\t v  \n", "1 [A];2 [A] k=v;" },
                { "[A]\nk=\n", "1 [A];2 [A] k=;" },
                { "[A]\nk=a\\\\\nl=b\n", "1 [A];2 [A] k=a\\\\;3 [A] l=b;" },
                { "[A]\nk=\xe2\x86\x92\xf0\x9f\x96\xa5\n", "1 [A];2 [A] k=\xe2\x86\x92\xf0\x9f\x96\xa5;" },
                { "[A]\nk=a=b=c\n", "1 [A];2 [A] k=a=b=c;" },
                { "[A]\nk=v # no comment\n", "1 [A];2 [A] k=v # no comment;" },
                { "[A]\nk=\"v\"\n", "1 [A];2 [A] k=\"v\";" },
                { "[A]\r\nk=v\r\n", "1 [A];2 [A] k=v;" },
                { "[A]\n\n# c\nk=1\n[B]\nk=2\n[A]\nk=3\n", "1 [A];4 [A] k=1;5 [B];6 [B] k=2;7 [A];8 [A] k=3;" },
                { "[Disk root]\nk=v\n", "1 [Disk root];2 [Disk root] k=v;" },
                { "[ A ]\nk=v\n", "1 [A];2 [A] k=v;" },
                /* Continued lines count as one, at the first's number; comments between them are dropped. */
                { "[A]\nk=a\\\nb\nl=c\n", "1 [A];2 [A] k=a b;4 [A] l=c;" },
                { "[A]\nk=a \\\n  b \\\n  c\n", "1 [A];2 [A] k=a  b  c;" },
                { "[A]\nk=a\\\n# comment\n; and another\nb\n", "1 [A];2 [A] k=a b;" },
                { "[A]\nk=a\\\n\nl=b\n", "1 [A];2 [A] k=a;4 [A] l=b;" },
                { "[A]\nk=a\\\n[B]\n", "1 [A];2 [A] k=a [B];" },
                { "[A]\n# comment \\\nk=v\n", "1 [A];3 [A] k=v;" },
                { "[A]\nk=a\\", "1 [A];2 [A] k=a;" },
                { "[A]\nk=a\\b\n", "1 [A];2 [A] k=a\\b;" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *seen = NULL;

                assert_int_equal(parse(rows[i].text, strlen(rows[i].text), &seen), 0);
                assert_string_equal(seen, rows[i].wanted);
        }
}

/* What stands behind an error is still looked at. */
static void test_bad(void **state) {
        static const struct {
                const char *text, *wanted, *log;
        } rows[] = {
                { "k=v\n", "", "/x:1: “k=v” stands outside of any [Section]." },
                { "\n#\n[A]\nword\nk=v\n", "3 [A];5 [A] k=v;", "/x:4: “word” is not an assignment; write Key=Value." },
                { "[A]\n=v\n", "1 [A];", "/x:2: “=v” is not an assignment; write Key=Value." },
                { "[A\nk=v\n", "", "/x:1: “[A” is not a section; write it as [Name]." },
                { "[]\n", "", "/x:1: “[]” is not a section; write it as [Name]." },
                { "[A]\n[B] x\nk=v\n", "1 [A];", "/x:2: “[B] x” is not a section; write it as [Name]." },
                { "[A]\nk=\xc3(\n", "", "/x: This is no text in UTF-8" },
                { "[A]\nk=\xed\xa0\x80\n", "", "/x: This is no text in UTF-8" },
                { "[A]\nk=\xc0\xaf\n", "", "/x: This is no text in UTF-8" },
                { "[A]\nk=1\\\n2\nbad\n", "1 [A];2 [A] k=1 2;", "/x:4: “bad” is not an assignment; write Key=Value." },
                { "[A]\nbad\\\nmore\n", "1 [A];", "/x:2: “bad more” is not an assignment; write Key=Value." },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *seen = NULL;
                int r;

                fixture_capture(f);
                r = parse(rows[i].text, strlen(rows[i].text), &seen);
                fixture_assert_logged(f, rows[i].log);
                assert_int_equal(r, -E_CONFIG);
                assert_string_equal(seen, rows[i].wanted);
        }
}

static void test_nul(void **state) {
        static const char text[] = "[A]\nk=v\0\n[B]\n";
        _cleanup_(freep) char *seen = NULL;
        Fixture *f = *state;
        int r;

        fixture_capture(f);
        r = parse(text, sizeof text - 1, &seen);
        fixture_assert_logged(f, "/x: This is no text in UTF-8");
        assert_int_equal(r, -E_CONFIG);
        assert_string_equal(seen, "");
}

static int refuse(const ConfLine *line, void *userdata) {
        int *n = userdata;

        (*n)++;
        return line->key ? -ERANGE : 0;
}

/* The handler's first error is the result, and does not stop the rest. */
static void test_handler_error(void **state) {
        char text[] = "[A]\nk=1\nk=2\nbad\n[B]\n";
        int n = 0;

        (void) state;
        assert_int_equal(conf_parse(text, strlen(text), "/x", refuse, &n), -ERANGE);
        assert_int_equal(n, 4);
}

static void test_log_result(void **state) {
        (void) state;
        assert_int_equal(conf_log(LOG_ERR, "/x", 1, "text"), -E_CONFIG);
        assert_int_equal(conf_log(LOG_WARNING, "/x", 1, "text"), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_good),
                fixture_test(test_bad),
                fixture_test(test_nul),
                fixture_test(test_handler_error),
                fixture_test(test_log_result),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
