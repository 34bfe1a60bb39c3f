/* SPDX-License-Identifier: BSD-3-Clause */
/* The planning half of vxm-bind. Only reads, and only through the root handle. */

#include "bind-plan.h"
#include "devices.h"
#include "log.h"
#include "root.h"

#define VFIO_DRIVER "vfio-pci"
#define PCI_DEVICES "sys/bus/pci/devices"

void bind_plan_done(BindPlan *plan) {
        for (size_t i = 0; i < plan->n; i++) {
                free(plan->steps[i].path);
                free(plan->steps[i].value);
                free(plan->steps[i].was);
        }
        free(plan->steps);
        pci_functions_done(&plan->functions);
        *plan = (BindPlan){};
}

/* Appends a step; path, value and was may be NULL. */
static int add_step(BindPlan *plan, BindStepType type, const char *device, const char *path, const char *value,
        const char *was) {
        BindStep *step = ARRAY_GROW(plan->steps, plan->n);

        if (!step)
                return -ENOMEM;
        plan->n++;
        step->type = type;
        (void) snprintf(step->device, sizeof step->device, "%s", device);
        if (free_and_strdup(&step->path, path) < 0 || free_and_strdup(&step->value, value) < 0)
                return -ENOMEM;
        return free_and_strdup(&step->was, was);
}

static int add_write(BindPlan *plan, const PciFunction *f, const char *attribute, const char *value) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = format(&path, PCI_DEVICES "/%s/%s", f->name, attribute);
        return r < 0 ? r : add_step(plan, BIND_WRITE, f->name, path, value, NULL);
}

static int add_probe(BindPlan *plan, const PciFunction *f) {
        return add_step(plan, BIND_WRITE, f->name, "sys/bus/pci/drivers_probe", f->name, NULL);
}

/* Moves a function from the driver it has to driver (NULL: to none), leaving override (NULL: none) behind. The kernel
 * clears driver_override on a newline, not on an empty write. The probe reports success whoever claims the device, or
 * nobody, so what came of it is read back. */
static int add_move(BindPlan *plan, const PciFunction *f, const char *driver, const char *override) {
        int r = 0;

        if (!streq_ptr(f->override, override))
                r = add_write(plan, f, "driver_override", override ? override : "\n");
        if (streq_ptr(f->driver, driver))
                return r;

        if (r >= 0 && f->driver)
                r = add_write(plan, f, "driver/unbind", f->name);
        if (r >= 0 && driver)
                r = add_probe(plan, f);
        return r < 0 ? r : add_step(plan, BIND_EXPECT_DRIVER, f->name, NULL, driver, f->driver);
}

static int add_node(BindPlan *plan, BindStepType type, const PciFunction *f, uid_t uid, gid_t gid) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = format(&path, "dev/vfio/%d", f->group);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->n; i++)
                if (plan->steps[i].type == type && streq(plan->steps[i].path, path))
                        return 0;
        r = add_step(plan, type, f->name, path, NULL, NULL);
        if (r >= 0) {
                plan->steps[plan->n - 1].uid = uid;
                plan->steps[plan->n - 1].gid = gid;
        }
        return r;
}

static int plan_take_steps(int root, uid_t uid, BindPlan *plan) {
        int r = 0;

        if (!root_exists(root, "sys/bus/pci/drivers/" VFIO_DRIVER))
                r = add_step(plan, BIND_LOAD_MODULE, "", NULL, VFIO_DRIVER, NULL);

        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++) {
                const PciFunction *f = &plan->functions.items[i];

                /* What has been bound at boot stays as it is. */
                if (!streq_ptr(f->driver, VFIO_DRIVER))
                        r = add_move(plan, f, VFIO_DRIVER, VFIO_DRIVER);
        }
        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++)
                r = add_node(plan, BIND_GIVE_NODE, &plan->functions.items[i], uid, 0);
        return r < 0 ? log_oom() : 0;
}

int bind_plan_take(int root, const Guest *g, uid_t uid, BindPlan *ret) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        int r;

        r = guest_devices_find(root, g, &plan.functions);
        if (r < 0)
                return r;
        if (plan.functions.n > 0) {
                r = plan_take_steps(root, uid, &plan);
                if (r < 0)
                        return r;
        }

        *ret = plan;
        plan = (BindPlan){};
        return 0;
}

static int plan_return_function(int root, const BindRecordFunction *before, BindPlan *plan) {
        _cleanup_(pci_function_done) PciFunction f = {};
        int r;

        r = pci_read_function(root, before->address, &f);
        if (r == -ENODEV) {
                char text[PCI_ADDRESS_TEXT];

                log_warning("%s has left the machine; nothing to give back.", pci_address_format(before->address, text));
                return 0;
        }
        if (r < 0)
                return r;

        r = f.group >= 0 ? add_node(plan, BIND_TAKE_NODE, &f, before->node_uid, before->node_gid) : 0;
        return r < 0 ? r : add_move(plan, &f, before->driver, before->override);
}

int bind_plan_return(int root, const BindRecord *record, BindPlan *ret) {
        _cleanup_(bind_plan_done) BindPlan plan = {};

        for (size_t i = record->n; i > 0; i--) {
                int r = plan_return_function(root, &record->functions[i - 1], &plan);

                if (r < 0)
                        return log_error_errno(r, "Cannot plan the way back: %s.", strerror(-r));
        }
        *ret = plan;
        plan = (BindPlan){};
        return 0;
}

void bind_plan_print(const BindPlan *plan, FILE *f) {
        for (size_t i = 0; i < plan->n; i++) {
                const BindStep *s = &plan->steps[i];

                switch (s->type) {
                case BIND_LOAD_MODULE:
                        fprintf(f, "load    %s\n", s->value);
                        break;
                case BIND_WRITE:
                        fprintf(f, "write   %s > /%s\n", streq(s->value, "\n") ? "(newline)" : s->value, s->path);
                        break;
                case BIND_EXPECT_DRIVER:
                        fprintf(f, "expect  %s has driver %s\n", s->device, s->value ? s->value : "none");
                        break;
                case BIND_GIVE_NODE:
                        fprintf(f, "give    /%s to the guest's user\n", s->path);
                        break;
                case BIND_TAKE_NODE:
                        fprintf(f, "take    /%s back, if it is still there\n", s->path);
                        break;
                }
        }
}
