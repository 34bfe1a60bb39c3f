/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm start, stop, restart. */

#include "cli.h"
#include "exit-status.h"
#include "guest-job.h"
#include "guest-files.h"
#include "guest.h"
#include "host.h"
#include "known-guest.h"
#include "log.h"
#include "root.h"
#include "verb.h"

/* Who may start a guest need not be let at its file. */
static bool may_read(int root, const char *name) {
        _cleanup_(guest_files_done) GuestFiles files = {};

        if (guest_files_find(root, GUEST_FILES, name, &files) < 0)
                return false;
        for (size_t i = 0; i < files.n; i++)
                if (faccessat(root, files.paths[i], R_OK, 0) < 0)
                        return false;
        return true;
}

/* What can be told without systemd: of another machine, only whether the name can be one. A file that is wrong is told
 * with its line, before a guest that runs is stopped for a restart that would fail. */
static int check(GuestJob job, const char *name) {
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int root = -EBADF;
        int r;

        r = host_name() ? known_guest_name(name) : known_guest(name);
        if (r < 0 || host_name() || job == GUEST_STOP)
                return r;
        root = root_open("/");
        if (root < 0)
                return log_error_errno(root, "Cannot open /: %s.", strerror(-root));
        return may_read(root, name) ? guest_load(root, name, &g) : 0;
}

static int run(GuestJob job, const char *name) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = check(job, name);
        r = r < 0 ? r : host_bus_open(&bus);
        r = r < 0 ? r : guest_job_run(bus, job, name);
        return r > 0 ? r : exit_status(r);
}

static int act(const char *program, const char *summary, GuestJob job, int argc, char *argv[]) {
        static const CliOption options[] = { {} };
        const Cli cli = { program, summary, "NAME", 1, options, .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        return r <= 0 ? (r < 0 ? STATUS_USAGE : STATUS_DONE) : run(job, operands[0]);
}

int verb_start(int argc, char *argv[]) {
        return act("vxm start", "Starts a guest, and shows what is prepared for it until it runs.", GUEST_START, argc, argv);
}

int verb_stop(int argc, char *argv[]) {
        return act("vxm stop", "Has a guest power off, and waits until all that it had is the host's again.", GUEST_STOP, argc, argv);
}

int verb_restart(int argc, char *argv[]) {
        return act("vxm restart", "Has a guest power off, and starts it again. What it has stays with it.", GUEST_RESTART, argc, argv);
}
