/* SPDX-License-Identifier: BSD-3-Clause */
/* The beginning of each helper that runs once. */

#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "record-file.h"
#include "root.h"

int one_shot_run(const char *path, const char *guest, int (*act)(int root)) {
        _cleanup_(closep) int root = root_open(path);

        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", path, strerror(-root));
        if (!guest_name_is_valid(guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", guest);
        return act(root);
}

int one_shot_main(const Cli *cli, int argc, char *argv[], const OneShot *what) {
        char **operands;
        int r = cli_parse(cli, argc, argv, &operands);

        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        *what->guest = operands[0];
        log_setup(cli->program, operands[0]);
        return exit_status(one_shot_run(*what->root, operands[0], *what->release ? what->undo : what->act));
}

int one_shot_lock(int root, const char *kind, bool dry_run, int *ret_fd) {
        int r = dry_run ? 0 : record_file_lock(root, kind, ret_fd);

        return r < 0 ? log_error_errno(r, "Cannot lock /run/vxm/%s: %s.", kind, strerror(-r)) : 0;
}
