/* SPDX-License-Identifier: BSD-3-Clause */
/* The acting half of vxm-bind. Each write that enters a driver is made by a process of its own with a deadline, as a
 * driver that waits for a user who never lets go would take this process along. */

#include <fcntl.h>
#include <sys/stat.h>

#include "bind-run.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "module.h"
#include "pci-names.h"
#include "root.h"
#include "sysfs.h"

/* A write as the child process gets it. */
typedef struct Call {
        const BindRun *run;
        const BindStep *step;
} Call;

static int call_write(void *userdata) {
        const Call *c = userdata;

        return root_write(c->run->root, c->step->path, c->step->value);
}

static int call_load_module(void *module) {
        return module_load(module);
}

static const char *shown(const char *value) {
        return streq(value, "\n") ? "(newline)" : value;
}

static const char *device_of(const BindStep *step) {
        return step->device[0] ? step->device : "The host's console";
}

static int guarded_write(BindRun *run, const BindStep *step) {
        Call call = { run, step };
        int r = guarded_short_call(call_write, &call, run->deadline, &run->stuck);

        if (r == -ETIMEDOUT && run->stuck.pid > 0)
                (void) snprintf(run->stuck_device, sizeof run->stuck_device, "%s", step->device);
        return r;
}

static int load_module(BindRun *run, const BindStep *step) {
        int r;

        if (!run->is_this_machine)
                return 0;
        r = guarded_call(call_load_module, step->value, run->deadline, &run->stuck);
        /* In its unit this may load nothing: vxm-modules.service has been there before. */
        if (r == -ENOENT || r == -EACCES || r == -EPERM)
                return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL,
                        "The running kernel has no module %s, or it cannot be loaded; `modprobe -v %s` may tell why. It is in kernels "
                        "built with CONFIG_VFIO_PCI.",
                        step->value, step->value);
        return r < 0 ? log_error_errno(r, "Cannot load module %s: %s.", step->value, strerror(-r)) : 0;
}

/* Only the kernel knows which of the methods a device has that are not in use. */
static const char *advice(const BindStep *step) {
        return streq(path_name(step->path), "reset_method")
                       ? "; correct ResetMethod= in the guest file, vxm list-gpus shows what the device knows"
                       : "";
}

static int write_attribute(BindRun *run, const BindStep *step) {
        int r;

        r = step->enters_driver ? guarded_write(run, step) : root_write(run->root, step->path, step->value);
        if (r >= 0)
                return 0;
        if (r == -ETIMEDOUT)
                return log_event_errno(r, MESSAGE_DEVICE_STUCK, FIELDS("VXM_DEVICE", step->device),
                        "%s: writing “%s” to /%s has not come back within %g s; something still uses the device. It is not "
                        "touched any more; `journalctl -k` may tell why.",
                        device_of(step), shown(step->value), step->path, (double) run->deadline / 1000000);
        if (step->may_fail) {
                log_warning("%s: cannot write “%s” to /%s: %s; the host can do without.", device_of(step), shown(step->value),
                        step->path, strerror(-r));
                return 0;
        }
        return log_event_errno(r, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", step->device), "%s: cannot write “%s” to /%s: %s%s.",
                device_of(step), shown(step->value), step->path, strerror(-r), run->release ? "" : advice(step));
}

static char *title_of(const BindStep *step) {
        PciFunction f = { .vendor = step->vendor_id, .device = step->device_id };

        memcpy(f.name, step->device, sizeof f.name);
        return pci_function_title(&f);
}

static int expect_value(const BindRun *run, const BindStep *step) {
        _cleanup_(freep) char *value = NULL;
        int r;

        r = root_read(run->root, step->path, &value);
        if (r == -ENOMEM)
                return log_oom();
        if (r >= 0 && streq(value, step->value))
                return 0;
        return log_event_errno(r < 0 ? r : -EIO, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", device_of(step)),
                "%s: /%s reads “%s”, not “%s”, after that has been written; `journalctl -k` may tell why.", device_of(step), step->path,
                r < 0 ? strerror(-r) : value, step->value);
}

/* Sees who has the device now, and says so. */
static int expect_driver(const BindRun *run, const BindStep *step) {
        _cleanup_(freep) char *path = NULL, *driver = NULL, *title = NULL;
        const char *wanted = step->value ? step->value : "none", *was = step->was ? step->was : "none";
        int r;

        r = format(&path, "sys/bus/pci/devices/%s/driver", step->device);
        if (r < 0)
                return log_oom();
        r = root_readlink_name(run->root, path, &driver);
        if (r < 0 && r != -ENOENT)
                return log_error_errno(r, "%s: cannot read its driver: %s.", step->device, strerror(-r));

        if (!streq_ptr(driver, step->value))
                return log_event_errno(EIO, MESSAGE_DEVICE_FAILED, FIELDS("VXM_DEVICE", step->device),
                        "%s: driver %s did not take it (it has %s); `journalctl -k` may tell why.", step->device, wanted,
                        driver ? driver : "none");

        title = title_of(step);
        log_event(LOG_INFO, run->release ? MESSAGE_DEVICE_RETURNED : MESSAGE_DEVICE_TAKEN,
                FIELDS("VXM_DEVICE", step->device, "VXM_DRIVER", run->release ? wanted : was), "%s: %s → %s (%s)", step->device, was,
                wanted, title ? title : "no name");
        return 0;
}

/* The node is made by the kernel for root alone (0600); with its owner it changes hands. */
static int own_node(const BindRun *run, const BindStep *step) {
        _cleanup_(closep) int fd = -EBADF;

        fd = root_openat(run->root, step->path, O_PATH | O_NOFOLLOW);
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

static int run_step(BindRun *run, const BindStep *step) {
        switch (step->type) {
        case BIND_LOAD_MODULE:
                return load_module(run, step);
        case BIND_WRITE:
                return write_attribute(run, step);
        case BIND_EXPECT_VALUE:
                return expect_value(run, step);
        case BIND_EXPECT_DRIVER:
                return expect_driver(run, step);
        case BIND_GIVE_NODE:
        case BIND_TAKE_NODE:
                return own_node(run, step);
        }
        return -EINVAL;
}

/* Whether a step is for the device that failed, or for the card of one that is stuck. */
static bool is_off_limits(const BindRun *run, const BindStep *step, const char *failed) {
        PciAddress a, b;

        if (failed && step->device[0] && streq(step->device, failed))
                return true;
        return run->stuck.pid > 0 && step->type != BIND_TAKE_NODE && pci_address_parse(step->device, &a) >= 0 &&
               pci_address_parse(run->stuck_device, &b) >= 0 && pci_same_slot(a, b);
}

int bind_run(BindRun *run, const BindPlan *plan) {
        const char *failed = NULL;
        int r, first_error = 0;

        for (size_t i = 0; i < plan->n; i++) {
                const BindStep *step = &plan->steps[i];

                if (is_off_limits(run, step, failed))
                        continue;
                r = run_step(run, step);
                if (r >= 0)
                        continue;
                if (!run->release)
                        return r;
                failed = step->device;
                if (first_error == 0)
                        first_error = r;
        }
        return first_error;
}
