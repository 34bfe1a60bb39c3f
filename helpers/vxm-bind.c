/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-bind: gives a guest's PCI devices to vfio-pci, and gives them back.
 *
 * Started by vxm-bind@.service, one instance a guest: once to take (ExecStart=), and to give back (ExecStopPost=, with
 * --release, idempotent); by vxm-static-bind.service at boot; and by users who want to look (--list, --tree, --check).
 * Touches drivers and attributes of the devices below /sys/bus/pci, the host's console where it stands in the way, the owner
 * of nodes in /dev/vfio, and its record in /run/vxm/bind. Refuses before the first write, also when the guest could not
 * start. What is judged, planned and done is in the modules of helpers/bind. */

#include "bind-list.h"
#include "bind-plan.h"
#include "bind-take.h"
#include "census.h"
#include "claims.h"
#include "cli.h"
#include "exit-status.h"
#include "guest-check.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "module.h"
#include "parse.h"
#include "pci-names.h"
#include "pin-guest.h"
#include "qemu-facts.h"
#include "root.h"
#include "static.h"

#define DEADLINE_MAX (UINT64_C(3600) * 1000000) /* µs */

static const char *arg_root = "/";
static const char *arg_guest;
static const char *arg_deadline = "60s";
static bool arg_release;
static bool arg_judge;
static bool arg_record;
static bool arg_check;
static bool arg_list;
static bool arg_tree;
static bool arg_json;
static bool arg_static;
static bool arg_load_modules;
static bool arg_enable;
static bool arg_disable;
static bool arg_dry_run;

/* The guest's user has been made by vxm-user@.service, or is there anyway. */
static int find_user(const Guest *g, uid_t *ret) {
        if (!arg_dry_run)
                return guest_user_get(g, ret, NULL);
        if (guest_user_find(g->user, ret, NULL) < 0)
                *ret = 0;
        return 0;
}

static uint64_t deadline(void) {
        uint64_t usec;

        return parse_time(arg_deadline, &usec) < 0 ? 0 : usec; /* choose_verb() has seen that it is one */
}

/* A desktop must not lose its GPU for a guest that cannot start anyway: a missing disk or KVM shows before the first
 * write. */
static int check_guest(int root, const Guest *g) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};

        return qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_WITHOUT_DEVICES, &facts);
}

static int load_guest(int root, Guest **ret) {
        int r = guest_load(root, arg_guest, ret);

        return r < 0 || arg_dry_run ? r : check_guest(root, *ret);
}

/* Everything that take() looks at, for who wants to know whether it would go well: the units of StopUnits= are not stopped
 * in vain. */
static int judge(int root) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        int r;

        r = load_guest(root, &g);
        r = r < 0 ? r : guest_devices_find(root, g, &plan.functions);
        r = r < 0 ? r : claims_check(root, arg_guest, &plan.functions);
        r = r < 0 ? r : bind_plan_take(root, g, 0, &plan);
        return r < 0 ? r : census_check(root, g, &plan.functions, &plan.console, true);
}

static int take(int root) {
        _cleanup_(guest_freep) Guest *g = NULL;
        uid_t uid = 0;
        int r;

        r = load_guest(root, &g);
        r = r < 0 ? r : find_user(g, &uid);
        return r < 0 ? r : bind_take(&(BindJob){ root, arg_guest, deadline(), arg_dry_run }, g, uid);
}

static int give_back(int root) {
        return bind_give_back(&(BindJob){ root, arg_guest, deadline(), arg_dry_run });
}

static int record(int root) {
        return pin_guest(root, arg_guest, arg_dry_run);
}

static int check(int root) {
        return guest_check(root, root_is_this_machine(root), arg_guest, arg_json, stdout);
}

static int list(int root) {
        return bind_list(root, arg_json, stdout);
}

static int tree(int root) {
        return bind_tree(root, arg_json, stdout);
}

static int bind_at_boot(int root) {
        if (arg_enable)
                return static_enable(root, arg_dry_run);
        return arg_disable ? static_disable(root, arg_dry_run) : static_bind(root, arg_dry_run);
}

/* In a unit of its own, as who loads modules may do anything; the plan's step finds it there. */
static int load_modules(int root) {
        int r;

        if (root_exists(root, "sys/bus/pci/drivers/" VFIO_DRIVER))
                return 0; /* loaded, or part of the kernel */
        r = module_load(VFIO_DRIVER);

        if (r == -ENOENT)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "The running kernel has no module " VFIO_DRIVER "; boot a kernel built with CONFIG_VFIO_PCI.");
        return r < 0 ? log_error_errno(r, "Cannot load module " VFIO_DRIVER ": %s; `modprobe -v " VFIO_DRIVER "` may tell why.",
                               strerror(-r))
                     : 0;
}

/* What a command line asks for; the last row is what none of the options means. */
typedef struct Verb {
        const bool *flag;
        bool of_guest; /* needs GUEST */
        int (*run)(int root);
} Verb;

static const Verb verbs[] = {
        { &arg_release, true, give_back },
        { &arg_judge, true, judge },
        { &arg_record, true, record },
        { &arg_check, true, check },
        { &arg_list, false, list },
        { &arg_tree, false, tree },
        { &arg_static, false, bind_at_boot },
        { &arg_load_modules, false, load_modules },
        { NULL, true, take },
};

static const Verb *refuse_usage(const char *expected) {
        fprintf(stderr, "vxm-bind: expected %s; see vxm-bind --help.\n", expected);
        return NULL;
}

static bool deadline_is_valid(void) {
        return deadline() > 0 && deadline() <= DEADLINE_MAX;
}

/* Returns NULL, having said so, when the options do not go together. */
static const Verb *choose_verb(void) {
        const Verb *verb = NULL;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (verbs[i].flag ? *verbs[i].flag : n == 0) {
                        verb = &verbs[i];
                        n++;
                }
        if (n > 1 || (!verb->of_guest && arg_guest) || ((arg_enable || arg_disable) && !arg_static) ||
                (arg_enable && arg_disable) || (arg_json && !arg_list && !arg_tree && !arg_check))
                return refuse_usage("options that go together");
        if (verb->of_guest && !arg_guest)
                return refuse_usage("GUEST");
        return deadline_is_valid() ? verb : refuse_usage("a time from 1ms to 1h with --deadline");
}

static int run(const Verb *verb) {
        _cleanup_(closep) int root = -EBADF;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        pci_names_from(root);
        if (arg_guest && !guest_name_is_valid(arg_guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", arg_guest);
        return verb->run(root);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "give back what an earlier run took, by its record", &arg_release, NULL },
                { "list", NULL, "show all GPUs, and what a guest would get", &arg_list, NULL },
                { "tree", NULL, "show all devices by IOMMU group", &arg_tree, NULL },
                { "check", NULL, "say whether the guest would get its devices, and why", &arg_check, NULL },
                { "record", NULL, "pin the devices of the guest to the cards they are now", &arg_record, NULL },
                { "judge", NULL, "only refuse, as taking would; silent when all is well", &arg_judge, NULL },
                { "static", NULL, "bind at boot what the guest files want bound then", &arg_static, NULL },
                { "enable", NULL, "with --static: from the next boot on, in the initramfs too", &arg_enable, NULL },
                { "disable", NULL, "with --static: not any more", &arg_disable, NULL },
                { "load-modules", NULL, "load vfio-pci, which binding needs", &arg_load_modules, NULL },
                { "json", NULL, "with --list, --tree, --check: for machines", &arg_json, NULL },
                { "deadline", "TIME", "how long one write to a driver may take (60s)", NULL, &arg_deadline },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "work on the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-bind", "Gives the PCI devices of a guest to vfio-pci, and gives them back.", "[GUEST]", 1,
                options, true };
        const Verb *verb;
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_guest = operands[0];
        verb = choose_verb();
        if (!verb)
                return STATUS_USAGE;
        log_setup("vxm-bind", arg_guest);
        return exit_status(run(verb));
}
