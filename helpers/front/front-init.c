/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm init: makes a guest. Asks on a terminal, with what fits this machine proposed; elsewhere goes by its options alone. Judges all
 * before the first write, and leaves nothing when something fails. Writes the guest file, the guest's own directory with its disk, and what
 * it fetches to /var/lib/vxm/images/downloads; no other verb uses the network. */

#include "cli.h"
#include "exit-status.h"
#include "init.h"
#include "late-signal.h"
#include "log.h"
#include "parse.h"
#include "verb-root.h"
#include "verb.h"

#define PATIENCE_MAX (UINT64_C(3600) * 1000000) /* µs */

static const char *arg_root = "/";
static const char *arg_patience = "1min";
static InitWish arg_wish;
static bool arg_dry_run;
static bool arg_yes;

static const CliOption options[] = {
        { "preset", "PRESET", "what to build on, see vxm-presets(7)", NULL, &arg_wish.preset },
        { "gpu", "DEV", "its GPU, as Device= has it, or none", NULL, &arg_wish.gpu },
        { "memory", "SIZE", "its memory, such as 16G", NULL, &arg_wish.memory },
        { "cpus", "N", "how many CPUs it has", NULL, &arg_wish.cpus },
        { "disk", "SIZE", "how large its disk may grow, such as 64G", NULL, &arg_wish.disk },
        { "iso", "FILE", "the installer in its drive; the disk is empty then", NULL, &arg_wish.iso },
        { "image", "NAME", "which [Download] its disk begins as", NULL, &arg_wish.image },
        { "user", "USER", "who is made in an image for clouds", NULL, &arg_wish.user },
        { "ssh-key", "FILE", "the public key that this user comes in by", NULL, &arg_wish.key_file },
        { "no-download", NULL, "fetch nothing", &arg_wish.no_download, NULL },
        { "patience", "TIME", "how long a server may be silent (1min)", NULL, &arg_patience },
        { "yes", NULL, "ask nothing, also on a terminal", &arg_yes, NULL },
        { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
        { "root", "DIR", "for the machine whose files are below DIR", NULL, &arg_root },
        {},
};

static bool is_interactive(void) {
        return !arg_yes && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int check_options(void) {
        const struct {
                const char *option, *value;
        } values[] = {
                { "preset", arg_wish.preset }, { "gpu", arg_wish.gpu },   { "memory", arg_wish.memory }, { "cpus", arg_wish.cpus },
                { "disk", arg_wish.disk },     { "iso", arg_wish.iso },   { "image", arg_wish.image },   { "user", arg_wish.user },
        };

        for (size_t i = 0; i < ELEMENTSOF(values); i++)
                if (init_wish_check(values[i].option, values[i].value) < 0)
                        return -EINVAL;
        if (parse_time(arg_patience, &arg_wish.patience) < 0 || arg_wish.patience < 1000000 || arg_wish.patience > PATIENCE_MAX) {
                fprintf(stderr, "vxm init: expected a time from 1s to 1h with --patience.\n");
                return -EINVAL;
        }
        if (!is_interactive() && !arg_wish.preset && !arg_wish.disk && !arg_wish.iso) {
                fprintf(stderr, "vxm init: expected --preset, or --disk or --iso for a guest without one; see vxm init --help.\n");
                return -EINVAL;
        }
        return 0;
}

static void tell_next_steps(const InitPlan *plan) {
        const char *name = plan->wish->name;

        printf("\nGuest %s is there. Next:\n"
               "  vxm doctor %s    # what may still be in its way\n",
                name, name);
        if (plan->wish->gpu && !streq(plan->wish->gpu, "none") && !guest_has_input(plan->guest))
                printf("  vxm edit %s    # add [Input] Devices=auto, for keyboard and mouse\n", name);
        printf("  vxm start %s\n", name);
        for (size_t i = 0; plan->user && i < plan->guest->n_networks; i++)
                if (plan->guest->networks[i].ssh > 0)
                        printf("  ssh -p %u %s@127.0.0.1\n", (unsigned) plan->guest->networks[i].ssh, plan->user);
        if (plan->guest->spice != DISPLAY_NO)
                printf("  remote-viewer spice+unix:///run/vxm/sockets/%s/spice    # its display\n", name);
        else if (plan->guest->vnc != DISPLAY_NO)
                printf("  /run/vxm/sockets/%s/vnc is its display, for viewers of VNC\n", name);
}

/* From here on Ctrl-C waits until all has been undone. */
static int act(int root, InitPlan *plan) {
        sigset_t before;
        int r;

        r = late_signal_hold(&before);
        r = r < 0 ? r : init_run(root, plan);
        if (r == -EINTR)
                log_info("Interrupted; nothing has been made. What has been fetched so far is gone on with the next time.");
        if (r >= 0)
                tell_next_steps(plan);
        fflush(stdout);
        late_signal_release(&before);
        return r;
}

/* A guest file needs the whole path of what is named from here. */
static int resolve_iso(char **ret) {
        int r;

        if (!arg_wish.iso || *arg_wish.iso == '/' || !streq(arg_root, "/"))
                return 0;
        r = init_wish_find_iso(arg_wish.iso, ret);
        if (r >= 0)
                arg_wish.iso = *ret;
        return r;
}

static int init(void) {
        _cleanup_(init_answers_done) InitAnswers answers = {};
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_(closep) int root = verb_root_open(arg_root);
        int r;

        r = root < 0 ? root : is_interactive() ? init_ask(root, &arg_wish, &answers) : 0;
        r = r < 0 ? r : init_plan(root, &arg_wish, &plan);
        if (r >= 0 && (arg_dry_run || is_interactive()))
                init_plan_print(&plan, stdout);
        if (r >= 0 && !arg_dry_run && is_interactive())
                r = init_ask_go_on();
        if (r == -ECANCELED)
                return log_info("Nothing has been made.");
        return r < 0 || arg_dry_run ? r : act(root, &plan);
}

int verb_init(int argc, char *argv[]) {
        static const Cli cli = { "vxm init", "Makes a guest: its file, its disk, and what it needs.", "NAME", 1, options,
                .manual = VERB_MANUAL };
        _cleanup_(freep) char *iso = NULL;
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        arg_wish.name = operands[0];
        r = resolve_iso(&iso);
        if (r < 0)
                return exit_status(r);
        return check_options() < 0 ? STATUS_USAGE : exit_status(init());
}
