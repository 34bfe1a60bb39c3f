/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-usb: gives a guest's user the USB devices that its file names, and takes them back.
 *
 * Started by vxm-usb@.service, one instance a guest, for guests with [USB]: once to give what is there (ExecStart=),
 * and to take all back (ExecStopPost=, with --release, idempotent). Started by vxm-plug@.service, too, with --plugged,
 * for each device that is plugged in while such a guest runs: udev tells systemd of it (60-vxm.rules), and this gives
 * it to the guest that wants it.
 *
 * Touches nodes in /dev/bus/usb, the drivers of those devices on the way back, its record in /run/vxm/usb and the files
 * in /run/vxm/plug by which the guest's supervisor learns what it has. Does not speak to QEMU. */

#include "cli.h"
#include "door.h"
#include "exit-status.h"
#include "guest-user.h"
#include "log.h"
#include "messages.h"
#include "one-shot.h"
#include "parse.h"
#include "qemu-facts.h"
#include "root.h"
#include "usb-loan.h"
#include "usb-plan.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_plugged;
static bool arg_release;
static bool arg_dry_run;

static int load_record(int root, const char *guest, UsbRecord *ret) {
        int r = usb_record_load(root, guest, ret);

        if (r < 0 && r != -ENOENT)
                log_error_errno(r,
                        "Cannot read the record /run/vxm/usb/%s: %s; correct it, then try again: %s --release %s",
                        guest, strerror(-r), program_invocation_name, guest);
        return r;
}

static int save_record(int root, const char *guest, const UsbRecord *record) {
        int r = usb_record_save(root, guest, record);

        return r < 0 ? log_error_errno(r, "Cannot write the record /run/vxm/usb/%s: %s; no more is given.", guest,
                               strerror(-r))
                     : 0;
}

/* ---- one device ---- */

/* vxm-plug@.service is nobody's, so what is said there names the guest; else the unit does (LogExtraFields=). */
static const char *guest_field(void) {
        return arg_plugged ? "VXM_GUEST" : NULL; /* which ends the list of fields */
}

/* To be noted first, and given then: the record is what a kill between the two is undone by. A device that has gone
 * meanwhile is none of our business. Returns 1, 0: it is gone; -errno, logged. */
static int note_device(int root, const UsbDevice *d, UsbRecord *record) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        int r = usb_loan_note(root, d, &loan);

        if (r == -ENOENT || r == -ENODEV)
                return 0;
        r = r < 0 ? r : usb_record_add(record, &loan);
        return r < 0 ? log_error_errno(r, "Cannot note how USB device %s is: %s.", d->name, strerror(-r)) : 1;
}

/* Returns 1: given; 0: it is gone; -errno, logged. */
static int give_device(int root, const char *guest, const UsbDevice *d, const UsbRecord *record, uid_t uid) {
        _cleanup_(freep) char *what = usb_device_describe(d);
        const UsbLoan *loan = usb_record_find(record, d);
        char entry[USB_ENTRY_SIZE];
        int r;

        if (!what)
                return log_oom();
        if (!loan)
                return 0; /* gone before it was noted */
        r = usb_loan_give(root, loan, uid);
        r = r < 0 ? r : door_show(root, DOOR_USB, guest, usb_entry_print(d->address, entry));
        if (r == -ENOENT || r == -ENODEV)
                return 0;
        if (r < 0)
                return log_event_errno(r, MESSAGE_USB_FAILED, FIELDS("VXM_DEVICE", d->name, guest_field(), guest),
                        "Cannot give USB device %s to the guest's user: %s.", what, strerror(-r));
        log_event(LOG_INFO, MESSAGE_USB_GIVEN, FIELDS("VXM_DEVICE", d->name, guest_field(), guest),
                "%s belongs to the guest, as usb-%s.", what, usb_entry_print(d->address, entry));
        return 1;
}

/* ---- a guest that starts ---- */

static void say_missing(const Guest *g, const UsbPlan *plan) {
        char text[USB_SPEC_SIZE];

        for (size_t i = 0; i < g->n_usb; i++)
                if (plan->chosen[i] < 0)
                        log_info("[USB] Device=%s is not there; the guest gets it when it is plugged in.",
                                usb_spec_print(&g->usb[i], text));
}

static int print_plan(const Guest *g, const UsbPlan *plan) {
        for (size_t i = 0; i < g->n_usb; i++) {
                _cleanup_(freep) char *what = NULL;
                char text[USB_SPEC_SIZE];

                if (plan->chosen[i] < 0) {
                        printf("wait    for %s\n", usb_spec_print(&g->usb[i], text));
                        continue;
                }
                what = usb_device_describe(&plan->devices.items[plan->chosen[i]]);
                if (!what)
                        return log_oom();
                printf("give    %s to %s\n", what, g->user);
        }
        return 0;
}

/* What an earlier run has noted and not given back goes on, as it was then. */
static int note_plan(int root, const Guest *g, uid_t uid, const UsbPlan *plan, UsbRecord *record) {
        int r = load_record(root, arg_guest, record);

        if (r < 0 && r != -ENOENT)
                return r;
        record->wants = (free(record->wants), calloc(g->n_usb, sizeof record->wants[0]));
        if (!record->wants)
                return log_oom();
        memcpy(record->wants, g->usb, g->n_usb * sizeof record->wants[0]);
        record->n_wants = g->n_usb;
        record->user = uid;
        for (size_t i = 0; i < g->n_usb; i++) {
                r = plan->chosen[i] < 0 ? 0 : note_device(root, &plan->devices.items[plan->chosen[i]], record);
                if (r < 0)
                        return r;
        }
        return save_record(root, arg_guest, record);
}

/* From here on udev starts vxm-plug@ for what is plugged in, which waits for our lock. What came before is there to be
 * seen; so the plan that counts is made now, though all has been judged already. */
static int open_door(int root, const Guest *g, UsbPlan *plan) {
        int r = door_open(root, DOOR_USB, arg_guest);

        if (r < 0)
                return log_error_errno(r, "Cannot make /run/vxm/plug/%s: %s.", arg_guest, strerror(-r));
        return usb_plan_make(root, g, plan);
}

static int give_all(int root, const Guest *g, UsbPlan *plan) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        uid_t uid;
        int r;

        r = guest_user_get(g, &uid, NULL);
        r = r < 0 ? r : open_door(root, g, plan);
        r = r < 0 ? r : note_plan(root, g, uid, plan, &record);
        for (size_t i = 0; r >= 0 && i < g->n_usb; i++)
                if (plan->chosen[i] >= 0)
                        r = give_device(root, arg_guest, &plan->devices.items[plan->chosen[i]], &record, uid);
        if (r < 0)
                return r;
        say_missing(g, plan);
        return 0;
}

static int give(int root) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(usb_plan_done) UsbPlan plan = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = guest_load(root, arg_guest, &g);
        r = r < 0 ? r : qemu_facts_gather(root, g, QEMU_PATH, QEMU_FACTS_WITHOUT_NETWORK, &facts);
        if (r < 0 || g->n_usb == 0)
                return r;
        if (arg_dry_run) {
                r = usb_plan_make(root, g, &plan);
                return r < 0 ? r : print_plan(g, &plan);
        }
        r = one_shot_lock(root, "usb", arg_dry_run, &lock);
        return r < 0 ? r : give_all(root, g, &plan);
}

/* ---- a guest that has ended ---- */

/* Returns 1: there is nothing of it left to do; 0: it stays noted; its error has been logged. */
static int return_device(int root, const UsbLoan *loan) {
        const char *step;
        int r = usb_loan_return(root, loan, &step);

        if (r < 0) {
                log_event_errno(r, MESSAGE_USB_FAILED, FIELDS("VXM_DEVICE", loan->port),
                        "USB device %s (%04x:%04x): cannot %s: %s; unplug it, or try again: %s --release %s",
                        loan->port, loan->vendor, loan->product, step, strerror(-r), program_invocation_name, arg_guest);
                return 0;
        }
        if (r > 0)
                log_event(LOG_INFO, MESSAGE_USB_RETURNED, FIELDS("VXM_DEVICE", loan->port),
                        "%s (%04x:%04x) is back with the host.", loan->port, loan->vendor, loan->product);
        return 1;
}

/* All of them are tried; those that did not go back stay noted, but nothing is wanted any more: the guest does not run. */
static int return_all(int root, UsbRecord *record) {
        size_t before = record->n_loans + record->n_wants;
        int r;

        for (size_t i = record->n_loans; i-- > 0;)
                if (return_device(root, &record->loans[i]) > 0)
                        usb_record_remove(record, i);
        if (record->n_loans == 0)
                return 0;
        record->n_wants = 0;
        r = record->n_loans < before ? save_record(root, arg_guest, record) : 0;
        return r < 0 ? r : -EIO;
}

static void print_loans(const UsbRecord *record) {
        for (size_t i = 0; i < record->n_loans; i++) {
                const UsbLoan *l = &record->loans[i];
                char node[USB_NODE_SIZE];

                printf("return  %s (%04x:%04x): %s to %u:%u, mode %o\n", l->port, l->vendor, l->product,
                        usb_node_print(l->address, node), l->uid, l->gid, (unsigned) l->mode);
                for (size_t j = 0; j < l->n_interfaces; j++)
                        printf("probe   %s, if it is without a driver; it had %s\n", l->interfaces[j].name,
                                l->interfaces[j].driver);
        }
}

static int release(int root) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = one_shot_lock(root, "usb", arg_dry_run, &lock);
        if (r < 0)
                return r;
        r = load_record(root, arg_guest, &record);
        if (r < 0 && r != -ENOENT)
                return r;
        if (arg_dry_run)
                return print_loans(&record), 0;

        r = door_close(root, DOOR_USB, arg_guest);
        if (r < 0)
                return log_error_errno(r, "Cannot remove /run/vxm/plug/%s: %s.", arg_guest, strerror(-r));
        r = return_all(root, &record);
        if (r < 0)
                return r;
        r = usb_record_forget(root, arg_guest);
        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/usb/%s: %s.", arg_guest, strerror(-r)) : 0;
}

/* ---- a device that has been plugged in ---- */

/* A controller that has been reset counts from the beginning. Returns 1, 0 or -errno. */
static int is_lent(int root, uid_t user, const UsbDevices *devices, const UsbLoan *loan) {
        const UsbDevice *d = usb_devices_find(devices, loan->address);

        if (!d || !usb_loan_is_of(loan, d))
                return 0;
        return arg_dry_run ? 1 : usb_loan_is_held(root, loan, user);
}

/* What has been unplugged is forgotten. Returns 1 when that was anything, 0 or -errno. */
static int forget_gone(int root, const char *guest, const UsbDevices *devices, UsbRecord *record) {
        int r = 0;

        for (size_t i = record->n_loans; r >= 0 && i-- > 0;) {
                const UsbLoan *loan = &record->loans[i];
                int hidden, lent = is_lent(root, record->user, devices, loan);
                char entry[USB_ENTRY_SIZE];

                if (lent < 0)
                        return lent;
                if (lent > 0)
                        continue;
                if (arg_dry_run) {
                        usb_record_remove(record, i);
                        continue;
                }
                hidden = door_hide(root, DOOR_USB, guest, usb_entry_print(loan->address, entry));
                usb_record_remove(record, i);
                r = hidden < 0 ? hidden : 1;
        }
        return r;
}

/* Whether there is something among what the guest wants that it has not got, and that the device fits: those that it
 * has stand first, the device last. Returns 1, 0 or -errno. */
static int is_wanted(const UsbRecord *record, const UsbDevices *devices, const UsbDevice *d) {
        UsbDevices list = {};
        bool usable[GUEST_USB_MAX * 4 + 1];
        int chosen[GUEST_USB_MAX], wanted = 0;

        list.items = calloc(record->n_loans + 1, sizeof list.items[0]);
        if (!list.items)
                return -ENOMEM;
        for (size_t i = 0; i < record->n_loans; i++) {
                const UsbDevice *had = usb_devices_find(devices, record->loans[i].address);

                if (had && list.n + 1 < ELEMENTSOF(usable))
                        list.items[list.n++] = *had;
        }
        list.items[list.n++] = *d;
        for (size_t i = 0; i < list.n; i++)
                usable[i] = true;
        usb_assign(record->wants, record->n_wants, &list, usable, chosen);
        for (size_t i = 0; i < record->n_wants; i++)
                wanted |= chosen[i] == (int) list.n - 1;
        free(list.items); /* the devices themselves are borrowed */
        return wanted;
}

/* Judged like at the start; but here, a refusal costs the guest this device, and nothing else. Returns 1: given; 0: it
 * may not be given, or is gone; -errno. */
static int lend(int root, const char *guest, const UsbDevice *d, UsbRecord *record) {
        _cleanup_(host_uses_done) HostUses uses = {};
        _cleanup_(freep) char *why = NULL, *what = usb_device_describe(d);
        int r;

        r = what ? host_uses_read(root, &uses) : log_oom();
        if (r < 0)
                return r;
        r = usb_judge(root, guest, d, &uses, &why);
        if (r < 0 && why)
                return log_event(LOG_WARNING, MESSAGE_USB_REFUSED, FIELDS("VXM_DEVICE", d->name, guest_field(), guest),
                        "%s %s; then plug it in anew.", what, why);
        if (r < 0 || arg_dry_run)
                return r < 0 ? r : (printf("give    %s to guest %s\n", what, guest), 1);
        r = note_device(root, d, record);
        if (r <= 0)
                return r;
        r = save_record(root, guest, record);
        return r < 0 ? r : give_device(root, guest, d, record, record->user);
}

/* Sets *given when the guest has the device now, or had it before. Returns 0 or -errno. */
static int offer(int root, const char *guest, const UsbDevices *devices, const UsbDevice *d, bool *given) {
        _cleanup_(usb_record_done) UsbRecord record = {};
        int r, gone;

        log_setup("vxm-usb", guest);
        if (!door_is_open(root, DOOR_USB, guest))
                return 0; /* it does not run: something has not gone back */
        r = load_record(root, guest, &record);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (record.n_wants == 0 || (record.user == 0 && !arg_dry_run))
                return 0; /* nor does this one */
        gone = forget_gone(root, guest, devices, &record);
        if (gone > 0 && !arg_dry_run)
                gone = save_record(root, guest, &record);
        if (gone < 0)
                return gone;
        if (usb_record_find(&record, d))
                return *given = true, 0; /* at its start */
        r = is_wanted(&record, devices, d);
        if (r <= 0)
                return r;
        if (*given)
                return log_event(LOG_INFO, MESSAGE_USB_REFUSED, FIELDS("VXM_DEVICE", d->name, guest_field(), guest),
                        "%s has gone to another guest.", d->name);
        r = lend(root, guest, d, &record);
        *given = r > 0;
        return r < 0 ? r : 0;
}

/* A guest is told that another one has been faster only after that one. All are asked, whatever became of one. */
static int plugged(int root, UsbAddress address) {
        _cleanup_(usb_devices_done) UsbDevices devices = {};
        _cleanup_(closep) int lock = -EBADF;
        const UsbDevice *d;
        char **guests = NULL;
        size_t n = 0;
        bool given = false;
        int r, first_error = 0;

        r = one_shot_lock(root, "usb", arg_dry_run, &lock);
        r = r < 0 ? r : usb_record_guests(root, &guests, &n);
        r = r < 0 ? r : usb_devices_read(root, &devices);
        d = r < 0 ? NULL : usb_devices_find(&devices, address);
        for (size_t i = 0; d && i < n; i++) {
                int offered = offer(root, guests[i], &devices, d, &given);

                first_error = first_error < 0 ? first_error : offered;
        }
        log_setup("vxm-usb", NULL);
        strings_free(guests, n);
        return r < 0 ? log_error_errno(r, "Cannot look for guests that want a USB device: %s.", strerror(-r)) : first_error;
}

static int run_plugged(const char *path, const char *entry) {
        _cleanup_(closep) int root = root_open(path);
        UsbAddress address;

        if (usb_entry_parse(entry, &address) < 0) {
                fprintf(stderr, "vxm-usb: %s is no device; expected bus and number such as 001-005 (see lsusb).\n", entry);
                return STATUS_USAGE;
        }
        if (root < 0)
                return exit_status(log_error_errno(root, "Cannot open %s: %s.", path, strerror(-root)));
        return exit_status(plugged(root, address));
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "plugged", NULL, "offer a device such as 001-005 to running guests", &arg_plugged, NULL },
                { "release", NULL, "take back what earlier runs gave, by the record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "with --dry-run: read the files below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-usb", "Gives USB devices to a guest's user, and takes them back.", "GUEST", 1,
                options, .root_alone = "goes with --dry-run; the devices given would be those of this machine." };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        if (arg_plugged && arg_release) {
                fprintf(stderr, "vxm-usb: --plugged and --release exclude each other.\n");
                return STATUS_USAGE;
        }
        if (arg_plugged) {
                log_setup("vxm-usb", NULL);
                return run_plugged(arg_root, operands[0]);
        }

        arg_guest = operands[0];
        log_setup("vxm-usb", arg_guest);
        return exit_status(one_shot_run(arg_root, arg_guest, arg_release ? release : give));
}
