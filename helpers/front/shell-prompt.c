/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads lines. */

#include <fcntl.h>
#include <signal.h>

#include "edit-library.h"
#include "shell-line.h"
#include "shell-prompt.h"

enum {
        HISTORY_LINES = 1000,
};

struct ShellPrompt {
        const EditLibrary *edit; /* NULL: plain lines */
        EditLine *line;
        History *history;
        const char *const *words;
        char *file, *buffer;
        size_t size;
        bool terminal;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
        (void) number;
        interrupted = true;
}

static char *prompt_text(EditLine *line) {
        (void) line;
        return (char *) "vxm> ";
}

char *shell_prompt_complete(const char *const *words, const char *begun, size_t size) {
        const char *found = NULL;
        size_t same = 0, n = 0;
        char *text = NULL;

        for (; *words; words++) {
                if (strncmp(*words, begun, size) != 0)
                        continue;
                for (same = n++ == 0 ? strlen(*words) : same; found && strncmp(*words, found, same) != 0;)
                        same--;
                found = found ? found : *words;
        }
        if (n == 0 || (n > 1 && same == size) || format(&text, "%.*s%s", (int) (same - size), found + size, n == 1 ? " " : "") < 0)
                return NULL;
        return text;
}

static unsigned char on_tab(EditLine *line, int c) {
        const EditLibrary *edit = edit_library();
        const LineInfo *info = edit->line(line);
        const char *start = info->cursor;
        _cleanup_(freep) char *text = NULL;
        void *data = NULL;
        ShellPrompt *p;

        (void) c;
        if (edit->get(line, EL_CLIENTDATA, &data) < 0 || !data)
                return CC_ERROR;
        p = data;
        while (start > info->buffer && start[-1] != ' ' && start[-1] != '\t')
                start--;
        if (start == info->cursor || *start != '@')
                return CC_ERROR;
        text = shell_prompt_complete(p->words, start + 1, (size_t) (info->cursor - start - 1));
        return text && edit->insertstr(line, text) == 0 ? CC_REFRESH : CC_ERROR;
}

static void open_editor(ShellPrompt *p) {
        HistEvent event;

        p->edit = edit_library();
        p->line = p->edit ? p->edit->init("vxm", stdin, stdout, stderr) : NULL;
        p->history = p->line ? p->edit->history_init() : NULL;
        if (!p->history)
                return;
        (void) p->edit->history(p->history, &event, H_SETSIZE, HISTORY_LINES);
        (void) p->edit->history(p->history, &event, H_SETUNIQUE, 1);
        if (p->file)
                (void) p->edit->history(p->history, &event, H_LOAD, p->file);
        (void) p->edit->set(p->line, EL_CLIENTDATA, p);
        (void) p->edit->set(p->line, EL_PROMPT, prompt_text);
        (void) p->edit->set(p->line, EL_EDITOR, "emacs");
        (void) p->edit->set(p->line, EL_SIGNAL, 1);
        (void) p->edit->set(p->line, EL_HIST, p->edit->history, p->history);
        (void) p->edit->set(p->line, EL_ADDFN, "vxm-complete", "complete a target", on_tab);
        (void) p->edit->set(p->line, EL_BIND, "^I", "vxm-complete", NULL);
        (void) p->edit->set(p->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

ShellPrompt *shell_prompt_new(const char *const *words, const char *history) {
        ShellPrompt *p = calloc(1, sizeof *p);

        if (!p)
                return NULL;
        p->words = words;
        p->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
        if (history && free_and_strdup(&p->file, history) < 0)
                return shell_prompt_free(p);
        if (p->terminal)
                open_editor(p);
        return p;
}

/* Commands may hold what is nobody else's business. */
static void save_history(ShellPrompt *p) {
        HistEvent event;
        int fd = open(p->file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return;
        close(fd);
        (void) p->edit->history(p->history, &event, H_SAVE, p->file);
}

ShellPrompt *shell_prompt_free(ShellPrompt *p) {
        if (!p)
                return NULL;
        if (p->history)
                p->edit->history_end(p->history);
        if (p->line)
                p->edit->end(p->line);
        free(p->file);
        free(p->buffer);
        free(p);
        return NULL;
}

bool shell_prompt_is_terminal(const ShellPrompt *p) {
        return p->terminal;
}

static int take(const char *text, size_t n, char **ret) {
        while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
                n--;
        if (n > SHELL_LINE_MAX)
                return -EMSGSIZE;
        *ret = strndup(text, n);
        return *ret ? 1 : -ENOMEM;
}

static int read_edited(ShellPrompt *p, char **ret) {
        HistEvent event;
        int n = 0;
        const char *text = p->edit->gets(p->line, &n);

        if (!text || n <= 0)
                return 0;
        if (strspn(text, " \t\r\n") < (size_t) n) {
                (void) p->edit->history(p->history, &event, H_ENTER, text);
                if (p->file)
                        save_history(p); /* at once: a shell may end in many ways */
        }
        return take(text, (size_t) n, ret);
}

static int read_plain(ShellPrompt *p, char **ret) {
        ssize_t n;

        if (p->terminal) {
                fputs("vxm> ", stdout);
                fflush(stdout);
        }
        n = getline(&p->buffer, &p->size, stdin);
        if (n < 0)
                return feof(stdin) ? 0 : -errno;
        return take(p->buffer, (size_t) n, ret);
}

/* Ctrl-C drops the line: it has a handler here, and ends a read, which libedit tells as the end. */
static int read_interruptible(ShellPrompt *p, char **ret) {
        struct sigaction action = { .sa_handler = on_interrupt }, before;
        int r;

        if (sigaction(SIGINT, &action, &before) < 0)
                return -errno;
        interrupted = false;
        r = p->history ? read_edited(p, ret) : read_plain(p, ret);
        (void) sigaction(SIGINT, &before, NULL);
        if (r > 0 || !interrupted)
                return r;
        clearerr(stdin);
        fputs(p->history ? "^C\n" : "\n", stdout); /* where nobody edits, the terminal shows the key itself */
        return take("", 0, ret);
}

int shell_prompt_read(ShellPrompt *p, char **ret) {
        return p->terminal ? read_interruptible(p, ret) : read_plain(p, ret);
}
