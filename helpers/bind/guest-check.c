/* SPDX-License-Identifier: BSD-3-Clause */
/* The doctor: asks all that vxm-bind and vxm-qemu ask before they act, one question after the other, and shows what they
 * would say. The questions are theirs, so that the two never disagree. Only reads. */

#include <pwd.h>
#include <sys/stat.h>

#include "census.h"
#include "claims.h"
#include "desktop-check.h"
#include "disk-check.h"
#include "exit-status.h"
#include "guest-check.h"
#include "guest-desktop.h"
#include "guest-disks.h"
#include "guest-firmware.h"
#include "guest-user.h"
#include "host-check.h"
#include "json.h"
#include "log.h"
#include "memory-nodes.h"
#include "netjack.h"
#include "network-check.h"
#include "pci-details.h"
#include "pci-names.h"
#include "qemu-facts.h"
#include "root.h"
#include "tpm-state.h"
#include "input-plan.h"
#include "usb-plan.h"

typedef struct Check {
        int root;
        bool is_this_machine;
        const char *name;
        Guest *guest;
        GuestFunctions functions;
        Findings findings;
} Check;

static void check_done(Check *c) {
        findings_done(&c->findings);
        guest_functions_done(&c->functions);
        guest_free(c->guest);
}

typedef int (*Question)(Check *c, FindingVerdict *verdict, char **ret_text);

typedef struct Asked {
        Check *check;
        Question question;
} Asked;

static int put_question(void *userdata, FindingVerdict *verdict, char **ret_text) {
        const Asked *a = userdata;

        return a->question(a->check, verdict, ret_text);
}

static int ask(Check *c, const char *name, Question question) {
        return findings_ask(&c->findings, name, put_question, &(Asked){ c, question });
}

static int ask_guest(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r = guest_load(c->root, c->name, &c->guest);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, c->guest->file);
}

static int ask_argument(Check *c, FindingVerdict *verdict, char **ret_text) {
        (void) verdict;
        return host_check_argument(c->root, ret_text);
}

static int ask_paths(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r = qemu_check_paths(c->root, c->guest);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, "all files that the guest file names are there");
}

/* What such a guest has is in use by itself, and its file may have changed since. */
#define RUNS "the guest runs, with what it had at its start"

static int ask_disks(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r;

        (void) verdict;
        if (c->guest->n_disks == 0 && c->guest->n_shares == 0)
                return -ENODATA;
        if (guest_runs(c->root, c->guest->name))
                return free_and_strdup(ret_text, RUNS);
        r = disks_check(c->root, c->guest, false);
        for (size_t i = 0; r >= 0 && i < c->guest->n_disks; i++) {
                const GuestDisk *d = &c->guest->disks[i];

                r = list_append(ret_text, "\n", "%s: %s%s", d->name, d->path ? d->path : "empty",
                        d->size > 0 && !root_exists(c->root, d->path + 1) ? ", made at the start" : "");
        }
        for (size_t i = 0; r >= 0 && i < c->guest->n_shares; i++)
                r = list_append(ret_text, "\n", "%s: %s", c->guest->shares[i].name, c->guest->shares[i].path);
        return r;
}

/* Whether the guest's user may open an image is told by owner and mode; access control lists are not looked at. A block
 * device is given to that user at the start, and not to be given by anybody else. */
static int ask_ownership(Check *c, FindingVerdict *verdict, char **ret_text) {
        const char *user_name = c->guest->user;
        const struct passwd *user;
        struct stat st;

        if (guest_has_named_user(c->guest)) {
                int r = guest_user_judge(c->root, c->guest);

                if (r < 0)
                        return r;
        }
        user = c->is_this_machine ? getpwnam(user_name) : NULL;
        if (!user && guest_has_named_user(c->guest))
                return format(ret_text, "user %s", user_name);
        if (!user)
                return format(ret_text, "user %s is made at the first start", user_name);
        for (size_t i = 0; i < c->guest->n_disks; i++) {
                const GuestDisk *d = &c->guest->disks[i];
                mode_t wanted = d->read_only ? 04 : 06, has;

                if (!d->path || guest_disk_is_node(d))
                        continue;
                if (fstatat(c->root, d->path + 1, &st, 0) < 0)
                        continue; /* told above */
                has = st.st_uid == user->pw_uid ? st.st_mode >> 6 : st.st_gid == user->pw_gid ? st.st_mode >> 3 : st.st_mode;
                if ((has & wanted) == wanted)
                        continue;
                *verdict = FINDING_NOTE;
                return format(ret_text, "%s may not be open to %s; chown %s %s", d->path, user_name, user_name, d->path);
        }
        return format(ret_text, "user %s, and its disks", user_name);
}

static int ask_program(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r = qemu_check_program(c->root, QEMU_PATH);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, QEMU_PATH);
}

static int ask_kvm(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r = qemu_check_kvm(c->root);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, "/dev/kvm");
}

static int ask_firmware(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(firmware_done) Firmware firmware = {};
        int r = guest_firmware_find(c->root, c->guest, &firmware);

        (void) verdict;
        return r < 0 ? r : free_and_strdup(ret_text, firmware.code ? firmware.code : "BIOS, QEMU's own");
}

static int ask_tpm(Check *c, FindingVerdict *verdict, char **ret_text) {
        bool exists;
        int r;

        (void) verdict;
        if (!c->guest->tpm)
                return -ENODATA;
        r = tpm_state_check(c->root, c->guest, &exists);
        return r < 0 ? r : free_and_strdup(ret_text, TPM_PROGRAM);
}

/* A guest that runs has its memory, and what is available now is for others. */
static int ask_memory(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(memory_nodes_done) MemoryNodes nodes = {};
        char available[SIZE_TEXT_MAX];
        int r;

        if (guest_runs(c->root, c->guest->name))
                return free_and_strdup(ret_text, "the guest runs, and has it");
        r = qemu_check_memory(c->root, c->guest, false);
        r = r < 0 ? r : memory_nodes_read(c->root, 0, &nodes);
        if (r < 0)
                return r;
        if (nodes.n == 0) {
                *verdict = FINDING_NOTE;
                return free_and_strdup(ret_text, "how much there is cannot be told");
        }
        return format(ret_text, "%s are available%s", size_text(memory_nodes_available(&nodes), available),
                c->guest->huge_page_size > 0 ? "; whether in huge pages tells vxm-hugepages --dry-run" : "");
}

static int ask_cpus(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        int r;

        (void) verdict;
        if (c->guest->cpu_pin.kind == CPU_PIN_NONE)
                return -ENODATA;
        if (guest_runs(c->root, c->guest->name))
                return free_and_strdup(ret_text, RUNS);
        r = qemu_cpus_gather(c->root, c->guest, &facts.cpus);
        return r < 0 ? r : free_and_strdup(ret_text, "there are enough that no other guest has; vxm-cpus --dry-run tells which");
}

static int ask_iommu(Check *c, FindingVerdict *verdict, char **ret_text) {
        (void) verdict;
        return guest_has_devices(c->guest) ? host_check_iommu(c->root, ret_text) : -ENODATA;
}

static int ask_module(Check *c, FindingVerdict *verdict, char **ret_text) {
        return guest_has_devices(c->guest) ? host_check_module(c->root, c->is_this_machine, verdict, ret_text) : -ENODATA;
}

static int describe_function(const PciFunction *f, char **list) {
        _cleanup_(freep) char *title = pci_function_title(f);

        return title ? list_append(list, "\n", "%s %s (group %d, driver %s)", f->name, title, f->group, f->driver ? f->driver : "none")
                     : -ENOMEM;
}

static int ask_devices(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r;

        (void) verdict;
        if (!guest_has_devices(c->guest))
                return -ENODATA;
        r = guest_devices_find(c->root, c->guest, &c->functions);
        for (size_t i = 0; r >= 0 && i < c->functions.n; i++)
                r = describe_function(&c->functions.items[i].pci, ret_text);
        return r;
}

static int ask_claims(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r;

        if (c->functions.n == 0)
                return -ENODATA;
        r = claims_check(c->root, c->name, &c->functions);
        if (r == -EACCES || r == -EPERM) {
                *verdict = FINDING_NOTE;
                return 0; /* logged: only root may look */
        }
        return r < 0 ? r : free_and_strdup(ret_text, "no other guest has them");
}

static int ask_holders(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(host_console_done) HostConsole console = {};
        int r;

        (void) verdict;
        if (c->functions.n == 0)
                return -ENODATA;
        r = guest_console_read(c->root, &c->functions, &console);
        r = r < 0 ? r : census_check(c->root, c->guest, &c->functions, &console, true);
        return r < 0 ? r : free_and_strdup(ret_text, "no program of the host that would be in the way");
}

static int ask_reset(Check *c, FindingVerdict *verdict, char **ret_text) {
        for (size_t i = 0; i < c->functions.n; i++) {
                _cleanup_(pci_details_done) PciDetails details = {};
                const PciFunction *f = &c->functions.items[i].pci;

                if (!c->functions.items[i].named)
                        continue;
                if (pci_details_read(c->root, f, &details) < 0 || details.n_reset_methods > 0)
                        continue;
                *verdict = FINDING_NOTE;
                if (!details.knows_reset_methods)
                        return format(ret_text, "how %s can be reset is not known", f->name);
                return format(ret_text, "%s has no way to be reset; a guest may not start on it twice", f->name);
        }
        return c->functions.n == 0 ? -ENODATA : free_and_strdup(ret_text, "all that the guest file names can be reset");
}

static int describe_netjack(const Check *c, char **list) {
        uid_t own = (uid_t) -1; /* nobody */
        NetJackServer server;
        int r;

        if (c->is_this_machine)
                (void) guest_user_find(c->guest->user, &own, NULL);
        r = netjack_find_server(c->root, c->guest, own, &server);
        return r < 0 ? r : list_append(list, "\n", "NETJACK: %s, over %s", server == NETJACK_PIPEWIRE ? "the user's PipeWire" : "JACK",
                                    netjack_bridge(c->guest));
}

static int ask_networks(Check *c, FindingVerdict *verdict, char **ret_text) {
        static const char *const ways[] = { [NETWORK_NAT] = "through the host, passt",
                [NETWORK_HOST] = "the host's own, passt",
                [NETWORK_BRIDGE] = "port of ", [NETWORK_NONE] = "none" };
        int r;

        (void) verdict;
        if (c->guest->n_networks == 0)
                return -ENODATA;
        r = network_check(c->root, c->guest);
        for (size_t i = 0; r >= 0 && i < c->guest->n_networks; i++) {
                const GuestNetwork *n = &c->guest->networks[i];

                r = list_append(ret_text, "\n", "%s: %s%s", n->name, ways[n->type],
                        n->type == NETWORK_BRIDGE ? n->bridge : "");
        }
        return r >= 0 && c->guest->netjack.enable ? describe_netjack(c, ret_text) : r;
}

static int ask_display(Check *c, FindingVerdict *verdict, char **ret_text) {
        int r;

        (void) verdict;
        if (!guest_has_display(c->guest))
                return -ENODATA;
        r = display_check(c->root, c->guest);
        /* With networks its ports have been asked for there. */
        if (r >= 0 && c->guest->n_networks == 0)
                r = network_check(c->root, c->guest);
        return r < 0 ? r : free_and_strdup(ret_text, c->guest->spice == DISPLAY_NO ? "VNC"
                                                   : c->guest->vnc == DISPLAY_NO   ? "SPICE"
                                                                                   : "SPICE and VNC");
}

static int ask_frames(Check *c, FindingVerdict *verdict, char **ret_text) {
        const char *reader = c->guest->looking_glass_user ? c->guest->looking_glass_user : c->guest->user;
        _cleanup_(freep) char *path = NULL;
        int r;

        (void) verdict;
        if (c->guest->looking_glass == 0)
                return -ENODATA;
        r = looking_glass_find(c->root, c->guest, false, &path);
        return r < 0 ? r : format(ret_text, "%s sees them", reader);
}

/* Another user's session can be looked into by root and that user only. */
static int ask_sound(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(audio_facts_done) AudioFacts facts = {};
        uid_t uid;
        int r;

        if (c->guest->audio.backend == AUDIO_NONE)
                return -ENODATA;
        if (c->is_this_machine && guest_plays_in_session(c->guest) && geteuid() != 0 &&
                guest_user_look_up(c->root, c->guest->user, false, &uid) >= 0 && uid != geteuid()) {
                *verdict = FINDING_NOTE;
                return format(ret_text, "only root and %s can look into that user's session", c->guest->user);
        }
        r = audio_find(c->root, c->guest, QEMU_PATH, &facts);
        return r < 0 ? r : free_and_strdup(ret_text, audio_backend_name(facts.backend));
}

static int describe_usb(const Check *c, const UsbPlan *plan, size_t want, char **list) {
        _cleanup_(freep) char *what = NULL;
        char text[USB_SPEC_SIZE];

        if (plan->chosen[want] < 0)
                return list_append(list, "\n", "%s: when it is plugged in", usb_spec_print(&c->guest->usb[want], text));
        what = usb_device_describe(&plan->devices.items[plan->chosen[want]]);
        return what ? list_append(list, "\n", "%s", what) : -ENOMEM;
}

static int ask_usb(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(usb_plan_done) UsbPlan plan = {};
        int r;

        (void) verdict;
        if (!guest_has_usb(c->guest))
                return -ENODATA;
        if (guest_runs(c->root, c->guest->name))
                return free_and_strdup(ret_text, RUNS);
        r = usb_plan_make(c->root, c->guest, &plan);
        for (size_t i = 0; r >= 0 && i < c->guest->n_usb; i++)
                r = describe_usb(c, &plan, i, ret_text);
        return r;
}

static int describe_input(const Check *c, const InputPlan *plan, char **list) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->devices.n; i++) {
                _cleanup_(freep) char *what = plan->chosen[i] ? input_device_describe(&plan->devices.items[i]) : NULL;

                if (plan->chosen[i])
                        r = what ? list_append(list, "\n", "%s", what) : -ENOMEM;
        }
        for (size_t i = 0; r >= 0 && i < c->guest->n_inputs; i++)
                if (!input_plan_has(plan, &c->guest->inputs[i]))
                        r = list_append(list, "\n", "%s: nothing of the kind is there yet", input_spec_print(&c->guest->inputs[i]));
        return r;
}

static int ask_input(Check *c, FindingVerdict *verdict, char **ret_text) {
        _cleanup_(input_plan_done) InputPlan plan = {};
        int r;

        (void) verdict;
        if (!guest_has_input(c->guest))
                return -ENODATA;
        if (guest_runs(c->root, c->guest->name))
                return free_and_strdup(ret_text, RUNS);
        r = input_plan_make(c->root, c->guest, &plan);
        return r < 0 ? r : describe_input(c, &plan, ret_text);
}

static int ask_all(Check *c) {
        static const struct {
                const char *name;
                Question question;
        } questions[] = {
                { "Kernel argument", ask_argument },
                { "Files", ask_paths },
                { "Disks", ask_disks },
                { "Ownership", ask_ownership },
                { "QEMU", ask_program },
                { "KVM", ask_kvm },
                { "Firmware", ask_firmware },
                { "TPM", ask_tpm },
                { "Memory", ask_memory },
                { "CPUs", ask_cpus },
                { "IOMMU", ask_iommu },
                { "Module", ask_module },
                { "Devices", ask_devices },
                { "Claims", ask_claims },
                { "Holders", ask_holders },
                { "Reset", ask_reset },
                { "Networks", ask_networks },
                { "Display", ask_display },
                { "Frames", ask_frames },
                { "Sound", ask_sound },
                { "USB", ask_usb },
                { "Input", ask_input },
        };
        int r;

        r = ask(c, "Guest file", ask_guest);
        for (size_t i = 0; r >= 0 && c->guest && i < ELEMENTSOF(questions); i++)
                r = ask(c, questions[i].name, questions[i].question);
        return r;
}

static int print_json(const Check *c, FILE *f) {
        _cleanup_(json_decrefp) json_t *top = json_pack("{s:s, s:b, s:o}", "guest", c->name, "ready", c->findings.first_error == 0,
                "findings", findings_json(&c->findings));

        if (!top)
                return -ENOMEM;
        return json_dumpf(top, f, JSON_INDENT(2)) < 0 || fputc('\n', f) < 0 ? -EIO : 0;
}

static int print_table(const Check *c, FILE *f) {
        findings_print(&c->findings, f);
        return fprintf(f, "\nGuest %s %s.\n", c->name, c->findings.first_error == 0 ? "can start" : "cannot start") < 0 ? -EIO : 0;
}

int guest_check(int root, bool is_this_machine, const char *guest, bool json, FILE *f) {
        _cleanup_(check_done) Check c = { .root = root, .is_this_machine = is_this_machine, .name = guest };
        int r;

        r = ask_all(&c);
        r = r < 0 ? r : json ? print_json(&c, f) : print_table(&c, f);
        return r < 0 ? log_error_errno(r, "Cannot check guest %s: %s.", guest, strerror(-r)) : c.findings.first_error;
}

int guest_check_find(int root, bool is_this_machine, const char *guest, Findings *ret) {
        _cleanup_(check_done) Check c = { .root = root, .is_this_machine = is_this_machine, .name = guest };
        int r;

        r = ask_all(&c);
        if (r < 0)
                return log_error_errno(r, "Cannot check guest %s: %s.", guest, strerror(-r));
        *ret = c.findings;
        c.findings = (Findings){};
        return 0;
}
