/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds in a line what is ours. */

#include "shell-line.h"

static const char *skip_blanks(const char *p) {
        while (*p == ' ' || *p == '\t')
                p++;
        return p;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\0';
}

/* Behind what stands at p as one: a quoted string, an escaped character, a character. A quote without its end ends with the line. */
static const char *skip_one(const char *p) {
        char quote = *p;

        if (quote == '\\')
                return p[1] ? p + 2 : p + 1;
        if (quote != '\'' && quote != '"')
                return p + 1;
        for (p++; *p && *p != quote; p++)
                if (quote == '"' && *p == '\\' && p[1])
                        p++;
        return *p ? p + 1 : p;
}

/* How long the operator at p is: “|”, “<” or “>” and what belongs to it, for a shell. 0: there is none. */
static size_t operator_length(const char *p) {
        return *p != '|' && *p != '<' && *p != '>' ? 0 : strspn(p, "|<>&");
}

static bool is_ours(const char *p, size_t length) {
        const char *behind = skip_blanks(p + length);

        return behind[0] == '@' && !is_blank(behind[1]);
}

/* The first operator of ours at or behind p, or the line's end. */
static const char *find_operator(const char *p) {
        while (*p) {
                size_t length = operator_length(p);

                if (length > 0 && is_ours(p, length))
                        return p;
                p = length > 0 ? p + length : skip_one(p);
        }
        return p;
}

/* “@NAME” at *p, and the blanks behind it. */
static int take_target(const char **p, char **ret, const char **ret_error) {
        const char *name = *p + 1;
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

        if (n == 0 || n > SHELL_TARGET_MAX || !is_blank(name[n])) {
                *ret_error = "an @ is followed by the name of a guest, by “spirit” or by “docker”; put it in quotes if it is none";
                return -EINVAL;
        }
        *ret = strndup(name, n);
        *p = skip_blanks(name + n);
        return *ret ? 0 : -ENOMEM;
}

int shell_word(const char **text, char **ret) {
        const char *p = skip_blanks(*text), *start = p;
        char *word, *out;

        if (*p == '\0')
                return 0;
        while (!is_blank(*p) && operator_length(p) == 0)
                p = skip_one(p);
        out = word = malloc((size_t) (p - start) + 1);
        if (!word)
                return -ENOMEM;
        for (char quote = '\0'; start < p; start++) {
                if (quote == '\0' ? *start == '\'' || *start == '"' : *start == quote)
                        quote = quote == '\0' ? *start : '\0';
                else if (*start == '\\' && quote != '\'' && start + 1 < p && (quote == '\0' || strchr("\\\"$`", start[1])))
                        *out++ = *++start;
                else
                        *out++ = *start;
        }
        *out = '\0';
        *text = p;
        *ret = word;
        return 1;
}

/* “@TARGET PATH” behind “<” or “>” at *p. */
static int take_place(const char **p, ShellPart *part, const char **ret_error) {
        int r;

        if (part->text) {
                *ret_error = "input comes from one file, and output goes to one";
                return -EINVAL;
        }
        *p = skip_blanks(*p + 1);
        r = take_target(p, &part->target, ret_error);
        r = r < 0 ? r : shell_word(p, &part->text);
        if (r < 0)
                return r;
        if (r == 0 || *part->text == '\0') {
                *ret_error = "a file is missing behind “<” or “>”";
                return -EINVAL;
        }
        *p = skip_blanks(*p);
        if (**p != '\0' && (operator_length(*p) == 0 || !is_ours(*p, operator_length(*p)))) {
                *ret_error = "only “|”, “<” or “>” and an @ can follow the file";
                return -EINVAL;
        }
        return 0;
}

static int take_command(const char **p, ShellPart *part, const char **ret_error) {
        const char *end;
        int r;

        if (**p == '@' && !is_blank((*p)[1])) {
                r = take_target(p, &part->target, ret_error);
                if (r < 0)
                        return r;
        }
        end = find_operator(*p);
        part->text = strndup(*p, (size_t) (end - *p));
        if (!part->text)
                return -ENOMEM;
        if (*strstrip(part->text) == '\0') {
                *ret_error = "a command is missing";
                return -EINVAL;
        }
        *p = end;
        return 0;
}

/* “2>” and “&>” are for a shell of their own machine: without their “>”, the rest would be another command. */
static bool is_redirection(const char *start, const char *operator) {
        const char *p = operator;

        while (p > start && p[-1] >= '0' && p[-1] <= '9')
                p--;
        return (*operator == '<' || *operator == '>') && operator > start && (operator[-1] == '&' || (p < operator && (p == start || is_blank(p[-1]))));
}

/* Whether “<” and “>” at this place make sense together with the “|”s before and behind. */
static int check_flow(const ShellLine *line, char operator, size_t length, const char **ret_error) {
        *ret_error = length != 1                         ? "between machines there are only “|”, “<” and “>”" :
                     operator == '<' && line->n != 1     ? "only the first command takes its input from a file" :
                     operator == '|' && line->output.text ? "only the last command writes to a file" :
                                                           NULL;
        return *ret_error ? -EINVAL : 0;
}

static int parse(const char *p, ShellLine *line, const char **ret_error) {
        for (;;) {
                const char *start = p;
                int r;

                if (line->n == SHELL_STAGES_MAX) {
                        *ret_error = "so many commands do not fit into one line";
                        return -EINVAL;
                }
                r = take_command(&p, &line->stages[line->n++], ret_error);
                if (r >= 0 && is_redirection(start, p)) {
                        *ret_error = "between machines there are only “|”, “<” and “>”";
                        r = -EINVAL;
                }
                while (r >= 0 && (*p == '<' || *p == '>')) {
                        r = check_flow(line, *p, operator_length(p), ret_error);
                        r = r < 0 ? r : take_place(&p, *p == '<' ? &line->input : &line->output, ret_error);
                }
                r = r < 0 || *p == '\0' ? r : check_flow(line, *p, operator_length(p), ret_error);
                if (r < 0 || *p == '\0')
                        return r;
                p = skip_blanks(p + 1);
        }
}

int shell_line_parse(const char *text, ShellLine *ret, const char **ret_error) {
        ShellLine line = {};
        int r;

        text = skip_blanks(text);
        *ret_error = strlen(text) > SHELL_LINE_MAX ? "the line is too long" : NULL;
        r = *ret_error ? -EINVAL : *text == '\0' || *text == '#' ? 0 : parse(text, &line, ret_error);
        if (r < 0) {
                shell_line_done(&line);
                return r;
        }
        *ret = line;
        return 0;
}

static void part_done(ShellPart *part) {
        free(part->target);
        free(part->text);
}

void shell_line_done(ShellLine *line) {
        for (size_t i = 0; i < line->n; i++)
                part_done(&line->stages[i]);
        part_done(&line->input);
        part_done(&line->output);
        *line = (ShellLine){};
}
