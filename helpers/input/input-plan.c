/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans which input devices a guest gets. */

#include "exit-status.h"
#include "input-loan.h"
#include "input-plan.h"
#include "log.h"
#include "messages.h"
#include "node-access.h"

void input_plan_done(InputPlan *plan) {
        input_devices_done(&plan->devices);
        free(plan->chosen);
        *plan = (InputPlan){};
}

char *input_device_describe(const InputDevice *d) {
        static const char *const words[] = { [INPUT_NONE] = "device", [INPUT_POINTER] = "pointer", [INPUT_KEYS] = "keys of",
                [INPUT_KEYBOARD] = "keyboard" };
        char node[INPUT_NODE_SIZE], *text;

        return format(&text, "%s “%s” (%s)", words[d->kind], d->name, input_node_print(d->number, node)) < 0 ? NULL : text;
}

const InputSpec *input_wish(const InputSpec wishes[], size_t n, const InputDevices *l, const InputDevice *d) {
        const InputSpec *found = NULL;

        for (size_t i = 0; i < n; i++)
                if (input_device_fits(l, d, &wishes[i]) && (!found || found->way == INPUT_AUTO))
                        found = &wishes[i];
        return found;
}

bool input_plan_has(const InputPlan *plan, const InputSpec *spec) {
        for (size_t i = 0; i < plan->devices.n; i++)
                if (input_device_fits(&plan->devices, &plan->devices.items[i], spec) && !input_device_is_extra(&plan->devices.items[i], spec))
                        return true;
        return false;
}

int input_judge(int root, const char *guest, const InputDevice *d, char **ret_why) {
        _cleanup_(freep) char *holder = NULL;
        InputLoan loan;
        int r;

        if (d->kind == INPUT_NONE)
                return format(ret_why, "is no keyboard and no mouse: it has nothing that a guest could use; see libinput list-devices") < 0
                        ? log_oom()
                        : -E_CONFIG;
        r = input_loan_note(root, d, &loan);
        if (r == -ENOENT)
                return r;
        r = r < 0 ? r : input_record_holder(root, guest, &loan, &holder);
        if (r < 0 && holder)
                return log_error_errno(r, "Cannot read the record /run/vxm/input/%s: %s; correct it.", holder, strerror(-r));
        if (r < 0 && r != -EACCES && r != -EPERM)
                return log_error_errno(r, "Cannot look at input device %s: %s.", d->name, strerror(-r));
        if (r <= 0)
                return 0;
        return format(ret_why, "is in use by guest %s; stop that one first: systemctl stop vxm-guest@%s", holder, holder) < 0 ? log_oom()
                                                                                                                               : -E_BUSY;
}

static int refuse(const Guest *g, const InputSpec *spec, const InputDevice *d, int error, const char *why) {
        _cleanup_(freep) char *what = input_device_describe(d);

        if (!what)
                return log_oom();
        return log_event_errno(error, MESSAGE_INPUT_REFUSED, FIELDS("VXM_DEVICE", d->name), "%s: [Input] Devices=%s: %s %s.", g->file,
                input_spec_print(spec), what, why);
}

bool input_is_part(const InputDevices *l, const InputDevice *d, const bool held[]) {
        for (size_t i = 0; i < l->n; i++)
                if (held[i] && input_devices_are_one(&l->items[i], d))
                        return true;
        return false;
}

/* What only auto fits is left to who has it, as long as there is something else. extras: what belongs to others that are chosen. */
static int choose(int root, const Guest *g, InputPlan *plan, size_t i, bool extras, int *left) {
        const InputDevice *d = &plan->devices.items[i];
        const InputSpec *wish = input_wish(g->inputs, g->n_inputs, &plan->devices, d);
        _cleanup_(freep) char *why = NULL;
        int r;

        if (!wish || input_device_is_extra(d, wish) != extras || (extras && !input_is_part(&plan->devices, d, plan->chosen)))
                return 0;
        r = input_judge(root, g->name, d, &why);
        if (r == -E_BUSY && why && wish->way == INPUT_AUTO) {
                *left = (int) i;
                return 0;
        }
        if (r < 0 && why)
                return refuse(g, wish, d, r, why);
        plan->chosen[i] = r >= 0;
        return r == -ENOENT ? 0 : r;
}

/* Refused with the reason of the last one that another guest has. */
static int refuse_left(int root, const Guest *g, const InputPlan *plan, int left) {
        const InputDevice *d = &plan->devices.items[left];
        _cleanup_(freep) char *why = NULL;
        int r = input_judge(root, g->name, d, &why);

        return r < 0 && why ? refuse(g, input_wish(g->inputs, g->n_inputs, &plan->devices, d), d, r, why) : r == -ENOENT ? 0 : r;
}

int input_plan_make(int root, const Guest *g, InputPlan *ret) {
        _cleanup_(input_plan_done) InputPlan plan = {};
        bool any = false;
        int r, left = -1;

        if (!guest_has_input(g))
                return *ret = plan, 0;
        r = node_access_find();
        r = r < 0 ? r : input_devices_read(root, &plan.devices);
        if (r < 0)
                return r;
        plan.chosen = calloc(plan.devices.n + 1, sizeof plan.chosen[0]);
        if (!plan.chosen)
                return log_oom();
        for (size_t i = 0; r >= 0 && i < plan.devices.n; i++) {
                r = choose(root, g, &plan, i, false, &left);
                any |= plan.chosen[i];
        }
        if (r >= 0 && !any && left >= 0)
                r = refuse_left(root, g, &plan, left);
        for (size_t i = 0; r >= 0 && i < plan.devices.n; i++)
                r = choose(root, g, &plan, i, true, &left);
        if (r < 0)
                return r;
        *ret = plan;
        plan = (InputPlan){};
        return 0;
}
