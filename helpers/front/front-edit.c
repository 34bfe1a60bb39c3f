/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm edit: changes a guest's file with an editor. It is a copy that is edited; only what guest_load() takes becomes the file, at once and
 * whole. Writes /etc/vxm/guests/NAME.guest, nothing else; a guest that runs keeps what it has. */

#include "cli.h"
#include "editor.h"
#include "exit-status.h"
#include "guest-files.h"
#include "guest-write.h"
#include "guest.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "root.h"
#include "verb-root.h"
#include "verb.h"

static const char *arg_root = "/";

static int refuse_unknown(const char *guest) {
        return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "There is no guest “%s”; `vxm init %s` makes one.", guest, guest);
}

/* The text as it is now, from wherever it lies; what is masked begins empty. */
static int read_file(int root, const char *guest, char **ret) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!guest_name_is_valid(guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", guest);
        r = guest_files_find(root, GUEST_FILES, guest, &f);
        if (r == -ENOENT)
                return refuse_unknown(guest);
        if (r >= 0 && f.masked)
                return free_and_strdup(ret, "") < 0 ? log_oom() : 0;
        r = r < 0 ? r : root_read(root, f.paths[0], &text);
        if (r < 0)
                return log_error_errno(r, "Cannot read the file of guest %s: %s.", guest, strerror(-r));
        /* The newline at its end has been cut off. */
        return format(ret, "%s%s", text, *text ? "\n" : "") < 0 ? log_oom() : 0;
}

/* Who cannot be asked has to start anew. */
static bool wants_again(void) {
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;

        if (!isatty(STDIN_FILENO))
                return false;
        fputs("Edit it again? Otherwise all stays as it was. [Y/n] ", stderr);
        return getline(&line, &size, stdin) > 0 && (*line == '\n' || *line == 'y' || *line == 'Y');
}

static int judge(int root, const char *guest, const char *path, const char *before, const char *text) {
        const GuestDraft draft = { .path = path, .text = text };
        _cleanup_(guest_freep) Guest *g = NULL;

        if (text[strspn(text, " \t\n")] == '\0')
                return streq(text, before) ? 0 : log_error_errno(E_CONFIG, "What the editor has left is empty, and nothing has been changed; to mask guest %s: ln -sf /dev/null /%s",
                        guest, path);
        return guest_load_draft(root, guest, &draft, &g);
}

/* Until it is right, or somebody gives up. */
static int edit_until_right(int root, const char *guest, const char *path, const char *before, char **text) {
        _cleanup_(freep) char *name = NULL;
        int r;

        if (format(&name, "%s.guest", guest) < 0)
                return log_oom();
        for (;;) {
                r = editor_run(name, text);
                if (r < 0)
                        return r;
                r = judge(root, guest, path, before, *text);
                if (r != -E_CONFIG || !wants_again())
                        return r;
        }
}

static int refuse_write(int r, const char *path) {
        if (r == -EACCES || r == -EPERM || r == -EROFS)
                return log_error_errno(r, "Only root can write /%s; try again as root.", path);
        return log_error_errno(r, "Cannot write /%s: %s; it is as it was.", path, strerror(-r));
}

static int write_over(int root, const char *guest, const char *path, const char *before, const char *text) {
        _cleanup_(freep) char *now = NULL, *target = NULL;
        bool was_link;
        int r;

        r = read_file(root, guest, &now);
        if (r < 0)
                return r;
        if (!streq(now, before))
                return log_error_errno(E_BUSY, "Somebody else has changed the file of guest %s meanwhile; it is as they want it.", guest);
        was_link = root_readlink(root, path, &target) >= 0 && !streq(target, "/dev/null");
        r = guest_write(root, path, text, true);
        if (r < 0)
                return refuse_write(r, path);
        return was_link ? log_info("/%s was a link to %s, which is as it was; it is a file of its own now.", path, target) : 0;
}

static void keep(const char *guest, const char *text) {
        _cleanup_(freep) char *file = NULL;

        if (editor_keep(guest, text, &file) >= 0)
                log_info("What you have written is in %s; take it from there, and try again: vxm edit %s", file, guest);
}

/* What its units are made of is read when the guest is off. */
static int tell(int root, const char *guest, const char *path) {
        return guest_runs(root, guest)
                ? log_info("/%s has been changed. The guest runs, and goes on with what it has: vxm stop %s, then vxm start %s.", path, guest, guest)
                : log_info("/%s has been changed.", path);
}

static int edit(const char *guest) {
        _cleanup_(freep) char *before = NULL, *text = NULL, *path = NULL;
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int r;

        r = root < 0 ? root : read_file(root, guest, &before);
        r = r < 0 ? r : guest_write_judge(root);
        if (r < 0)
                return r;
        if (format(&path, "etc/vxm/guests/%s.guest", guest) < 0 || free_and_strdup(&text, before) < 0)
                return log_oom();
        r = edit_until_right(root, guest, path, before, &text);
        if (r < 0)
                return r;
        if (streq(text, before))
                return log_info("Nothing has been changed.");
        r = write_over(root, guest, path, before, text);
        if (r < 0) {
                keep(guest, text);
                return r;
        }
        r = guest_written(root);
        return r < 0 ? r : tell(root, guest, path);
}

int verb_edit(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm edit", "Changes a guest's file with $EDITOR; only what is right is taken over.", "NAME",
                1, options, .manual = VERB_MANUAL };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        return exit_status(edit(operands[0]));
}
