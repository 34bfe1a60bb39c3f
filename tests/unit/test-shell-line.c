/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of vxm shell: what is ours in them, and what is the machines'. */

#include "fixture.h"
#include "shell-line.h"
#include "shell-prompt.h"

/* “target:text|target:text <target:path >target:path” */
static char *describe(const ShellLine *line) {
        char *text = NULL;

        for (size_t i = 0; i < line->n; i++)
                assert_int_equal(list_append(&text, "|", "%s:%s", line->stages[i].target ? line->stages[i].target : "", line->stages[i].text), 0);
        if (line->input.text)
                assert_int_equal(list_append(&text, " <", "%s:%s", line->input.target, line->input.text), 0);
        if (line->output.text)
                assert_int_equal(list_append(&text, " >", "%s:%s", line->output.target, line->output.text), 0);
        return text ? text : strdup("");
}

static void test_good(void **state) {
        static const char *const rows[][2] = {
                { "", "" },
                { "  \t", "" },
                { "# @a x", "" },
                { "ls -l", ":ls -l" },
                { "@a true", "a:true" },
                { "  @a   dmesg  ", "a:dmesg" },
                { "@win11 dir C:\\Users", "win11:dir C:\\Users" },
                { "@a --snapshot save x", "a:--snapshot save x" },
                /* theirs */
                { "@a dmesg | tail -1 > x; cat < y", "a:dmesg | tail -1 > x; cat < y" },
                { "@a true || echo @b && echo '| @b x'", "a:true || echo @b && echo '| @b x'" },
                { "@a echo \"> @b y\" \\> @b", "a:echo \"> @b y\" \\> @b" },
                { "@a mail root@b < x", "a:mail root@b < x" },
                { "@a cmd | @", "a:cmd | @" },
                { "@a echo it's | cat", "a:echo it's | cat" }, /* a quote without an end */
                /* ours */
                { "@a cat x | @b tac", "a:cat x|b:tac" },
                { "@a cat x|@b tac", "a:cat x|b:tac" },
                { "@a exit 7", "a:exit 7" },
                { "@a x &", "a:x &" },
                { "@a cat x2> @b y", "a:cat x2 >b:y" },
                { "@a echo 2 > @b y", "a:echo 2 >b:y" },
                { "@a echo 2| @b y", "a:echo 2|b:y" },
                { "ls | @b wc -l", ":ls|b:wc -l" },
                { "@a x | sort | @b y | @c z", "a:x | sort|b:y|c:z" },
                { "@windows ipconfig > @spirit /tmp/win-ip.txt", "windows:ipconfig >spirit:/tmp/win-ip.txt" },
                { "@a cat < @b /x", "a:cat <b:/x" },
                { "@a sort < @b '/x y' > @c /z", "a:sort <b:/x y >c:/z" },
                { "@a sort > @c /z < @b /x\\ y", "a:sort <b:/x y >c:/z" },
                { "@a sort < @b /x | @c y > @d \"/z 'q\"", "a:sort|c:y <b:/x >d:/z 'q" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *text = NULL;
                ShellLine line;
                const char *error;

                if (shell_line_parse(rows[i][0], &line, &error) < 0)
                        fail_msg("%s: %s", rows[i][0], error);
                text = describe(&line);
                shell_line_done(&line);
                assert_string_equal(text, rows[i][1]);
        }
}

static void test_wrong(void **state) {
        static const char *const rows[][2] = {
                { "@a", "a command is missing" },
                { "@Foo x", "followed by the name" },
                { "@a/b x", "followed by the name" },
                { "@abcdefghijklmnopqrstuvwxyz x", "followed by the name" },
                { "@a x | @B y", "followed by the name" },
                { "| @a x", "a command is missing" },
                { "@a x > @b", "a file is missing" },
                { "@a x > @b ''", "a file is missing" },
                { "@a x > @b y z", "can follow the file" },
                { "@a x >> @b y", "only “|”, “<” and “>”" },
                { "@a x |& @b y", "only “|”, “<” and “>”" },
                { "@a x 2> @b y", "only “|”, “<” and “>”" },
                { "@a x &> @b y", "only “|”, “<” and “>”" },
                { "@a x 0<@b y", "only “|”, “<” and “>”" },
                { "@a x > @b y > @c z", "input comes from one" },
                { "@a x > @b y | @c z", "only the last" },
                { "@a x | @c z < @b y", "only the first" },
                { "@a x < @b y | sort", "can follow the file" },
                { "@a x > @b y <", "can follow the file" },
                { "@a x |@b y|@c y|@d y|@e y|@f y|@g y|@h y|@i y|@j y|@k y|@l y|@m y|@n y|@o y|@p y|@q y", "so many" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ShellLine line;
                const char *error = NULL;

                if (shell_line_parse(rows[i][0], &line, &error) != -EINVAL || !error || !strstr(error, rows[i][1]))
                        fail_msg("%s: %s", rows[i][0], error ? error : "taken");
        }
}

static void test_too_long(void **state) {
        _cleanup_(freep) char *text = malloc(SHELL_LINE_MAX + 2);
        ShellLine line;
        const char *error;

        (void) state;
        memset(text, 'x', SHELL_LINE_MAX + 1);
        text[SHELL_LINE_MAX + 1] = '\0';
        assert_int_equal(shell_line_parse(text, &line, &error), -EINVAL);
        text[SHELL_LINE_MAX] = '\0';
        assert_int_equal(shell_line_parse(text, &line, &error), 0);
        shell_line_done(&line);
}

static void test_words(void **state) {
        static const char *const words[] = { "--snapshot", "save me", "a\\b", "x'y", "" };
        const char *p = "  --snapshot 'save me' \"a\\b\" x\"'\"y '' ";
        char *word;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                assert_int_equal(shell_word(&p, &word), 1);
                assert_string_equal(word, words[i]);
                free(word);
        }
        assert_int_equal(shell_word(&p, &word), 0);
}

static void test_complete(void **state) {
        static const char *const targets[] = { "demo", "docker", "spirit", "win10", "win11", NULL };
        static const char *const rows[][2] = { { "d", NULL }, { "de", "mo " }, { "w", "in1" }, { "win1", NULL }, { "win11", " " }, { "x", NULL },
                { "", NULL }, { "s", "pirit " } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *text = shell_prompt_complete(targets, rows[i][0], strlen(rows[i][0]));

                if (!streq_ptr(text, rows[i][1]))
                        fail_msg("%s: %s", rows[i][0], text ? text : "(nothing)");
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_complete),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
