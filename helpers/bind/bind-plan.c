/* SPDX-License-Identifier: BSD-3-Clause */
/* The planning half of vxm-bind. Only reads, and only through the root handle. */

#include "bind-plan.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "parse.h"
#include "pci-details.h"
#include "rom-file.h"
#include "root.h"

#define PCI_DEVICES "sys/bus/pci/devices"
#define PLATFORM "sys/bus/platform"

enum {
        MIB_BITS = 20,
        MIB = 1 << MIB_BITS,
};

void bind_plan_done(BindPlan *plan) {
        for (size_t i = 0; i < plan->n; i++) {
                free(plan->steps[i].path);
                free(plan->steps[i].value);
                free(plan->steps[i].was);
        }
        free(plan->steps);
        bind_record_done(&plan->record);
        guest_functions_done(&plan->functions);
        host_console_done(&plan->console);
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

static int add_write(BindPlan *plan, const PciFunction *f, const char *attribute, const char *value, bool enters_driver) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = format(&path, PCI_DEVICES "/%s/%s", f->name, attribute);
        r = r < 0 ? r : add_step(plan, BIND_WRITE, f->name, path, value, NULL);
        if (r >= 0)
                plan->steps[plan->n - 1].enters_driver = enters_driver;
        return r;
}

static int add_probe(BindPlan *plan, const PciFunction *f) {
        int r = add_step(plan, BIND_WRITE, f->name, "sys/bus/pci/drivers_probe", f->name, NULL);

        if (r >= 0)
                plan->steps[plan->n - 1].enters_driver = true;
        return r;
}

/* A size that a BAR gets while no driver has the function: the kernel refuses it else. */
typedef struct Resize {
        const char *attribute; /* "resource0_resize"; NULL: none */
        const char *value;
        bool may_fail;
} Resize;

static int add_resize(BindPlan *plan, const PciFunction *f, Resize resize) {
        int r = add_write(plan, f, resize.attribute, resize.value, true);

        if (r >= 0)
                plan->steps[plan->n - 1].may_fail = resize.may_fail;
        return r;
}

/* Moves a function from the driver it has to driver (NULL: to none), leaving override (NULL: none) behind. The kernel
 * clears driver_override on a newline, not on an empty write. The probe reports success whoever claims the device, or
 * nobody, so what came of it is read back. */
static int add_move(BindPlan *plan, const PciFunction *f, const char *driver, const char *override, Resize resize) {
        int r = 0;

        if (!streq_ptr(f->override, override))
                r = add_write(plan, f, "driver_override", override ? override : "\n", false);
        if (r < 0 || (streq_ptr(f->driver, driver) && !resize.attribute))
                return r;

        if (f->driver)
                r = add_write(plan, f, "driver/unbind", f->name, true);
        if (r >= 0 && resize.attribute)
                r = add_resize(plan, f, resize);
        if (r >= 0 && driver)
                r = add_probe(plan, f);
        r = r < 0 ? r : add_step(plan, BIND_EXPECT_DRIVER, f->name, NULL, driver, f->driver);
        if (r >= 0) {
                plan->steps[plan->n - 1].vendor_id = f->vendor;
                plan->steps[plan->n - 1].device_id = f->device;
        }
        return r;
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

/* ---- to the guest ---- */

static int note_function(int root, GuestFunction *function, BindRecord *record) {
        BindRecordFunction *f;
        int r;

        r = pci_read_override(root, &function->pci);
        r = r < 0 ? r : bind_record_add(record, root, &function->pci);
        if (r < 0 || !function->section->binding_static || streq_ptr(function->pci.driver, VFIO_DRIVER))
                return r;
        /* What is bound at boot is at home with vfio-pci, also where that has come too late. */
        f = &record->functions[record->n - 1];
        r = free_and_strdup(&f->driver, VFIO_DRIVER);
        return r < 0 ? r : free_and_strdup(&f->override, VFIO_DRIVER);
}

/* The host's console lets go of the framebuffers that are about to vanish, if it can be told to take them again; else it goes
 * and comes with the driver of the GPU. Boot framebuffers, which vfio-pci evicts from VGA controllers only
 * (drivers/vfio/pci/vfio_pci_core.c), let go of the memory. */
static int plan_console(BindPlan *plan) {
        const HostConsole *console = &plan->console;
        size_t n_vtconsoles = console->vtconsoles_return ? console->n_vtconsoles : 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_vtconsoles; i++) {
                _cleanup_(freep) char *path = NULL;

                r = format(&path, "sys/class/vtconsole/%s/bind", console->vtconsoles[i]);
                r = r < 0 ? r : bind_record_add_vtconsole(&plan->record, console->vtconsoles[i]);
                r = r < 0 ? r : add_step(plan, BIND_WRITE, "", path, "0", NULL);
                if (r >= 0)
                        plan->steps[plan->n - 1].enters_driver = true;
        }
        for (size_t i = 0; r >= 0 && i < console->n_platform_devices; i++) {
                const char *device = console->platform_devices[i], *driver = console->platform_drivers[i];
                _cleanup_(freep) char *path = NULL;

                r = format(&path, PLATFORM "/drivers/%s/unbind", driver);
                r = r < 0 ? r : bind_record_add_platform(&plan->record, device, driver);
                r = r < 0 ? r : add_step(plan, BIND_WRITE, "", path, device, NULL);
                if (r >= 0)
                        plan->steps[plan->n - 1].enters_driver = true;
        }
        return r;
}

/* Sets an attribute that a key of the guest file names (NULL: it does not), and notes what it was. changes: the function's way
 * to vfio-pci and back changes it in any case. */
static int plan_attribute(int root, const Guest *g, const GuestFunction *function, const char *key, const char *attribute,
        const char *value, bool changes, BindPlan *plan) {
        _cleanup_(freep) char *path = NULL, *now = NULL;
        const PciFunction *f = &function->pci;
        int r;

        if (!value && !changes)
                return 0;
        r = format(&path, PCI_DEVICES "/%s/%s", f->name, attribute);
        if (r < 0)
                return log_oom();
        r = root_read(root, path, &now);
        if (r == -ENOENT && (!value || !function->named))
                return 0;
        if (r == -ENOENT)
                return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                        "%s has no %s for %s=%s; take that out of %s.", f->name, attribute, key, value, g->file);
        if (r < 0)
                return log_error_errno(r, "%s: cannot read %s: %s.", f->name, attribute, strerror(-r));
        if (!changes && streq(now, value))
                return 0;
        /* Where vfio-pci is at home it comes back to what that makes of it. */
        if (changes && function->section->binding_static && !streq_ptr(f->driver, VFIO_DRIVER) && free_and_strdup(&now, "auto") < 0)
                return log_oom();
        r = bind_record_add_attribute(&plan->record, f->address, attribute, isempty(now) ? "-" : now);
        if (r >= 0 && value)
                r = add_write(plan, f, attribute, value, true);
        return r < 0 ? log_error_errno(r, "%s: cannot note %s, “%s”: %s.", f->name, attribute, now, strerror(-r)) : 0;
}

/* The sizes a BAR can have, a bit each; 0: it cannot be resized. The kernel wakes the device for that. */
static int read_sizes(int root, const PciFunction *f, unsigned index, uint64_t *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        char *end;
        int r;

        *ret = 0;
        r = format(&path, PCI_DEVICES "/%s/resource%u_resize", f->name, index);
        r = r < 0 ? r : root_read(root, path, &text);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        errno = 0;
        *ret = strtoull(text, &end, 16);
        return errno > 0 || end == text || *end != '\0' ? -EINVAL : 0;
}

/* The BAR that can be the largest is the card's memory; *ret is NULL when there is none that can be resized. */
static int find_memory_bar(int root, const PciFunction *f, PciDetails *details, PciBar **ret) {
        int r;

        *ret = NULL;
        r = pci_bars_read(root, f, details->bars, &details->n_bars);
        for (size_t i = 0; r >= 0 && i < details->n_bars; i++) {
                PciBar *bar = &details->bars[i];

                if (!bar->memory || bar->index > 5 || bar->size < MIB || (bar->size & (bar->size - 1)) != 0)
                        continue;
                r = read_sizes(root, f, bar->index, &bar->sizes);
                if (r >= 0 && bar->sizes != 0 && (!*ret || bar->sizes > (*ret)->sizes))
                        *ret = bar;
        }
        return r;
}

/* As the kernel takes it: the exponent of two, in MiB (Documentation/ABI/testing/sysfs-bus-pci). */
static int size_exponent(uint64_t size) {
        return __builtin_ctzll(size) - MIB_BITS;
}

static int plan_resize(int root, const Guest *g, const GuestFunction *function, char **ret_attribute, char **ret_value,
        BindPlan *plan) {
        _cleanup_(pci_details_done) PciDetails details = {};
        _cleanup_(freep) char *was = NULL;
        const PciFunction *f = &function->pci;
        PciBar *bar;
        int r;

        if (!function->named || function->section->bar_size == 0)
                return 0;
        r = find_memory_bar(root, f, &details, &bar);
        if (r < 0)
                return log_error_errno(r, "%s: cannot read its BARs: %s.", f->name, strerror(-r));
        if (!bar || !(bar->sizes >> size_exponent(function->section->bar_size) & 1))
                return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                        "%s has no BAR that can be of the size that BarSize= of %s says; see vxm list-gpus.", f->name, g->file);
        if (bar->size == function->section->bar_size)
                return 0;
        if (format(ret_attribute, "resource%u_resize", bar->index) < 0 ||
                format(ret_value, "%d", size_exponent(function->section->bar_size)) < 0 ||
                format(&was, "%d", size_exponent(bar->size)) < 0)
                return log_oom();
        r = bind_record_add_attribute(&plan->record, f->address, *ret_attribute, was);
        return r < 0 ? log_oom() : 0;
}

static int plan_policy(int root, const Guest *g, const GuestFunction *function, BindPlan *plan) {
        const GuestDevices *s = function->section;
        int r;

        r = function->named && s->rom_file ? rom_file_check(root, g, &function->pci, s->rom_file) : 0;
        r = r < 0 ? r : plan_attribute(root, g, function, "D3Cold", "d3cold_allowed", s->d3cold, false, plan);
        /* A card's other functions have methods of their own. */
        return r < 0 || !function->named
                       ? r
                       : plan_attribute(root, g, function, "ResetMethod", "reset_method", s->reset_method, false, plan);
}

/* vfio-pci lets a function sleep when it comes, and keeps it awake when it goes, whatever was so before
 * (vfio_pci_core_register_device() and …_unregister_device() in drivers/vfio/pci/vfio_pci_core.c): power/control is set after the
 * move, and always noted. */
static int plan_function(int root, const Guest *g, const GuestFunction *function, BindPlan *plan) {
        _cleanup_(freep) char *attribute = NULL, *value = NULL;
        bool moves;
        int r;

        r = plan_resize(root, g, function, &attribute, &value, plan);
        if (r < 0)
                return r;
        /* What has been bound at boot stays as it is. */
        moves = !streq_ptr(function->pci.driver, VFIO_DRIVER) || attribute;
        if (moves && add_move(plan, &function->pci, VFIO_DRIVER, VFIO_DRIVER, (Resize){ attribute, value }) < 0)
                return log_oom();
        return plan_attribute(root, g, function, "PowerControl", "power/control", function->section->power_control, moves, plan);
}

static int plan_module(int root, BindPlan *plan) {
        if (root_exists(root, "sys/bus/pci/drivers/" VFIO_DRIVER))
                return 0;
        return add_step(plan, BIND_LOAD_MODULE, "", NULL, VFIO_DRIVER, NULL);
}

static int plan_take_steps(int root, const Guest *g, uid_t uid, BindPlan *plan) {
        int r;

        r = guest_console_read(root, &plan->functions, &plan->console);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++)
                r = note_function(root, &plan->functions.items[i], &plan->record);
        r = r < 0 ? r : plan_module(root, plan);
        if (r < 0)
                return log_error_errno(r, "Cannot note how the devices are now: %s.", strerror(-r));

        /* Whether a device has the method that ResetMethod= names shows when that is written: before the host misses anything. */
        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++)
                r = plan_policy(root, g, &plan->functions.items[i], plan);
        if (r < 0)
                return r;
        r = plan_console(plan);
        if (r < 0)
                return log_error_errno(r, "Cannot note how the host's console is now: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++)
                r = plan_function(root, g, &plan->functions.items[i], plan);
        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < plan->functions.n; i++)
                r = add_node(plan, BIND_GIVE_NODE, &plan->functions.items[i].pci, uid, 0);
        return r < 0 ? log_oom() : 0;
}

int bind_plan_take(int root, const Guest *g, uid_t uid, BindPlan *plan) {
        return plan->functions.n > 0 ? plan_take_steps(root, g, uid, plan) : 0;
}

int bind_plan_static(int root, const PciFunctions *functions, BindPlan *ret) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        int r = functions->n > 0 ? plan_module(root, &plan) : 0;

        for (size_t i = 0; r >= 0 && i < functions->n; i++)
                if (!streq_ptr(functions->items[i].driver, VFIO_DRIVER))
                        r = add_move(&plan, &functions->items[i], VFIO_DRIVER, VFIO_DRIVER, (Resize){});
        if (r < 0)
                return log_oom();
        *ret = plan;
        plan = (BindPlan){};
        return 0;
}

/* ---- and back ---- */

/* Whether a BAR has the size whose exponent an attribute notes. */
static int has_size(int root, const PciFunction *f, const BindRecordAttribute *a, bool *ret) {
        _cleanup_(pci_details_done) PciDetails details = {};
        unsigned index = (unsigned) (a->name[STRLEN("resource")] - '0');
        uint64_t exponent;
        int r;

        *ret = true; /* a BAR that is gone has nothing to be resized */
        if (parse_number(a->value, 0, 63 - MIB_BITS, &exponent) < 0)
                return -EBADMSG;
        r = pci_bars_read(root, f, details.bars, &details.n_bars);
        for (size_t i = 0; r >= 0 && i < details.n_bars; i++)
                if (details.bars[i].index == index)
                        *ret = details.bars[i].size == UINT64_C(1) << (exponent + MIB_BITS);
        return r;
}

/* The attribute that restores a BAR's size, if it is not so already. The host can do with another size better than without
 * its driver. */
static int find_resize(int root, const BindRecord *record, const PciFunction *f, Resize *ret) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < record->n_attributes; i++) {
                const BindRecordAttribute *a = &record->attributes[i];
                bool as_before;

                if (!pci_address_equal(a->address, f->address) || !startswith(a->name, "resource"))
                        continue;
                r = has_size(root, f, a, &as_before);
                if (r >= 0 && !as_before)
                        *ret = (Resize){ a->name, a->value, true };
        }
        return r;
}

/* A driver that comes back may set an attribute itself, so of a function that moves it is written even if it is right now; but not
 * into a hole. */
static int return_attribute(int root, const PciFunction *f, const BindRecordAttribute *a, bool moves, BindPlan *plan) {
        _cleanup_(freep) char *path = NULL, *now = NULL;
        int r;

        if (!pci_address_equal(a->address, f->address) || startswith(a->name, "resource"))
                return 0;
        if (format(&path, PCI_DEVICES "/%s/%s", f->name, a->name) < 0)
                return -ENOMEM;
        r = root_read(root, path, &now);
        if (r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        if (r >= 0 && !moves && streq(isempty(now) ? "-" : now, a->value))
                return 0;
        return add_write(plan, f, a->name, streq(a->value, "-") ? "\n" : a->value, true);
}

/* Who uses the host's driver again must not lose it once more for the size of a BAR, which that driver may have set. */
static bool is_home(const PciFunction *f, const BindRecordFunction *before) {
        return f->driver && streq_ptr(f->driver, before->driver) && !streq(f->driver, VFIO_DRIVER);
}

/* A device that is bound at boot, and that its host driver got first: taking has stopped before it. Giving back takes nothing
 * from a driver, so it stays there until its guest starts the next time. */
static bool is_untouched(const PciFunction *f, const BindRecordFunction *before) {
        return f->driver && !streq(f->driver, VFIO_DRIVER) && streq_ptr(before->driver, VFIO_DRIVER) &&
               streq_ptr(before->override, VFIO_DRIVER);
}

/* A card whose driver swallowed a write is left alone, whole: a function beside it shares its bus and its reset. */
static int plan_return_function(int root, const BindRecord *record, const BindRecordFunction *before, BindPlan *plan,
        bool *ret_left) {
        _cleanup_(pci_function_done) PciFunction f = {};
        char text[PCI_ADDRESS_TEXT];
        Resize resize = {};
        size_t n_before;
        int r;

        pci_address_format(before->address, text);
        r = pci_read_function(root, before->address, &f);
        if (r == -ENODEV)
                return log_warning("%s has left the machine; nothing to give back.", text);
        if (r >= 0 && f.group >= 0)
                r = add_node(plan, BIND_TAKE_NODE, &f, before->node_uid, before->node_gid);
        if (r >= 0 && bind_record_is_stuck(record, root, before->address)) {
                *ret_left = true;
                return log_warning("%s is left as it is: a driver has not come back from a write to its card.", text);
        }
        r = r < 0 ? r : pci_read_override(root, &f);
        n_before = plan->n;
        if (r >= 0 && !is_untouched(&f, before)) {
                r = is_home(&f, before) ? 0 : find_resize(root, record, &f, &resize);
                r = r < 0 ? r : add_move(plan, &f, before->driver, before->override, resize);
        }
        for (size_t i = 0; r >= 0 && i < record->n_attributes; i++)
                /* Without a move nothing has changed power/control. */
                if (!is_untouched(&f, before) || !streq(record->attributes[i].name, "power/control"))
                        r = return_attribute(root, &f, &record->attributes[i], plan->n > n_before, plan);
        if (r < 0 && r != -ENOMEM) {
                /* The others go back all the same. */
                *ret_left = true;
                log_error_errno(r, "%s: cannot plan its way back: %s.", text, strerror(-r));
                return 0;
        }
        return r;
}

/* A boot framebuffer whose device is gone, as it goes when a real driver takes the memory, needs nothing. */
static int plan_return_platform(int root, const BindRecordPlatform *p, BindPlan *plan) {
        _cleanup_(freep) char *device = NULL, *driver = NULL, *bind = NULL;
        int r;

        if (format(&device, PLATFORM "/devices/%s", p->device) < 0 || format(&driver, "%s/driver", device) < 0 ||
                format(&bind, PLATFORM "/drivers/%s/bind", p->driver) < 0)
                return -ENOMEM;
        if (!root_exists(root, device) || root_exists(root, driver))
                return 0;
        r = add_step(plan, BIND_WRITE, "", bind, p->device, NULL);
        if (r >= 0)
                plan->steps[plan->n - 1].enters_driver = plan->steps[plan->n - 1].may_fail = true;
        return r;
}

/* The kernel reports success whether it has bound the console or not, so what came of it is read back. */
static int plan_return_vtconsole(int root, const char *name, BindPlan *plan) {
        _cleanup_(freep) char *path = NULL;
        uint64_t bound;
        int r;

        r = format(&path, "sys/class/vtconsole/%s/bind", name);
        if (r < 0)
                return r;
        r = root_read_number(root, path, &bound);
        if (r == -ENOENT || (r >= 0 && bound))
                return 0;
        r = add_step(plan, BIND_WRITE, "", path, "1", NULL);
        if (r < 0)
                return r;
        plan->steps[plan->n - 1].enters_driver = true;
        return add_step(plan, BIND_EXPECT_VALUE, "", path, "1", NULL);
}

int bind_plan_return(int root, const BindRecord *record, BindPlan *ret, bool *ret_left) {
        _cleanup_(bind_plan_done) BindPlan plan = {};
        int r = 0;

        *ret_left = false;
        for (size_t i = record->n; r >= 0 && i > 0; i--)
                r = plan_return_function(root, record, &record->functions[i - 1], &plan, ret_left);
        for (size_t i = record->n_platforms; r >= 0 && i > 0; i--)
                r = plan_return_platform(root, &record->platforms[i - 1], &plan);
        for (size_t i = record->n_vtconsoles; r >= 0 && i > 0; i--)
                r = plan_return_vtconsole(root, record->vtconsoles[i - 1], &plan);
        if (r < 0)
                return log_error_errno(r, "Cannot plan the way back: %s.", strerror(-r));
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
                case BIND_EXPECT_VALUE:
                        fprintf(f, "expect  /%s reads %s\n", s->path, s->value);
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
