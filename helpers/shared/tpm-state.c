/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks at the state of a guest's TPM. swtpm itself judges what is in it (its hash), when QEMU starts the TPM. */

#include <fcntl.h>
#include <sys/stat.h>

#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "root.h"
#include "tpm-state.h"

/* What swtpm calls the state that outlives power-off. */
#define STATE_FILE "tpm2-00.permall"

static int check_program(int root, const Guest *g, const char *path) {
        if (root_exists(root, path + 1))
                return 0;
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, FIELDS("CONFIG_FILE", g->file),
                "%s: [TPM] Enable=yes, but %s is missing; install swtpm (Debian: swtpm and swtpm-tools), or remove it.",
                g->file, path);
}

static int damaged(const Guest *g, const char *what, const char *next) {
        return log_event_errno(E_CONFIG, MESSAGE_TPM_STATE, NULL,
                "The TPM's state, /var/lib/vxm/guests/%s/tpm/" STATE_FILE ", %s; %s.", g->name, what, next);
}

/* Whoever restores it from a backup is root, and root's it is then. */
static int check_file(const Guest *g, const struct stat *directory, const struct stat *file) {
        _cleanup_(freep) char *next = NULL;

        if (!S_ISREG(file->st_mode))
                return damaged(g, "is no regular file", "put the TPM's state there");
        if (file->st_size == 0)
                return damaged(g, "is empty", "put it back from a backup, or remove it for a new TPM");
        if (file->st_uid == directory->st_uid && (file->st_mode & 0600) == 0600)
                return 0;
        if (file->st_uid == directory->st_uid)
                return damaged(g, "cannot be read and written by the guest's user", "run chmod 600 on it");
        if (format(&next, "run chown %s on it", g->user) < 0)
                return log_oom();
        return damaged(g, "is not the guest's user's", next);
}

int tpm_state_check(int root, const Guest *g, bool *ret_exists) {
        _cleanup_(closep) int state = -EBADF, directory = -EBADF;
        _cleanup_(freep) char *path = NULL;
        struct stat of_directory, of_file;
        int r;

        *ret_exists = false;
        r = check_program(root, g, TPM_PROGRAM);
        r = r < 0 ? r : check_program(root, g, TPM_SETUP_PROGRAM);
        r = r < 0 ? r : check_program(root, g, TPM_CA_PROGRAM);
        if (r < 0)
                return r;
        if (format(&path, "var/lib/vxm/guests/%s", g->name) < 0)
                return log_oom();
        state = root_openat(root, path, O_PATH | O_DIRECTORY);
        directory = state < 0 ? state : openat(state, "tpm", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = state < 0 ? state : directory < 0 ? -errno : 0;
        /* Who only asks may not look; the guest's user and root may. */
        if (r == -ENOENT || r == -EACCES)
                return 0;
        if (r < 0 || fstat(directory, &of_directory) < 0)
                return log_error_errno(r < 0 ? r : -errno, "Cannot open /%s/tpm: %m.", path);
        if (fstatat(directory, STATE_FILE, &of_file, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT || errno == EACCES
                        ? 0
                        : log_error_errno(errno, "Cannot look at /%s/tpm/" STATE_FILE ": %m.", path);
        *ret_exists = true;
        return check_file(g, &of_directory, &of_file);
}
