/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans which USB devices a guest gets. */

#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "usb-plan.h"

/* What stands against each device that the guest file fits. */
typedef struct Verdicts {
        bool *usable;
        int *errors;
        char **why;
        size_t n;
} Verdicts;

static void verdicts_done(Verdicts *v) {
        for (size_t i = 0; v->why && i < v->n; i++)
                free(v->why[i]);
        free(v->why);
        free(v->errors);
        free(v->usable);
}

void usb_plan_done(UsbPlan *plan) {
        usb_devices_done(&plan->devices);
}

int usb_judge(int root, const char *guest, const UsbDevice *d, const HostUses *uses, char **ret_why) {
        _cleanup_(freep) char *holder = NULL;
        int r = usb_record_holder(root, guest, d, &holder);

        if (r < 0 && holder)
                return log_error_errno(r, "Cannot read the record /run/vxm/usb/%s: %s; correct it.", holder, strerror(-r));
        if (r < 0 && r != -EACCES && r != -EPERM)
                return log_error_errno(r, "Cannot list /run/vxm/usb: %s.", strerror(-r));
        if (r > 0)
                return format(ret_why, "is in use by guest %s; stop that one first: systemctl stop vxm-guest@%s", holder,
                               holder) < 0
                        ? log_oom()
                        : -E_BUSY;
        r = usb_use_judge(root, d, uses, ret_why);
        return r < 0 && !*ret_why ? log_error_errno(r, "Cannot tell what the host does with USB device %s: %s.", d->name,
                                            strerror(-r))
                                  : r;
}

static bool fits_any(const Guest *g, const UsbDevice *d) {
        for (size_t i = 0; i < g->n_usb; i++)
                if (usb_device_fits(d, &g->usb[i]))
                        return true;
        return false;
}

static int judge_all(int root, const Guest *g, const UsbDevices *devices, Verdicts *v) {
        _cleanup_(host_uses_done) HostUses uses = {};
        bool read = false;
        int r = 0;

        v->n = devices->n;
        v->usable = calloc(devices->n + 1, sizeof(bool));
        v->errors = calloc(devices->n + 1, sizeof(int));
        v->why = calloc(devices->n + 1, sizeof(char *));
        if (!v->usable || !v->errors || !v->why)
                return log_oom();
        for (size_t i = 0; i < devices->n; i++) {
                if (!fits_any(g, &devices->items[i]))
                        continue;
                if (!read) {
                        r = host_uses_read(root, &uses);
                        if (r < 0)
                                return r;
                        read = true;
                }
                v->errors[i] = usb_judge(root, g->name, &devices->items[i], &uses, &v->why[i]);
                if (v->errors[i] < 0 && !v->why[i])
                        return v->errors[i];
                v->usable[i] = v->errors[i] >= 0;
        }
        return 0;
}

static int refuse(const Guest *g, const UsbSpec *spec, const UsbDevice *d, int error, const char *why) {
        _cleanup_(freep) char *what = usb_device_describe(d);
        char text[USB_SPEC_SIZE];

        if (!what)
                return log_oom();
        return log_event_errno(error, MESSAGE_USB_REFUSED, FIELDS("VXM_DEVICE", d->name),
                "%s: [USB] Device=%s: %s %s.", g->file, usb_spec_print(spec, text), what, why);
}

/* One of Device= that has got nothing, though there is a device that it fits. */
static int check_refused(const Guest *g, size_t want, const UsbPlan *plan, const Verdicts *v) {
        for (size_t i = 0; plan->chosen[want] < 0 && i < v->n; i++)
                if (v->why[i] && usb_device_fits(&plan->devices.items[i], &g->usb[want]))
                        return refuse(g, &g->usb[want], &plan->devices.items[i], v->errors[i], v->why[i]);
        return 0;
}

int usb_plan_make(int root, const Guest *g, UsbPlan *ret) {
        _cleanup_(verdicts_done) Verdicts verdicts = {};
        _cleanup_(usb_plan_done) UsbPlan plan = {};
        int r;

        if (g->n_usb == 0)
                return *ret = plan, 0;
        r = usb_devices_read(root, &plan.devices);
        if (r < 0)
                return log_error_errno(r, "Cannot read /sys/bus/usb/devices: %s.", strerror(-r));
        r = judge_all(root, g, &plan.devices, &verdicts);
        if (r < 0)
                return r;
        usb_assign(g->usb, g->n_usb, &plan.devices, verdicts.usable, plan.chosen);
        for (size_t i = 0; r >= 0 && i < g->n_usb; i++)
                r = check_refused(g, i, &plan, &verdicts);
        if (r < 0)
                return r;
        *ret = plan;
        plan = (UsbPlan){};
        return 0;
}
