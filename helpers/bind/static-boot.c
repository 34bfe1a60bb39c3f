/* SPDX-License-Identifier: BSD-3-Clause */
/* The last layer of static binding, and the judge of the others: run by vxm-static-bind.service before udev's coldplug,
 * when nothing but the kernel and the initramfs can have given a device to a driver. */

#include "bind-run.h"
#include "display.h"
#include "exit-status.h"
#include "holders.h"
#include "log.h"
#include "messages.h"
#include "root.h"
#include "static-files.h"
#include "static.h"

#define WRITE_DEADLINE (8 * UINT64_C(1000000)) /* µs; the unit has time for a few of them */
#define INITRAMFS_NOTE "run/vxm/initramfs" /* by initramfs/vxm-early: one address a line */

/* Whether a line of the text begins with the address. */
static bool has_line(const char *text, const char *address) {
        for (const char *line = text; line; line = strchr(line, '\n')) {
                const char *rest;

                line += *line == '\n';
                rest = startswith(line, address);
                if (rest && (*rest == '\0' || *rest == '\n' || *rest == ' '))
                        return true;
        }
        return false;
}

static bool file_has_line(int root, const char *path, const char *address) {
        _cleanup_(freep) char *text = NULL;

        return root_read(root, path, &text) >= 0 && has_line(text, address);
}

static void say_bound(const PciFunction *f, const char *layer, const char *by) {
        log_event(LOG_INFO, MESSAGE_STATIC_BOUND, FIELDS("VXM_DEVICE", f->name, "VXM_LAYER", layer),
                "%s was bound to vfio-pci %s.", f->name, by);
}

/* Says which driver was first, and which layer should have been; then what has become of it. */
static int say_lost(int root, const PciFunction *f, bool taken) {
        const char *why, *what;

        if (!root_exists(root, STATIC_DEVICES)) {
                why = "the initramfs has no part of vxm";
                what = "--static --enable puts it there";
        } else if (!file_has_line(root, STATIC_DEVICES, f->name)) {
                why = "the initramfs was made before the guest file asked for it";
                what = "--static --enable makes it anew";
        } else {
                why = "the part of vxm in the initramfs was not there or came late, see journalctl -b -t vxm";
                what = "--static --disable and then --enable makes it anew";
        }
        log_event(taken ? LOG_WARNING : LOG_ERR, MESSAGE_STATIC_LOST, FIELDS("VXM_DEVICE", f->name, "VXM_DRIVER", f->driver),
                "%s had driver %s before vfio-pci: %s. %s. For the next boot, /usr/lib/vxm/vxm-bind %s.", f->name, f->driver, why,
                taken ? "It was taken from that driver now" : "It stays so until its guest starts", what);
        return taken ? 0 : -E_BUSY;
}

/* Whether a driver can be made to let go here and now: nobody has the device open, no console of the host is on it, and
 * the machine does not boot on it. Anything that cannot be found out counts as a no. */
static bool may_be_taken(int root, const PciFunction *f) {
        _cleanup_(host_console_done) HostConsole console = {};
        _cleanup_(holders_done) Holders holders = {};

        if (f->boot_vga || host_console_read(root, f, 1, &console) < 0 || console.n_vtconsoles > 0 ||
                pci_is_boot_gpu(f, &console))
                return false;
        return holders_find(root, f, 1, &holders) >= 0 && holders.n == 0 && holders.n_unseen == 0;
}

/* Gives one function to vfio-pci, or leaves it as it was. */
static int move(int root, const PciFunction *f) {
        const PciFunctions one = { (PciFunction *) f, 1 };
        BindRun run = { .root = root, .is_this_machine = root_is_this_machine(root), .deadline = WRITE_DEADLINE };
        _cleanup_(bind_plan_done) BindPlan plan = {}, back = {};
        _cleanup_(bind_record_done) BindRecord record = {};
        bool stuck;
        int r;

        r = bind_record_add(&record, root, f);
        if (r < 0)
                return log_error_errno(r, "%s: cannot note how it is: %s.", f->name, strerror(-r));
        r = bind_plan_static(root, &one, &plan);
        r = r < 0 ? r : bind_run(&run, &plan);
        if (r >= 0 || run.stuck.pid > 0)
                return r;
        run.release = true;
        if (bind_plan_return(root, &record, &back, &stuck) >= 0)
                (void) bind_run(&run, &back);
        return r;
}

static int bind(int root, const PciFunction *f) {
        int r;

        if (f->driver && !may_be_taken(root, f))
                return say_lost(root, f, false);
        r = move(root, f);
        if (f->driver)
                (void) say_lost(root, f, r >= 0);
        else if (r >= 0)
                say_bound(f, "unit", "by vxm-static-bind.service");
        return r;
}

static int judge_or_bind(int root, const PciFunction *f) {
        if (!streq_ptr(f->driver, VFIO_DRIVER))
                return bind(root, f);
        if (file_has_line(root, INITRAMFS_NOTE, f->name))
                say_bound(f, "initramfs", "in the initramfs");
        else if (root_exists(root, STATIC_RULES))
                say_bound(f, "udev", "by the udev rule, not in the initramfs");
        else
                say_bound(f, "foreign", "before vxm had a part in it, by another rule or option");
        return 0;
}

static int print(int root, const PciFunctions *functions) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        int r = bind_plan_static(root, functions, &plan);

        if (r >= 0)
                bind_plan_print(&plan, stdout);
        return r;
}

int static_bind(int root, bool dry_run) {
        _cleanup_(pci_functions_done) PciFunctions functions = {};
        int r, first_error;

        log_set_unit("vxm-static-bind.service");
        r = guest_devices_find_static(root, &functions, &first_error);
        if (r < 0)
                return r;
        if (functions.n == 0 && first_error == 0)
                log_info("No guest file asks for a device at boot (Binding=static); nothing to do.");
        for (size_t i = 0; i < functions.n; i++) {
                r = pci_read_override(root, &functions.items[i]);
                if (r < 0)
                        return log_error_errno(r, "%s: cannot read driver_override: %s.", functions.items[i].name, strerror(-r));
        }
        if (dry_run)
                return print(root, &functions);

        for (size_t i = 0; i < functions.n; i++) {
                r = judge_or_bind(root, &functions.items[i]);
                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}
