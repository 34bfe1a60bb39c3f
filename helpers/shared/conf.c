/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads systemd's configuration syntax, strictly: what systemd would warn about and skip is an error here, because a
 * guest that starts without half of its file is worse than one that does not start. */

#include <stdarg.h>

#include "conf.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"

typedef struct Reader {
        const char *file;
        char *rest; /* NULL at the end */
        unsigned line;
        char *section;
        bool skip; /* the lines below a section that is none */
} Reader;

int conf_log(int priority, const char *file, unsigned line, const char *fmt, ...) {
        _cleanup_(freep) char *text = NULL;
        char number[16];
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (r < 0) {
                text = NULL;
                return log_oom();
        }

        (void) snprintf(number, sizeof number, "%u", line);
        if (line > 0)
                log_event(priority, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", file, "CONFIG_LINE", number),
                        "%s:%u: %s", file, line, text);
        else
                log_event(priority, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", file), "%s: %s", file, text);
        return priority <= LOG_ERR ? -E_CONFIG : 0;
}

static char *next_line(Reader *reader) {
        char *line = reader->rest, *end;

        if (!line || *line == '\0')
                return reader->rest = NULL;

        end = strchr(line, '\n');
        if (end)
                *end++ = '\0';
        reader->rest = end;
        reader->line++;
        return line;
}

static bool is_comment(const char *line) {
        return *line == '#' || *line == ';';
}

/* Whether the line goes on in the next: it ends with a backslash that no other one escapes. Cuts it off. */
static bool cut_backslash(char *line) {
        size_t n = strlen(line), backslashes = 0;

        while (backslashes < n && line[n - 1 - backslashes] == '\\')
                backslashes++;
        if (backslashes % 2 == 0)
                return false;
        line[n - 1] = '\0';
        return true;
}

/* Reads one logical line: continued lines are joined with a space, comments between them are dropped, as in systemd.
 * Returns 1 and the line, 0 at the end, -ENOMEM. */
static int next_logical_line(Reader *reader, char **ret, unsigned *ret_number) {
        _cleanup_(freep) char *joined = NULL;
        char *line;
        bool more;

        do {
                line = next_line(reader);
                if (!line)
                        return 0;
                line = strstrip(line);
        } while (*line == '\0' || is_comment(line));

        *ret_number = reader->line;
        more = cut_backslash(line);
        joined = strdup(line);
        if (!joined)
                return -ENOMEM;

        while (more && (line = next_line(reader))) {
                char *longer;
                int r;

                line = strstrip(line);
                if (is_comment(line))
                        continue;
                more = cut_backslash(line);
                r = format(&longer, "%s %s", joined, line);
                if (r < 0)
                        return r;
                free(joined);
                joined = longer;
        }

        *ret = TAKE_PTR(joined);
        return 1;
}

static int handle_section(Reader *reader, char *line, unsigned number, ConfHandler handler, void *userdata) {
        size_t n = strlen(line);
        int r;

        if (n < 3 || line[n - 1] != ']') {
                reader->section = (free(reader->section), NULL);
                reader->skip = true; /* what follows belongs to it, and is not complained about once more */
                return conf_log(LOG_ERR, reader->file, number, "“%s” is not a section; write it as [Name].", line);
        }

        reader->skip = false;
        line[n - 1] = '\0';
        r = free_and_strdup(&reader->section, strstrip(line + 1));
        if (r < 0)
                return r;
        return handler(&(ConfLine){ reader->file, number, reader->section, NULL, NULL }, userdata);
}

static int handle_line(Reader *reader, char *line, unsigned number, ConfHandler handler, void *userdata) {
        char *equals;

        if (*line == '[')
                return handle_section(reader, line, number, handler, userdata);

        if (reader->skip)
                return 0;
        equals = strchr(line, '=');
        if (!equals || equals == line)
                return conf_log(LOG_ERR, reader->file, number, "“%s” is not an assignment; write Key=Value.", line);
        if (!reader->section)
                return conf_log(LOG_ERR, reader->file, number, "“%s” stands outside of any [Section].", line);

        *equals = '\0';
        return handler(&(ConfLine){ reader->file, number, reader->section, strstrip(line), strstrip(equals + 1) },
                userdata);
}

int conf_parse(char *text, size_t size, const char *file, ConfHandler handler, void *userdata) {
        Reader reader = { .file = file, .rest = text };
        int r, first_error = 0;

        if (strlen(text) != size || !utf8_is_valid(text))
                return conf_log(LOG_ERR, file, 0, "This is no text in UTF-8; a guest file is plain text.");

        for (;;) {
                _cleanup_(freep) char *line = NULL;
                unsigned number;

                r = next_logical_line(&reader, &line, &number);
                if (r > 0)
                        r = handle_line(&reader, line, number, handler, userdata);
                else if (r == 0)
                        break;
                if (r < 0 && first_error == 0)
                        first_error = r;
                if (r == -ENOMEM)
                        break;
        }

        free(reader.section);
        return first_error;
}
