/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs an editor on a copy, in a directory that nobody else can look into. */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "editor.h"
#include "late-signal.h"
#include "log.h"
#include "masked-spawn.h"
#include "root.h"

enum {
        WORDS_MAX = 16,
};

extern char **environ;

/* “code --wait” has two words; quotes are none of our business, as there is no shell. Changes text. */
static void split_words(char *text, char *words[static WORDS_MAX + 1]) {
        char *state;
        size_t n = 0;

        for (char *word = strtok_r(text, " \t", &state); word && n < WORDS_MAX - 1; word = strtok_r(NULL, " \t", &state))
                words[n++] = word;
        words[n] = NULL;
}

/* mask: the editor's own signals, of which we hold some. */
static int try(const char *command, const char *file, const sigset_t *mask, pid_t *ret) {
        _cleanup_(freep) char *text = strdup(command);
        char *words[WORDS_MAX + 1] = {};
        size_t n = 0;

        if (!text)
                return -ENOMEM;
        split_words(text, words);
        while (words[n])
                n++;
        if (n == 0)
                return -ENOENT;
        words[n] = (char *) file;
        words[n + 1] = NULL;
        return spawn_with_mask(words[0], words, environ, mask, ret);
}

static int spawn(const char *file, const sigset_t *mask, pid_t *ret) {
        const char *const chosen = !isempty(getenv("VISUAL")) ? getenv("VISUAL") : getenv("EDITOR");
        static const char *const usual[] = { "editor", "nano", "vi" };
        int r = -ENOENT;

        if (!isempty(chosen)) {
                r = try(chosen, file, mask, ret);
                return r < 0 ? log_error_errno(r, "Cannot run the editor “%s”: %s; set EDITOR to another one.", chosen, strerror(-r)) : 0;
        }
        for (size_t i = 0; r == -ENOENT && i < ELEMENTSOF(usual); i++)
                r = try(usual[i], file, mask, ret);
        return r < 0 ? log_error_errno(r, "Cannot find an editor; install one, or set EDITOR to it.") : 0;
}

static int run(const char *file, const sigset_t *mask) {
        pid_t pid;
        int status, r;

        r = spawn(file, mask, &pid);
        if (r < 0)
                return r;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return log_error_errno(errno, "Cannot wait for the editor: %m.");
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        return log_error_errno(EIO, "The editor failed (%s %d); nothing has been changed.", WIFEXITED(status) ? "status" : "signal",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int write_text(const char *file, const char *text) {
        _cleanup_(closep) int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : write_full(fd, text, strlen(text));
}

static int read_text(const char *file, char **text) {
        _cleanup_(closep) int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        char *new_text;
        struct stat st;
        size_t size;
        int r;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        r = S_ISREG(st.st_mode) ? read_full(fd, ROOT_FILE_MAX, &new_text, &size) : -EINVAL;
        if (r < 0)
                return r;
        if (strlen(new_text) != size) {
                free(new_text);
                return -EINVAL;
        }
        free(*text);
        *text = new_text;
        return 0;
}

/* Editors leave files of their own beside the one they edit. */
static void remove_directory(const char *path) {
        _cleanup_(closep) int root = root_open(path);
        char **names = NULL;
        size_t n = 0;

        if (root < 0 || root_list(root, ".", &names, &n) < 0)
                return;
        for (size_t i = 0; i < n; i++)
                (void) unlinkat(root, names[i], 0);
        strings_free(names, n);
        (void) rmdir(path);
}

static const char *temporary_place(void) {
        const char *place = getenv("TMPDIR");

        return isempty(place) ? "/tmp" : place;
}

static int edit_copy(const char *name, const sigset_t *mask, char **text) {
        const char *place = temporary_place();
        _cleanup_(freep) char *directory = NULL, *file = NULL;
        int r;

        if (format(&directory, "%s/vxm-edit-XXXXXX", place) < 0)
                return log_oom();
        if (!mkdtemp(directory))
                return log_error_errno(errno, "Cannot make a directory in %s: %m.", place);
        r = format(&file, "%s/%s", directory, name);
        r = r < 0 ? r : write_text(file, *text);
        if (r < 0)
                log_error_errno(r, "Cannot write %s: %s.", file ? file : name, strerror(-r));
        r = r < 0 ? r : run(file, mask);
        if (r >= 0) {
                r = read_text(file, text);
                if (r < 0)
                        log_error_errno(r, "What the editor has left in %s is no text of at most 1 MiB (%s); nothing has been changed.", file, strerror(-r));
        }
        remove_directory(directory);
        return r;
}

/* Ctrl-C belongs to the editor, as long as there is one; who ends us otherwise finds the copy gone. */
int editor_run(const char *name, char **text) {
        sigset_t before;
        int r;

        r = late_signal_hold(&before);
        if (r < 0)
                return log_error_errno(r, "Cannot hold signals: %s.", strerror(-r));
        r = edit_copy(name, &before, text);
        late_signal_drop(SIGINT);
        late_signal_drop(SIGQUIT);
        late_signal_release(&before);
        return r;
}

int editor_keep(const char *name, const char *text, char **ret) {
        _cleanup_(freep) char *file = NULL;
        _cleanup_(closep) int fd = -EBADF;
        int r;

        if (format(&file, "%s/%s-XXXXXX", temporary_place(), name) < 0)
                return -ENOMEM;
        fd = mkostemp(file, O_CLOEXEC);
        r = fd < 0 ? -errno : write_full(fd, text, strlen(text));
        if (r >= 0)
                *ret = TAKE_PTR(file);
        else if (fd >= 0)
                (void) unlink(file);
        return r;
}
