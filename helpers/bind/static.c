/* SPDX-License-Identifier: BSD-3-Clause */
/* Switching static binding on and off: what `vxm-bind --static --enable` and --disable do, as a table of contents. */

#include "devices.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "root.h"
#include "static-apply.h"
#include "static-modules.h"
#include "static.h"

/* Where the package puts the unit; /lib leads here, too. */
#define UNIT "/usr/lib/systemd/system/vxm-static-bind.service"

typedef struct Modules {
        char **names;
        size_t n;
} Modules;

static void modules_done(Modules *m) {
        m->names = strings_free(m->names, m->n);
}

static int make_files(int root, const PciFunctions *bound, const StaticTool *tool, StaticFiles *ret) {
        _cleanup_(pci_functions_done) PciFunctions all = {};
        _cleanup_(modules_done) Modules modules = {};
        StaticFacts facts;
        int r;

        r = pci_read_all(root, &all);
        r = r < 0 ? r : static_modules_find(root, bound, &modules.names, &modules.n);
        if (r < 0)
                return log_error_errno(r, "Cannot find out which drivers could take the devices: %s.", strerror(-r));
        facts = (StaticFacts){
                .bound = bound,
                .all = &all,
                .modules = (const char *const *) modules.names,
                .n_modules = modules.n,
                .mkinitcpio = tool && streq(tool->argv[0], "mkinitcpio"),
                .unit = UNIT,
        };
        r = static_files_make(&facts, ret);
        return r < 0 ? log_oom() : 0;
}

static int refuse_empty(void) {
        return log_event_errno(E_CONFIG, MESSAGE_STATIC_FAILED, NULL,
                "No guest file asks for a device at boot; write Binding=static into [GPU] or [PCI] of one, then try again. "
                "To undo an earlier run: /usr/lib/vxm/vxm-bind --static --disable");
}

static int carry_out(int root, const StaticFiles *files, const StaticTool *tool, bool dry_run) {
        if (dry_run)
                return static_print(root, files, tool, stdout);
        if (tool && !root_is_this_machine(root)) {
                log_warning("This is another system's root; have its initramfs made anew there: %s", tool->program);
                tool = NULL;
        }
        return static_apply(root, files, tool);
}

int static_enable(int root, bool dry_run) {
        _cleanup_(pci_functions_done) PciFunctions bound = {};
        _cleanup_(static_files_done) StaticFiles files = {};
        const StaticTool *tool = static_tool_find(root);
        int r, refused;

        r = guest_devices_find_static(root, &bound, &refused);
        if (r < 0)
                return r;
        if (refused < 0) /* its devices may be in the files of an earlier run, and would be lost from them */
                return log_error_errno(refused,
                        "Nothing has been changed, as not all guests that may want a device at boot can have it; correct that, or mask "
                        "the guest, then try again.");
        if (bound.n == 0)
                return refuse_empty();
        r = make_files(root, &bound, tool, &files);
        r = r < 0 ? r : carry_out(root, &files, tool, dry_run);
        if (r < 0 || dry_run)
                return r < 0 ? r : 0;

        if (!tool)
                log_warning("There is no update-initramfs, mkinitcpio or dracut here, so only the unit and the udev rule bind at boot.");
        for (size_t i = 0; i < bound.n; i++)
                log_info("%s goes to vfio-pci at boot.", bound.items[i].name);
        log_info(r > 0 ? "Static binding is enabled; it begins with the next boot. The kernel argument vxm=off skips it."
                       : "Static binding is enabled already, and nothing about it has changed.");
        return 0;
}

/* The list alone: of the other files, modules of another kernel would be a difference, too. */
int static_is_current(int root) {
        _cleanup_(pci_functions_done) PciFunctions bound = {};
        _cleanup_(static_files_done) StaticFiles files = {};
        _cleanup_(freep) char *found = NULL, *wanted = NULL;
        int r, refused = 0;

        r = guest_devices_find_static(root, &bound, &refused);
        r = r < 0 ? r : refused;
        if (r < 0)
                return r;
        if (static_files_make(&(StaticFacts){ .bound = &bound, .all = &bound, .unit = UNIT }, &files) < 0)
                return log_oom();
        r = root_read(root, STATIC_DEVICES, &found);
        if (r < 0 && r != -ENOENT)
                return log_error_errno(r, "Cannot read /" STATIC_DEVICES ": %s.", strerror(-r));
        for (size_t i = 0; i < files.n; i++)
                if (streq(files.items[i].path, STATIC_DEVICES))
                        wanted = strdup(strstrip(files.items[i].content));
        return !wanted ? log_oom() : streq_ptr(found, wanted);
}

int static_disable(int root, bool dry_run) {
        const StaticFiles none = {};
        int r;

        r = carry_out(root, &none, static_tool_find(root), dry_run);
        if (r < 0 || dry_run)
                return r < 0 ? r : 0;
        log_info(r > 0 ? "Static binding is disabled; from the next boot on all devices start with their host drivers."
                       : "Static binding is not enabled; nothing to do.");
        return 0;
}
