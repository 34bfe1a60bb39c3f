/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-qemu: runs one guest, and tells one that runs what to do.
 *
 * Started by vxm-guest@.service, as the guest's own user and without privileges, after all that the guest needs has been
 * prepared; and by vxm-user@.service with --check before the guest's first start. Builds QEMU's command line from the guest file
 * and the host's facts, supervises QEMU, and ends when it ends. Writes nothing but the guest's NVRAM, which firmware that is of, and,
 * with Size= in the guest file, new images of disks in the guest's own directory.
 *
 * The verbs, --status and those after it, are for people: they talk to QEMU of a running guest over a monitor of their own. */

#include "cli.h"
#include "disk-image.h"
#include "conf.h"
#include "exit-status.h"
#include "guest-firmware.h"
#include "life.h"
#include "link-socket.h"
#include "log.h"
#include "messages.h"
#include "pci-names.h"
#include "qemu-argv.h"
#include "qemu-facts.h"
#include "qemu-supervisor.h"
#include "root.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_check;
static bool arg_dry_run;
static bool arg_json;

/* The verbs: an option without a value, or one with. */
static struct {
        LifeVerb verb;
        bool flag;
        const char *value;
} arg_verbs[] = {
        { LIFE_STATUS, false, NULL },        { LIFE_PAUSE, false, NULL },         { LIFE_RESUME, false, NULL },
        { LIFE_REBOOT, false, NULL },        { LIFE_RESET, false, NULL },         { LIFE_SNAPSHOTS, false, NULL },
        { LIFE_SNAPSHOT_SAVE, false, NULL }, { LIFE_SNAPSHOT_LOAD, false, NULL }, { LIFE_SNAPSHOT_DELETE, false, NULL },
        { LIFE_SCREENDUMP, false, NULL },
};

static int run(void) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(argv_done) Argv argv = {};
        _cleanup_(closep) int root = -EBADF;
        int r;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        pci_names_from(root);
        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r; /* told, with file and line */
        r = qemu_facts_gather(root, g, QEMU_PATH, arg_check || arg_dry_run ? QEMU_FACTS_JUDGED_DEVICES : QEMU_FACTS_BOUND_DEVICES,
                &facts);
        if (r < 0)
                return r;
        if (!arg_check && !arg_dry_run)
                r = qemu_links_fetch(g, facts.links);
        if (r < 0)
                return r;
        r = qemu_argv_build(g, &facts, QEMU_PATH, &argv);
        if (r < 0)
                return log_oom();
        if (arg_check)
                return 0;
        if (arg_dry_run)
                return argv_print(&argv, stdout), 0;

        if (g->cpu_pin.kind != CPU_PIN_NONE && !facts.cpus.decided)
                return conf_log(LOG_ERR, g->file, 0,
                        "[CPU] Pin= is set, but the guest's unit does not know of it yet; run systemctl daemon-reload, then start "
                        "the guest again.");
        r = disk_images_make_own(root, g);
        r = r < 0 ? r : guest_firmware_prepare(root, &facts.firmware, facts.nvram);
        return r < 0 ? r : qemu_supervise(g, &facts, &argv);
}

/* The one verb that was given: its place in arg_verbs; -1: none was; -EINVAL: several, or what does not go together. */
static int find_verb(void) {
        bool shows;
        int found = -1;

        for (int i = 0; i < (int) ELEMENTSOF(arg_verbs); i++) {
                if (!arg_verbs[i].flag && !arg_verbs[i].value)
                        continue;
                if (found >= 0)
                        return -EINVAL;
                found = i;
        }
        shows = found == LIFE_STATUS || found == LIFE_SNAPSHOTS;
        if ((arg_json && !shows) || (found >= 0 && (arg_check || arg_dry_run || !streq(arg_root, "/"))))
                return -EINVAL;
        return found;
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "check", NULL, "judge the guest file and the machine; start nothing", &arg_check, NULL },
                { "dry-run", NULL, "print QEMU's command line; start nothing", &arg_dry_run, NULL },
                { "root", "DIR", "with either: judge the machine below DIR", NULL, &arg_root },
                { "status", NULL, "show what the running guest does", &arg_verbs[LIFE_STATUS].flag, NULL },
                { "pause", NULL, "stop its CPUs", &arg_verbs[LIFE_PAUSE].flag, NULL },
                { "resume", NULL, "let it go on, or wake it", &arg_verbs[LIFE_RESUME].flag, NULL },
                { "reboot", NULL, "ask it to reboot, in the end reset it", &arg_verbs[LIFE_REBOOT].flag, NULL },
                { "reset", NULL, "press its reset button", &arg_verbs[LIFE_RESET].flag, NULL },
                { "snapshots", NULL, "list its snapshots", &arg_verbs[LIFE_SNAPSHOTS].flag, NULL },
                { "snapshot-save", "TAG", "save memory and disks as TAG", NULL, &arg_verbs[LIFE_SNAPSHOT_SAVE].value },
                { "snapshot-load", "TAG", "go back to TAG", NULL, &arg_verbs[LIFE_SNAPSHOT_LOAD].value },
                { "snapshot-delete", "TAG", "forget TAG", NULL, &arg_verbs[LIFE_SNAPSHOT_DELETE].value },
                { "screendump", "FILE", "save a picture of its emulated display as PNG", NULL, &arg_verbs[LIFE_SCREENDUMP].value },
                { "json", NULL, "with --status or --snapshots: print JSON", &arg_json, NULL },
                {},
        };
        static const Cli cli = { "vxm-qemu", "Runs a guest: QEMU, supervised. Or tells a running one what to do.", "GUEST", 1,
                options };
        char **operands;
        int r, verb;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        verb = find_verb();
        if (verb == -EINVAL) {
                fprintf(stderr, "vxm-qemu: one verb at a time, without --check, --dry-run and --root; --json goes with --status and "
                                "--snapshots.\n");
                return STATUS_USAGE;
        }
        if (arg_root[0] != '/' || arg_root[1] != '\0') {
                if (!arg_check && !arg_dry_run) {
                        fprintf(stderr, "vxm-qemu: --root needs --check or --dry-run.\n");
                        return STATUS_USAGE;
                }
        }

        arg_guest = operands[0];
        log_setup("vxm-qemu", arg_guest);
        return exit_status(verb < 0 ? run() : life_run(arg_verbs[verb].verb, arg_guest, arg_verbs[verb].value, arg_json));
}
