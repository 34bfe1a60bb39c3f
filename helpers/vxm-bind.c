/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm-bind: gives a guest's PCI devices to vfio-pci, and gives them back.
 *
 * Started by vxm-bind@.service, one instance a guest: once to take (ExecStart=), once to give back (ExecStopPost=, with
 * --release, idempotent). Touches driver_override, unbind and drivers_probe below /sys/bus/pci, the owner of nodes in
 * /dev/vfio, and its record in /run/vxm/bind. Refuses before the first write, also when the guest could not start. */

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>

#include "bind-plan.h"
#include "cli.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "module.h"
#include "parse.h"
#include "pci-names.h"
#include "qemu-facts.h"
#include "root.h"

static const char *arg_root = "/";
static const char *arg_guest;
static bool arg_release;
static bool arg_dry_run;

static int load_module(const BindStep *step) {
        int r;

        /* Another machine's tree is no reason to load a module into this one. */
        if (!streq(arg_root, "/"))
                return 0;
        r = module_load(step->value);
        if (r == -ENOENT)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "The running kernel has no module %s; boot a kernel built with CONFIG_VFIO_PCI.", step->value);
        return r < 0 ? log_error_errno(r, "Cannot load module %s: %s.", step->value, strerror(-r)) : 0;
}

static int write_attribute(int root, const BindStep *step) {
        int r = root_write(root, step->path, step->value);

        return r < 0 ? log_event_errno(r, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", step->device),
                               "%s: cannot write to /%s: %s.", step->device, step->path, strerror(-r))
                     : 0;
}

static char *title_of(int root, const char *device) {
        PciFunction f = {};
        char *title = NULL;

        if (pci_address_parse(device, &f.address) >= 0 && pci_read_function(root, f.address, &f) >= 0)
                title = pci_function_title(&f);
        pci_function_done(&f);
        return title;
}

/* Sees who has the device now, and says so. */
static int expect_driver(int root, const BindStep *step) {
        _cleanup_(freep) char *path = NULL, *driver = NULL, *title = NULL;
        const char *wanted = step->value ? step->value : "none", *was = step->was ? step->was : "none";
        int r;

        r = format(&path, "sys/bus/pci/devices/%s/driver", step->device);
        if (r < 0)
                return log_oom();
        r = root_readlink_name(root, path, &driver);
        if (r < 0 && r != -ENOENT)
                return log_error_errno(r, "%s: cannot read its driver: %s.", step->device, strerror(-r));

        if (!streq_ptr(driver, step->value))
                return log_event_errno(EIO, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", step->device),
                        "%s: driver %s did not take it (it has %s); `journalctl -k` may tell why.", step->device, wanted,
                        driver ? driver : "none");

        title = title_of(root, step->device);
        log_event(LOG_INFO, arg_release ? MESSAGE_DEVICE_RETURNED : MESSAGE_DEVICE_TAKEN,
                FIELDS("VXM_DEVICE", step->device, "VXM_DRIVER", arg_release ? wanted : was), "%s: %s → %s (%s)", step->device, was,
                wanted, title ? title : "no name");
        return 0;
}

/* The node is made by the kernel for root alone (0600); with its owner it changes hands. */
static int own_node(int root, const BindStep *step) {
        _cleanup_(closep) int fd = -EBADF;

        fd = root_openat(root, step->path, O_PATH | O_NOFOLLOW);
        if (fd == -ENOENT && step->type == BIND_TAKE_NODE)
                return 0;
        if (fd < 0)
                return log_event_errno(fd, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", step->device),
                        "%s: cannot open /%s: %s.", step->device, step->path, strerror(-fd));
        if (fchownat(fd, "", step->uid, step->gid, AT_EMPTY_PATH) < 0)
                return log_event_errno(errno, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", step->device),
                        "%s: cannot change the owner of /%s: %m.", step->device, step->path);
        return 0;
}

static int run_step(int root, const BindStep *step) {
        switch (step->type) {
        case BIND_LOAD_MODULE:
                return load_module(step);
        case BIND_WRITE:
                return write_attribute(root, step);
        case BIND_EXPECT_DRIVER:
                return expect_driver(root, step);
        case BIND_GIVE_NODE:
        case BIND_TAKE_NODE:
                return own_node(root, step);
        }
        return -EINVAL;
}

/* Taking stops at the first failure: --release undoes from there. Giving back does all it can, and tells the first
 * failure at the end: one device that is stuck must not keep the others from the host. */
static int run_plan(int root, const BindPlan *plan) {
        const char *failed = NULL;
        int r, first_error = 0;

        for (size_t i = 0; i < plan->n; i++) {
                const BindStep *step = &plan->steps[i];

                /* After one failure, no further write to that device. */
                if (failed && streq(step->device, failed))
                        continue;
                r = run_step(root, step);
                if (r >= 0)
                        continue;
                if (!arg_release)
                        return r;
                failed = step->device;
                if (first_error == 0)
                        first_error = r;
        }
        return first_error;
}

/* The guest's user has been made by vxm-user@.service. */
static int find_user(uid_t *ret) {
        _cleanup_(freep) char *name = NULL;
        struct passwd *user;
        int r;

        r = format(&name, "vxm-%s", arg_guest);
        if (r < 0)
                return log_oom();
        user = getpwnam(name);
        if (user)
                *ret = user->pw_uid;
        else if (arg_dry_run)
                *ret = 0;
        else
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "There is no user %s; make it: systemd-sysusers --inline 'u %s -'", name, name);
        return 0;
}

/* A device in another guest's record is that guest's: had we taken it, either undo would wreck the other. */
static int check_claims(int root, const BindPlan *plan) {
        for (size_t i = 0; i < plan->functions.n; i++) {
                const PciFunction *f = &plan->functions.items[i];
                _cleanup_(freep) char *holder = NULL;
                int r;

                r = bind_record_holder(root, arg_guest, f->address, &holder);
                if (r > 0)
                        return log_event_errno(E_BUSY, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                                "%s belongs to guest %s now; stop that first: systemctl stop vxm-guest@%s; if it has stopped "
                                "already, have its devices given back: %s --release %s",
                                f->name, holder, holder, program_invocation_name, holder);
                if (r < 0)
                        return log_error_errno(r, "Cannot read the undo record /run/vxm/bind/%s: %s; correct or remove it.",
                                holder ? holder : "", strerror(-r));
        }
        return 0;
}

/* How all was before: what an earlier run has noted, of devices that have not been given back since, holds on; it tells
 * of the time before that run. */
static int make_record(int root, const BindPlan *plan, const BindRecord *earlier, BindRecord *record) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++) {
                const PciFunction *f = &plan->functions.items[i];

                r = bind_record_copy(record, earlier, f->address);
                if (r == 0)
                        r = bind_record_add(record, root, f);
        }
        for (size_t i = 0; r >= 0 && i < earlier->n; i++) {
                bool known = false;

                for (size_t j = 0; j < plan->functions.n; j++)
                        known |= pci_address_equal(plan->functions.items[j].address, earlier->functions[i].address);
                if (!known)
                        r = bind_record_copy(record, earlier, earlier->functions[i].address);
        }
        return r < 0 ? r : 0;
}

static int save_record(int root, const BindPlan *plan) {
        _cleanup_(bind_record_done) BindRecord earlier = {}, record = {};
        int r;

        r = bind_record_load(root, arg_guest, &earlier);
        r = r < 0 && r != -ENOENT ? r : make_record(root, plan, &earlier, &record);
        r = r < 0 ? r : bind_record_save(root, arg_guest, &record);
        return r < 0 ? log_error_errno(r, "Cannot write /run/vxm/bind/%s: %s; no device has been touched.", arg_guest,
                               strerror(-r))
                     : 0;
}

/* A desktop must not lose its GPU for a guest that cannot start anyway: a missing disk or KVM shows before the first
 * write. */
static int check_guest(int root, const Guest *g) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};

        return qemu_facts_gather(root, g, QEMU_PATH, &facts);
}

static int take(int root) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        _cleanup_(guest_freep) Guest *g = NULL;
        _cleanup_(closep) int lock = -EBADF;
        uid_t uid = 0;
        int r;

        r = guest_load(root, arg_guest, &g);
        if (r < 0)
                return r;
        r = arg_dry_run ? 0 : check_guest(root, g);
        r = r < 0 ? r : find_user(&uid);
        if (r < 0)
                return r;
        if (!arg_dry_run) {
                r = bind_record_lock(root, &lock);
                if (r < 0)
                        return log_error_errno(r, "Cannot lock /run/vxm/bind: %s.", strerror(-r));
        }
        r = bind_plan_take(root, g, uid, &plan);
        if (r < 0)
                return r;
        if (arg_dry_run)
                return bind_plan_print(&plan, stdout), 0;
        if (plan.functions.n == 0)
                return 0;

        r = check_claims(root, &plan);
        r = r < 0 ? r : save_record(root, &plan);
        if (r < 0)
                return r;
        lock = (close(lock), -EBADF);
        return run_plan(root, &plan);
}

static int give_back(int root) {
        _cleanup_(bind_record_done) BindRecord record = {};
        _cleanup_(bind_plan_done) BindPlan plan = {};
        _cleanup_(closep) int lock = -EBADF;
        int r;

        r = bind_record_load(root, arg_guest, &record);
        if (r == -ENOENT)
                return arg_dry_run ? 0 : bind_record_forget(root, arg_guest);
        if (r < 0)
                return log_error_errno(r,
                        "Cannot read the undo record /run/vxm/bind/%s: %s; correct it, then try again: %s --release %s", arg_guest,
                        strerror(-r), program_invocation_name, arg_guest);
        r = bind_plan_return(root, &record, &plan);
        if (r < 0)
                return r;
        if (arg_dry_run)
                return bind_plan_print(&plan, stdout), 0;

        r = run_plan(root, &plan);
        if (r < 0)
                return log_error_errno(r, "Not all is as before; what was before stays noted in /run/vxm/bind/%s. Try again: "
                                          "%s --release %s",
                        arg_guest, program_invocation_name, arg_guest);
        /* Who plans under the lock must still see our record, or it would take vfio-pci for the driver there was before. */
        r = bind_record_lock(root, &lock);
        r = r < 0 ? r : bind_record_forget(root, arg_guest);
        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/bind/%s: %s.", arg_guest, strerror(-r))
                     : log_info("All devices are back with the host, as before.");
}

static int run(void) {
        _cleanup_(closep) int root = -EBADF;

        root = root_open(arg_root);
        if (root < 0)
                return log_error_errno(root, "Cannot open %s: %s.", arg_root, strerror(-root));
        if (!guest_name_is_valid(arg_guest))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", arg_guest);
        return arg_release ? give_back(root) : take(root);
}

int main(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "release", NULL, "give back what an earlier run took, by its record", &arg_release, NULL },
                { "dry-run", NULL, "print the steps, and do none of them", &arg_dry_run, NULL },
                { "root", "DIR", "work on the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm-bind", "Gives the PCI devices of a guest to vfio-pci, and gives them back.", "GUEST", 1,
                options };
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        arg_guest = operands[0];
        log_setup("vxm-bind", arg_guest);
        return exit_status(run());
}
