/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes devices and gives them back, with the undo record around it: what vxm-bind does for a guest, and vxm gpu for no guest. */

#include "bind-run.h"
#include "bind-take.h"
#include "census.h"
#include "claims.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "root.h"

static int refuse_record(const BindJob *job, int error) {
        if (error == -EACCES || error == -EPERM)
                return log_error_errno(error, "Only root can read the undo record /run/vxm/bind/%s; try again as root.", job->guest);
        return log_error_errno(error,
                "Cannot read the undo record /run/vxm/bind/%s: %s; correct it, then try again: /usr/lib/vxm/vxm-bind --release %s", job->guest,
                strerror(-error), job->guest);
}

/* A run that was killed may have left a write to a driver behind that has not come back yet: nothing is planned before it
 * has. On the way back it is waited for. */
static int hold_record(const BindJob *job, bool release, int *ret_fd) {
        int r = bind_record_hold(job->root, job->guest, release ? job->deadline : 0, ret_fd);

        if (r == -E_BUSY)
                return log_event_errno(E_BUSY, MESSAGE_DEVICE_BUSY, FIELDS("VXM_DEVICE", "A device"),
                        "An earlier run's write to a driver has not come back yet; `journalctl -k` may tell why. Try again: /usr/lib/vxm/vxm-bind %s%s",
                        release ? "--release " : "", job->guest);
        return r < 0 && r != -ENOENT ? log_error_errno(r, "Cannot hold /run/vxm/bind/%s: %s.", job->guest, strerror(-r)) : 0;
}

/* What an earlier run has noted, of devices that have not been given back since, tells of the time before that run. */
static int save_record(const BindJob *job, BindRecord *record) {
        _cleanup_(bind_record_done) BindRecord earlier = {};
        _cleanup_(closep) int hold = -EBADF;
        int r;

        r = hold_record(job, false, &hold);
        if (r < 0)
                return r;
        r = bind_record_load(job->root, job->guest, &earlier);
        if (r < 0 && r != -ENOENT)
                return refuse_record(job, r);
        r = bind_record_merge(record, &earlier);
        r = r < 0 ? r : bind_record_save(job->root, job->guest, record);
        return r < 0 ? log_error_errno(r, "Cannot write /run/vxm/bind/%s: %s; no device has been touched.", job->guest,
                               strerror(-r))
                     : 0;
}

/* Carries a plan out, and notes a device that is stuck, so that no later run writes to it as long as it is. */
static int run_noting(const BindJob *job, bool release, const BindPlan *plan, BindRecord *record) {
        BindRun run = {
                .root = job->root, .is_this_machine = root_is_this_machine(job->root), .release = release, .deadline = job->deadline,
        };
        BindRecordFunction *function;
        PciAddress address;
        int r, q;

        r = bind_run(&run, plan);
        if (run.stuck.pid == 0 || pci_address_parse(run.stuck_device, &address) < 0)
                return r;
        function = bind_record_find(record, address);
        if (function)
                function->stuck = run.stuck;
        q = bind_record_save(job->root, job->guest, record);
        if (q < 0)
                log_error_errno(q, "Cannot write /run/vxm/bind/%s: %s.", job->guest, strerror(-q));
        return r;
}

int bind_take(const BindJob *job, const Guest *g, uid_t uid) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        _cleanup_(closep) int lock = -EBADF, hold = -EBADF;
        int root = job->root, r;

        if (!job->dry_run) {
                r = bind_record_lock(root, &lock);
                if (r < 0)
                        return log_error_errno(r, "Cannot lock /run/vxm/bind: %s.", strerror(-r));
        }
        /* Claims come first: a card that is stuck does not even let itself be read. */
        r = guest_devices_find(root, g, &plan.functions);
        r = r < 0 || job->dry_run ? r : claims_check(root, job->guest, &plan.functions);
        r = r < 0 ? r : bind_plan_take(root, g, uid, &plan);
        if (r < 0)
                return r;
        if (job->dry_run)
                return bind_plan_print(&plan, stdout), 0;
        if (plan.functions.n == 0)
                return 0;

        r = census_check(root, g, &plan.functions, &plan.console, false);
        r = r < 0 ? r : save_record(job, &plan.record);
        r = r < 0 ? r : hold_record(job, false, &hold);
        if (r < 0)
                return r;
        lock = (close(lock), -EBADF);
        return run_noting(job, false, &plan, &plan.record);
}

int bind_give_back(const BindJob *job) {
        _cleanup_(bind_record_done) BindRecord record = {};
        _cleanup_(bind_plan_done) BindPlan plan = {};
        _cleanup_(closep) int lock = -EBADF, hold = -EBADF;
        int root = job->root, r;
        bool left;

        r = job->dry_run ? 0 : hold_record(job, true, &hold);
        if (r < 0)
                return r;
        r = bind_record_load(root, job->guest, &record);
        if (r == -ENOENT)
                return job->dry_run ? 0 : bind_record_forget(root, job->guest);
        if (r < 0)
                return refuse_record(job, r);
        r = job->dry_run ? 0 : census_check_return(root, job->guest, &record);
        r = r < 0 ? r : bind_plan_return(root, &record, &plan, &left);
        if (r < 0)
                return r;
        if (job->dry_run)
                return bind_plan_print(&plan, stdout), 0;

        r = run_noting(job, true, &plan, &record);
        r = r >= 0 && left ? -ETIMEDOUT : r;
        if (r < 0)
                return log_error_errno(r, "Not all is as before; what was before stays noted in /run/vxm/bind/%s. Try again: "
                                          "/usr/lib/vxm/vxm-bind --release %s",
                        job->guest, job->guest);
        /* Who plans under the lock must still see our record, or it would take vfio-pci for the driver there was before. */
        r = bind_record_lock(root, &lock);
        r = r < 0 ? r : bind_record_forget(root, job->guest);
        return r < 0 ? log_error_errno(r, "Cannot remove /run/vxm/bind/%s: %s.", job->guest, strerror(-r))
                     : log_info("All devices are back with the host, as before.");
}
