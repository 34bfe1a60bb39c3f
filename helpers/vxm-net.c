/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-net: judges a guest's networks, makes the taps of those that are bridged, and removes them.
 *
 * Started by vxm-net@.service, one instance a guest that has a network, or a port for its display: once to make taps
 * (ExecStart=), and to remove them (ExecStopPost=, with --release, idempotent). A tap is persistent, belongs to the
 * guest's user, and is a port of the bridge; vxm-link attaches to it without privileges. Touches network interfaces,
 * and its record in /run/vxm/net. Refuses before the first write, also when the guest could not start, and when a port
 * of the host that leads into the guest is taken: as root it can tell who has it, and the guest's story has what it
 * says. Makes no bridge: that is the host's. */

#include "cli.h"
#include "exit-status.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "net-plan.h"
#include "one-shot.h"
#include "parse.h"
#include "qemu-facts.h"
#include "root.h"
#include "tap.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

/* What the guest's devices are is judged by vxm-bind, which ran before if there are any. */
static int judge(int root, Guest **ret) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        int r = guest_load(root, arg_guest, ret);

        return r < 0 ? r : qemu_facts_gather(root, *ret, QEMU_PATH, QEMU_FACTS_WITHOUT_DEVICES, &facts);
}

static int make_plan(int root, const Guest *g, NetTaps *ret) {
        int r = net_plan(root, g, ret);

        if (r == -EEXIST)
                return log_event_errno(r, MESSAGE_NETWORK_FAILED, NULL,
                        "Two networks of the guest would have taps of the same name; call one of them by another "
                        "name.");
        return r < 0 ? log_error_errno(r, "Cannot plan the guest's taps: %s.", strerror(-r)) : 0;
}

static int refuse_record(int error) {
        return log_error_errno(error,
                "Cannot read the undo record /run/vxm/net/%s: %s; correct it, then try again: %s --release %s",
                arg_guest, strerror(-error), program_invocation_name, arg_guest);
}

/* A name that is taken by somebody else must not be noted: the undo would remove it. */
static int check_names(int root, const NetTaps *taps, const NetTaps *earlier) {
        for (size_t i = 0; i < taps->n; i++) {
                const char *name = taps->items[i].name;

                if (tap_exists(root, name) && !net_taps_find(earlier, name))
                        return log_event_errno(E_BUSY, MESSAGE_NETWORK_FAILED, NULL,
                                "There is an interface %s already, and not for this guest; remove it: "
                                "ip link delete %s",
                                name,
                                name);
        }
        return 0;
}

static int make_tap(int root, const NetTap *tap, uid_t owner) {
        const char *step;
        int r;

        if (tap_is_ready(root, tap, owner))
                return 0; /* by an earlier run */
        r = tap_make(root, tap, owner, &step);
        if (r < 0)
                return log_event_errno(r, MESSAGE_NETWORK_FAILED, NULL, "%s cannot %s: %s.", tap->name, step,
                        strerror(-r));
        return log_event(LOG_INFO, MESSAGE_NETWORK_MADE, NULL, "%s: port of %s.", tap->name, tap->bridge);
}

/* Taps of an earlier run that the guest file no longer wants stay noted, for the undo. */
static int make_noted(int root, const NetTaps *taps, uid_t owner) {
        _cleanup_(net_taps_done) NetTaps earlier = {}, record = {};
        int r;

        r = net_record_load(root, arg_guest, &earlier);
        if (r < 0 && r != -ENOENT)
                return refuse_record(r);
        r = check_names(root, taps, &earlier);
        if (r < 0)
                return r;
        r = net_plan_keep(&record, taps);
        r = r < 0 ? r : net_plan_keep(&record, &earlier);
        r = r < 0 ? r : net_record_save(root, arg_guest, &record);
        if (r < 0)
                return log_error_errno(r, "Cannot write /run/vxm/net/%s: %s; no interface has been touched.", arg_guest,
                        strerror(-r));
        for (size_t i = 0; r >= 0 && i < taps->n; i++)
                r = make_tap(root, &taps->items[i], owner);
        return r;
}

static void print_taps(const char *verb, const NetTaps *taps) {
        for (size_t i = 0; i < taps->n; i++)
                printf("%-7s %s, port of %s\n", verb, taps->items[i].name, taps->items[i].bridge);
}

static int take(int root) {
        _cleanup_(net_taps_done) NetTaps taps = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int lock = -EBADF;
        uid_t owner;
        int r;

        r = judge(root, &g);
        r = r < 0 ? r : make_plan(root, g, &taps);
        if (r < 0 || taps.n == 0)
                return r;
        if (arg_dry_run)
                return print_taps("make", &taps), 0;
        r = guest_user_get(g, &owner, NULL);
        r = r < 0 ? r : one_shot_lock(root, "net", arg_dry_run, &lock);
        return r < 0 ? r : make_noted(root, &taps, owner);
}

/* All of them are tried. */
static int remove_taps(int root, const NetTaps *taps) {
        int first_error = 0;

        for (size_t i = 0; i < taps->n; i++) {
                const char *name = taps->items[i].name;
                int r = tap_remove(root, name);

                if (r < 0)
                        r = log_event_errno(r, MESSAGE_NETWORK_FAILED, NULL,
                                "%s cannot be removed: %s; try again: %s --release %s, or remove it: ip link delete %s",
                                name,
                                strerror(-r), program_invocation_name, arg_guest, name);
                first_error = first_error < 0 ? first_error : r;
        }
        return first_error;
}

static int release(int root) {
        _cleanup_(net_taps_done) NetTaps taps = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        if (!arg_dry_run) {
                r = one_shot_lock(root, "net", arg_dry_run, &lock);
                if (r < 0)
                        return r;
        }
        r = net_record_load(root, arg_guest, &taps);
        if (r < 0 && r != -ENOENT)
                return refuse_record(r);
        if (arg_dry_run)
                return print_taps("remove", &taps), 0;
        r = remove_taps(root, &taps);
        if (r < 0)
                return r;
        r = net_record_forget(root, arg_guest);
        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/net/%s: %s.", arg_guest, strerror(-r)) : 0;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "remove what an earlier run made, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: judge the machine below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-net", "Makes the taps of a guest's bridged networks, and removes them.", "GUEST", 1,
                options, .root_alone = "goes with --dry-run; the interfaces would be those of this machine." };

        return one_shot_main(&cli, argc, argv, &(OneShot) { &arg_root, &arg_guest, &arg_release, take, release });
}
