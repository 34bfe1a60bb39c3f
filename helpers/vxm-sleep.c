/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-sleep: keeps the host from sleeping while a guest runs that would not survive that, and from taking nobody for there while a guest
 * has its keyboard and mouse.
 *
 * Started by vxm-sleep@.service as root, and does not stay: it gets a lock from systemd-logind, which is a descriptor, and has
 * systemd keep that with the unit. When the unit is stopped, however that comes about, systemd closes it, and the lock is gone.
 * Writes only the note that the guest has one, so that the guest stays bound to the unit whatever becomes of its file. */

#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include "cli.h"
#include "exit-status.h"
#include "guest.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "record-file.h"
#include "systemd-bus.h"

#define LOGIND "org.freedesktop.login1"
#define RECORD_KIND "sleep"
#define SECOND UINT64_C(1000000)
#define BARRIER_TIMEOUT (10 * SECOND)

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_dry_run;
static bool arg_release;

/* Without logind nobody but the kernel and root can put the machine to sleep; that is no reason to keep the guest from
 * starting. */
static int say_free(const char *why) {
        log_event(LOG_WARNING, MESSAGE_SLEEP_FREE, NULL,
                "The host cannot be kept awake while the guest runs: %s; see to it that it does not sleep, or see systemctl status "
                "systemd-logind.", why);
        return 0;
}

static int record_print(FILE *f, const void *what) {
        return fprintf(f, "inhibited: %s\n", (const char *) what) < 0 ? -EIO : 0;
}

/* what: as guest_inhibits() has it. A closed lid comes before locks on sleep (LidSwitchIgnoreInhibited= in logind.conf(5)), so that has one
 * of its own. */
static int inhibit(sd_bus *bus, const char *what, sd_bus_error *error, int *ret) {
        _cleanup_(messagep) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *why = NULL;
        int fd, r;

        r = format(&why, streq(what, "idle") ? "Guest %s has keyboard and mouse" : "Guest %s runs, and would not survive it", arg_guest);
        r = r < 0 ? r
                  : sd_bus_call_method(bus, LOGIND, "/org/freedesktop/login1", LOGIND ".Manager", "Inhibit", error, &reply, "ssss",
                            what, "vxm", why, "block");
        r = r < 0 ? r : sd_bus_message_read(reply, "h", &fd);
        if (r < 0)
                return r;
        *ret = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message keeps its own */
        return *ret < 0 ? -errno : 0;
}

/* Polled for, systemd would drop it when logind restarts, and the reader of this pipe is gone for a moment. The barrier is for
 * NotifyAccess=main: what comes from a process that has ended is nobody's. */
static int keep(int fd) {
        int r = sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=inhibit\nFDPOLL=0", &fd, 1);

        if (r == 0)
                return -ENOTCONN; /* not started by systemd */
        r = r < 0 ? r : sd_notify_barrier(0, BARRIER_TIMEOUT);
        return r < 0 ? r : 0;
}

static int take(int root) {
        _cleanup_(errorp) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int fd = -EBADF;
        const char *what;
        int r;

        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r; /* told, with file and line */
        what = guest_inhibits(g);
        if (!what)
                return 0;
        if (arg_dry_run)
                return printf("inhibit %s\n", what), 0;
        r = record_file_save(root, RECORD_KIND, arg_guest, record_print, what);
        if (r < 0)
                return log_error_errno(r, "Cannot write /run/vxm/sleep/%s: %s.", arg_guest, strerror(-r));
        r = sd_bus_open_system(&bus);
        r = r < 0 ? r : inhibit(bus, what, &error, &fd);
        if (r < 0)
                return say_free(systemd_bus_why(&error, r));
        r = keep(fd);
        if (r < 0)
                return say_free(r == -ENOTCONN ? "systemd has not started this program" : strerror(-r));
        log_event(LOG_INFO, MESSAGE_SLEEP_INHIBITED, NULL, "The host does not %s while the guest runs.",
                streq(what, "idle")      ? "count as idle"
                : strstr(what, "idle") ? "sleep, or count as idle,"
                                       : "sleep");
        return 0;
}

/* The lock itself is gone already. */
static int release(int root) {
        _cleanup_(closep) int record = record_file_open(root, RECORD_KIND, arg_guest);
        int r;

        if (arg_dry_run)
                return record < 0 ? 0 : (puts("let the host sleep"), 0);
        r = record_file_forget(root, RECORD_KIND, arg_guest);
        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/sleep/%s: %s.", arg_guest, strerror(-r)) : 0;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "forget that there was a lock; the unit's end lets it go", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-sleep", "Keeps the host from sleeping while a guest runs.", "GUEST", 1, options,
                .root_alone = "goes with --dry-run; the host kept awake would be this machine." };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, take, release });
}
