/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads guest files line by line. */

#include <fcntl.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "guest-lines.h"
#include "log.h"
#include "parse.h"
#include "root.h"

/* Only regular files: the generator must not wait for a pipe's writer, at boot least of all. */
static int read_regular(int root, const char *path, char **ret, size_t *ret_size) {
        _cleanup_(closep) int fd = root_openat(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return read_full(fd, ROOT_FILE_MAX, ret, ret_size);
}

static int parse_file(int root, const char *path, const GuestDraft *draft, ConfHandler handler, void *userdata) {
        _cleanup_(freep) char *text = NULL, *shown = NULL;
        size_t size;
        int r;

        r = format(&shown, "/%s", path);
        if (r < 0)
                return log_oom();

        if (draft && streq(draft->path, path)) {
                text = strdup(draft->text);
                return text ? conf_parse(text, strlen(text), shown, handler, userdata) : log_oom();
        }
        r = read_regular(root, path, &text, &size);
        if (r < 0) {
                conf_log(LOG_ERR, shown, 0, "Cannot be read: %s.", strerror(-r));
                return -E_CONFIG;
        }
        return conf_parse(text, size, shown, handler, userdata);
}

int guest_lines_read(int root, const GuestFiles *f, const GuestDraft *draft, ConfHandler handler, void *userdata) {
        int r, first_error = 0;

        for (size_t i = 0; i < f->n; i++) {
                r = parse_file(root, f->paths[i], draft, handler, userdata);
                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

/* First pass: which preset do the files name? Everything else waits, as the preset goes below it. */
static int assign_preset_only(const ConfLine *line, void *preset) {
        if (!streq(line->section, "Guest") || !line->key || !streq(line->key, "Preset"))
                return 0;
        if (!isempty(line->value) && !guest_name_is_valid(line->value))
                return 0; /* the second pass says what is wrong */
        return free_and_strdup(preset, isempty(line->value) ? NULL : line->value);
}

int guest_lines_preset(int root, const GuestFiles *f, const GuestDraft *draft, char **ret) {
        int previous = log_get_max_priority(), r;

        /* Errors of syntax are told in the second pass. */
        log_set_max_priority(-1);
        r = guest_lines_read(root, f, draft, assign_preset_only, ret);
        log_set_max_priority(previous);
        return r == -ENOMEM ? r : 0;
}
