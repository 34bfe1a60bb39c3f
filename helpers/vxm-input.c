/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-input: lets a guest's user at the keyboards and mice that its file names, and shuts it out again.
 *
 * Started by vxm-input@.service, one instance a guest, for guests with [Input]: once to give what is there (ExecStart=), and to take
 * all back (ExecStopPost=, with --release, idempotent). Started by vxm-plug-input@.service, too, with --plugged, for each input device
 * that comes while such a guest runs: udev tells systemd of it (60-vxm.rules), and this gives it to the guest that wants it.
 *
 * Touches the access lists of nodes in /dev/input, its record in /run/vxm/input and the files in /run/vxm/evdev by which the guest's
 * supervisor learns what it has. Never reads a key, and does not speak to QEMU. */

#include "cli.h"
#include "door.h"
#include "exit-status.h"
#include "guest-user.h"
#include "input-loan.h"
#include "input-plan.h"
#include "log.h"
#include "messages.h"
#include "node-access.h"
#include "one-shot.h"
#include "qemu-facts.h"
#include "root.h"
#include "udev-settle.h"

#define UDEV_WAIT_USEC UINT64_C(10000000) /* as long as a slow device may take to tell what it is */

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_plugged;
static bool arg_release;
static bool arg_dry_run;

static int load_record(int root, const char *guest, InputRecord *ret) {
        int r = input_record_load(root, guest, ret);

        if (r < 0 && r != -ENOENT)
                log_error_errno(r, "Cannot read the record /run/vxm/input/%s: %s; correct it, then try again: %s --release %s", guest,
                        strerror(-r), program_invocation_name, guest);
        return r;
}

static int save_record(int root, const char *guest, const InputRecord *record) {
        int r = input_record_save(root, guest, record);

        return r < 0 ? log_error_errno(r, "Cannot write the record /run/vxm/input/%s: %s; no more is given.", guest, strerror(-r)) : 0;
}

/* ---- one device ---- */

/* vxm-plug-input@.service is nobody's, so what is said there names the guest; else the unit does (LogExtraFields=). */
static const char *guest_field(void) {
        return arg_plugged ? "VXM_GUEST" : NULL; /* which ends the list of fields */
}

/* To be noted first, and given then: the record is what a kill between the two is undone by. Returns 1; 0: it is gone; -errno, logged. */
static int note_device(int root, const InputDevice *d, InputRecord *record) {
        InputLoan loan;
        int r = input_loan_note_user(root, d, record->user, &loan);

        if (r == -ENOENT)
                return 0;
        r = r < 0 ? r : input_record_add(record, &loan);
        return r < 0 ? log_error_errno(r, "Cannot note input device %s: %s.", d->name, strerror(-r)) : 1;
}

/* The node that has been noted, and no other one that has come to its place. Returns 1: given; 0: it is gone; -errno, logged. */
static int give_device(int root, const char *guest, const InputDevice *d, const InputRecord *record) {
        _cleanup_(freep) char *what = input_device_describe(d);
        char entry[INPUT_ENTRY_SIZE];
        const InputLoan *noted;
        InputLoan loan;
        int r;

        if (!what)
                return log_oom();
        r = input_loan_note(root, d, &loan);
        noted = r < 0 ? NULL : input_record_find(record, &loan);
        if (r >= 0)
                r = noted ? input_loan_give(root, noted, record->user) : -ENOENT;
        r = r < 0 ? r : door_show(root, DOOR_INPUT, guest, input_entry_print(d->kind, d->number, entry));
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return log_event_errno(r, MESSAGE_INPUT_FAILED, FIELDS("VXM_DEVICE", d->name, guest_field(), guest),
                        "Cannot let the guest's user at %s: %s.", what, strerror(-r));
        log_event(LOG_INFO, MESSAGE_INPUT_GIVEN, FIELDS("VXM_DEVICE", d->name, guest_field(), guest), "%s is the guest's.", what);
        return 1;
}

/* ---- a guest that starts ---- */

static void say_missing(const Guest *g, const InputPlan *plan) {
        for (size_t i = 0; i < g->n_inputs; i++)
                if (!input_plan_has(plan, &g->inputs[i]))
                        log_info("[Input] Devices=%s: nothing of the kind is there; the guest gets it when it comes.",
                                input_spec_print(&g->inputs[i]));
}

static int print_plan(const Guest *g, const InputPlan *plan) {
        for (size_t i = 0; i < plan->devices.n; i++) {
                _cleanup_(freep) char *what = plan->chosen[i] ? input_device_describe(&plan->devices.items[i]) : NULL;

                if (!plan->chosen[i])
                        continue;
                if (!what)
                        return log_oom();
                printf("give    %s to %s\n", what, g->user);
        }
        for (size_t i = 0; i < g->n_inputs; i++)
                if (!input_plan_has(plan, &g->inputs[i]))
                        printf("wait    for %s\n", input_spec_print(&g->inputs[i]));
        return 0;
}

/* What an earlier run has noted and not taken back stays noted, for who it was given to. */
static int note_plan(int root, const Guest *g, uid_t uid, const InputPlan *plan, InputRecord *record) {
        int r = load_record(root, arg_guest, record);

        if (r < 0 && r != -ENOENT)
                return r;
        if (record->n_loans > 0 && record->user != uid)
                return log_error_errno(E_BUSY,
                        "Another user still has input devices of this guest; take them back: %s --release %s", program_invocation_name,
                        arg_guest);
        record->user = uid;
        r = input_record_want(record, g);
        if (r < 0)
                return log_oom();
        for (size_t i = 0; i < plan->devices.n; i++) {
                r = plan->chosen[i] ? note_device(root, &plan->devices.items[i], record) : 0;
                if (r < 0)
                        return r;
        }
        return save_record(root, arg_guest, record);
}

/* From here on udev starts vxm-plug-input@ for what comes, which waits for our lock. What it is still busy with came before; so the plan
 * that counts is made when it is done with that, though all has been judged already. */
static int open_door(int root, const Guest *g, InputPlan *plan) {
        int r = door_open(root, DOOR_INPUT, arg_guest);

        if (r < 0)
                return log_error_errno(r, "Cannot make /run/vxm/evdev/%s: %s.", arg_guest, strerror(-r));
        if (udev_settle(UDEV_WAIT_USEC) < 0)
                log_debug("udev is still busy; what it has not looked at yet is left out.");
        return input_plan_make(root, g, plan);
}

static int give_all(int root, const Guest *g, InputPlan *plan) {
        _cleanup_(input_record_done) InputRecord record = {};
        uid_t uid;
        int r;

        r = guest_user_get(g, &uid, NULL);
        r = r < 0 ? r : open_door(root, g, plan);
        r = r < 0 ? r : note_plan(root, g, uid, plan, &record);
        for (size_t i = 0; r >= 0 && i < plan->devices.n; i++)
                if (plan->chosen[i])
                        r = give_device(root, arg_guest, &plan->devices.items[i], &record);
        if (r < 0)
                return r;
        say_missing(g, plan);
        return 0;
}

static int give(int root) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(input_plan_done) InputPlan plan = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = guest_load(root, arg_guest, &g);
        r = r < 0 ? r : qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_WITHOUT_NETWORK, &facts);
        if (r < 0 || !guest_has_input(g))
                return r;
        if (arg_dry_run) {
                r = input_plan_make(root, g, &plan);
                return r < 0 ? r : print_plan(g, &plan);
        }
        r = one_shot_lock(root, "input", arg_dry_run, &lock);
        return r < 0 ? r : give_all(root, g, &plan);
}

/* ---- a guest that has ended ---- */

/* All of them are tried; those that did not work stay noted, but nothing is wanted any more: the guest does not run. */
static int return_all(int root, InputRecord *record) {
        char entry[INPUT_ENTRY_SIZE];
        int r = 0;

        for (size_t i = record->n_loans; i-- > 0;) {
                const InputLoan *loan = &record->loans[i];

                r = input_loan_return(root, loan, record->user);
                if (r >= 0 || r == -ENOENT)
                        input_record_remove(record, i);
                else
                        log_event_errno(r, MESSAGE_INPUT_FAILED, FIELDS("VXM_DEVICE", input_entry_print(loan->kind, loan->number, entry)),
                                "Cannot shut the guest's user out of /dev/input/event%u: %s; unplug that device, or try again: %s "
                                "--release %s",
                                loan->number, strerror(-r), program_invocation_name, arg_guest);
        }
        if (record->n_loans == 0)
                return 0;
        record->n_wants = 0;
        r = save_record(root, arg_guest, record);
        return r < 0 ? r : -EIO;
}

static void print_loans(const InputRecord *record) {
        char entry[INPUT_ENTRY_SIZE];

        for (size_t i = record->n_loans; i-- > 0;)
                printf("return  %s: /dev/input/event%u without %u\n", input_entry_print(record->loans[i].kind, record->loans[i].number, entry),
                        record->loans[i].number, record->user);
}

static int release(int root) {
        _cleanup_(input_record_done) InputRecord record = {};
        _cleanup_(closep) int lock = -EBADF;
        bool had;
        int r;

        r = one_shot_lock(root, "input", arg_dry_run, &lock);
        if (r < 0)
                return r;
        /* The guest gets nothing more, whatever the record is like. */
        r = arg_dry_run ? 0 : door_close(root, DOOR_INPUT, arg_guest);
        if (r < 0)
                return log_error_errno(r, "Cannot remove /run/vxm/evdev/%s: %s.", arg_guest, strerror(-r));
        r = load_record(root, arg_guest, &record);
        if (r < 0 && r != -ENOENT)
                return r;
        if (arg_dry_run)
                return print_loans(&record), 0;
        had = record.n_loans > 0;
        r = return_all(root, &record);
        if (r < 0)
                return r;
        r = input_record_forget(root, arg_guest);
        if (r < 0)
                return log_error_errno(r, "Cannot remove /run/vxm/input/%s: %s.", arg_guest, strerror(-r));
        if (had)
                log_info("Keyboards and mice are the host's.");
        return 0;
}

/* ---- a device that has come ---- */

/* What is gone, or another device by now, is forgotten. Returns 1 when that was anything, 0 or -errno. */
static int forget_gone(int root, const char *guest, InputRecord *record) {
        char entry[INPUT_ENTRY_SIZE];
        int r = 0;

        for (size_t i = record->n_loans; r >= 0 && i-- > 0;) {
                const InputLoan *loan = &record->loans[i];
                int hidden, held = input_loan_is_held(root, loan, record->user);

                if (held > 0)
                        continue;
                if (held < 0 && held != -ENOENT)
                        return log_error_errno(held, "Cannot look at /dev/input/event%u: %s.", loan->number, strerror(-held));
                hidden = door_hide(root, DOOR_INPUT, guest, input_entry_print(loan->kind, loan->number, entry));
                if (hidden < 0)
                        return log_error_errno(hidden, "Cannot remove /run/vxm/evdev/%s/%s: %s.", guest, entry, strerror(-hidden));
                input_record_remove(record, i);
                r = 1;
        }
        return r;
}

/* A running guest, as the devices that have come are offered to it. */
typedef struct Taker {
        char *guest;
        InputRecord record;
        bool *held; /* of each device there is */
} Taker;

typedef struct Takers {
        Taker *items;
        size_t n;
} Takers;

static void takers_done(Takers *t) {
        for (size_t i = 0; i < t->n; i++) {
                free(t->items[i].guest);
                free(t->items[i].held);
                input_record_done(&t->items[i].record);
        }
        free(t->items);
}

/* Judged like at the start; but here, a refusal costs the guest this device, and nothing else. Returns 1: given; 0: it may not be given, or
 * is gone; -errno. */
static int lend(int root, Taker *t, const InputDevice *d, bool tell) {
        _cleanup_(freep) char *why = NULL, *what = input_device_describe(d);
        int r = what ? input_judge(root, t->guest, d, &why) : log_oom();

        if (r == -ENOENT)
                return 0;
        if (r < 0 && why)
                return !tell ? 0
                             : log_event(LOG_WARNING, MESSAGE_INPUT_REFUSED, FIELDS("VXM_DEVICE", d->name, guest_field(), t->guest),
                                       "%s %s; then plug it in anew.", what, why);
        if (r < 0 || arg_dry_run)
                return r < 0 ? r : (printf("give    %s to guest %s\n", what, t->guest), 1);
        r = note_device(root, d, &t->record);
        if (r <= 0)
                return r;
        r = save_record(root, t->guest, &t->record);
        return r < 0 ? r : give_device(root, t->guest, d, &t->record);
}

/* is_new: it is the one that has come. Sets *given when the guest has the device now, or had it before. Returns 0 or -errno. */
static int offer(int root, Taker *t, const InputDevices *devices, const InputDevice *d, bool is_new, bool *given) {
        const InputSpec *wish = input_wish(t->record.wants, t->record.n_wants, devices, d);
        bool *held = &t->held[d - devices->items], tell;
        int r;

        if (*held)
                return *given = true, 0;
        if (!wish || (input_device_is_extra(d, wish) && !input_is_part(devices, d, t->held)))
                return 0;
        tell = is_new && wish->way != INPUT_AUTO;
        log_setup("vxm-input", t->guest);
        if (*given)
                return !tell ? 0
                             : log_event(LOG_INFO, MESSAGE_INPUT_REFUSED, FIELDS("VXM_DEVICE", d->name, guest_field(), t->guest),
                                       "“%s” has gone to another guest.", d->name);
        r = lend(root, t, d, tell);
        *given = *held = r > 0;
        return r < 0 ? r : 0;
}

/* A guest that runs, wants something, and has forgotten what is gone. Returns 1; 0: it is none of these; -errno, logged. */
static int read_taker(int root, const char *guest, const InputDevices *devices, Taker *t) {
        InputLoan loan;
        int r, gone;

        log_setup("vxm-input", guest);
        if (!door_is_open(root, DOOR_INPUT, guest))
                return 0; /* it has ended, and something has not been taken back */
        r = load_record(root, guest, &t->record);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (t->record.n_wants == 0 || t->record.user == 0)
                return 0;
        gone = arg_dry_run ? 0 : forget_gone(root, guest, &t->record);
        r = gone > 0 ? save_record(root, guest, &t->record) : gone;
        if (r < 0)
                return r;
        t->guest = strdup(guest);
        t->held = calloc(devices->n + 1, sizeof t->held[0]);
        if (!t->guest || !t->held)
                return log_oom();
        for (size_t i = 0; i < devices->n; i++)
                t->held[i] = input_loan_note(root, &devices->items[i], &loan) >= 0 && input_record_find(&t->record, &loan);
        return 1;
}

/* The keys of a keyboard may come before the keyboard itself, by which they are known as its own: so all parts of a thing are
 * offered when one comes. A guest costs the others nothing. Returns 0, or the first error. */
static int offer_parts(int root, Takers *takers, const InputDevices *devices, const InputDevice *come) {
        int first_error = 0;

        for (int extras = 0; extras < 2; extras++)
                for (size_t i = 0; i < devices->n; i++) {
                        const InputDevice *d = &devices->items[i];
                        bool given = false;

                        if ((d != come && !input_devices_are_one(d, come)) || d->offered == extras)
                                continue;
                        for (size_t j = 0; j < takers->n; j++) {
                                int r = offer(root, &takers->items[j], devices, d, d == come, &given);

                                first_error = first_error < 0 ? first_error : r;
                        }
                }
        return first_error;
}

static int read_takers(int root, const InputDevices *devices, Takers *takers) {
        char **guests = NULL;
        size_t n = 0;
        int first_error = 0, r = input_record_guests(root, &guests, &n);

        if (r < 0)
                return log_error_errno(r, "Cannot look for guests that want an input device: %s.", strerror(-r));
        takers->items = calloc(n + 1, sizeof takers->items[0]);
        for (size_t i = 0; takers->items && i < n; i++) {
                Taker *t = &takers->items[takers->n];

                r = read_taker(root, guests[i], devices, t);
                if (r > 0) {
                        takers->n++;
                        continue;
                }
                first_error = first_error < 0 ? first_error : r;
                free(t->guest);
                free(t->held);
                input_record_done(&t->record);
                *t = (Taker){};
        }
        strings_free(guests, n);
        return takers->items ? first_error : log_oom();
}

static int plugged(int root, unsigned number) {
        _cleanup_(input_devices_done) InputDevices devices = {};
        _cleanup_(takers_done) Takers takers = {};
        _cleanup_(closep) int lock = -EBADF;
        const InputDevice *come;
        int r, q;

        r = one_shot_lock(root, "input", arg_dry_run, &lock);
        r = r < 0 ? r : node_access_find();
        r = r < 0 ? r : input_devices_read(root, &devices);
        come = r < 0 ? NULL : input_devices_find(&devices, number);
        if (!come)
                return r;
        r = read_takers(root, &devices, &takers);
        q = offer_parts(root, &takers, &devices, come);
        log_setup("vxm-input", NULL);
        return r < 0 ? r : q;
}

static int run_plugged(const char *path, const char *name) {
        _cleanup_(closep) int root = root_open(path);
        unsigned number;

        if (input_node_parse(name, &number) < 0) {
                fprintf(stderr, "vxm-input: %s is no input device; expected a node of /dev/input such as event5.\n", name);
                return STATUS_USAGE;
        }
        if (root < 0)
                return exit_status(log_error_errno(root, "Cannot open %s: %s.", path, strerror(-root)));
        return exit_status(plugged(root, number));
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "plugged", NULL, "offer a device such as event5 to running guests", &arg_plugged, NULL },
                { "release", NULL, "take back what earlier runs gave, by the record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-input", "Gives keyboards and mice to a guest's user, and takes them back.", "GUEST", 1, options,
                .root_alone = "goes with --dry-run; the devices given would be those of this machine." };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        if (arg_plugged && arg_release) {
                fprintf(stderr, "vxm-input: --plugged and --release exclude each other.\n");
                return STATUS_USAGE;
        }
        if (arg_plugged) {
                log_setup("vxm-input", NULL);
                return run_plugged(arg_root, operands[0]);
        }

        arg_guest = operands[0];
        log_setup("vxm-input", arg_guest);
        return exit_status(one_shot_run(arg_root, arg_guest, arg_release ? release : give));
}
