/* SPDX-License-Identifier: BSD-3-Clause */
/* Resolves Device= of a guest file. Only reads. */

#include <fcntl.h>
#include <sys/stat.h>

#include "device-resolve.h"
#include "display.h"
#include "exit-status.h"
#include "log.h"
#include "messages.h"
#include "pci-names.h"
#include "root.h"

void device_facts_done(DeviceFacts *facts) {
        pci_functions_done(&facts->all);
        host_uses_done(&facts->uses);
}

int device_facts_all(DeviceFacts *facts, const PciFunctions **ret) {
        if (!facts->have_all) {
                int r = pci_read_all(facts->root, &facts->all);

                if (r < 0)
                        return log_error_errno(r, "Cannot list the PCI devices of this machine: %s.", strerror(-r));
                facts->have_all = true;
        }
        *ret = &facts->all;
        return 0;
}

int device_facts_uses(DeviceFacts *facts, const HostUses **ret) {
        if (!facts->have_uses) {
                int r = host_uses_read(facts->root, &facts->uses);

                if (r < 0)
                        return r; /* it has said what it cannot read */
                facts->have_uses = true;
        }
        *ret = &facts->uses;
        return 0;
}

static const char *section_title(const GuestDevices *section) {
        return section->gpu ? "GPU" : "PCI";
}

/* Whether a function is of the kind that the section is for. */
static bool is_candidate(const GuestDevices *section, const PciFunction *f) {
        return section->gpu ? pci_is_gpu(f) : !pci_is_bridge(f);
}

/* Whether vfio-pci has f, and the node of its group is our user's. */
static bool is_ours(int root, const PciFunction *f) {
        _cleanup_(closep) int fd = -EBADF;
        char path[32];
        struct stat st;

        if (!streq_ptr(f->driver, "vfio-pci"))
                return false;
        (void) snprintf(path, sizeof path, "dev/vfio/%d", f->group);
        fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
        return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid();
}

/* The one GPU that the host does not use: neither does it boot on it, nor is a display lit by it. With SingleGpu= the only
 * GPU of all will do. */
static int fits_auto(DeviceFacts *facts, const Guest *g, const PciFunction *f) {
        const HostUses *uses;
        size_t n_gpus = 0;
        bool boots;
        int r;

        if (g->single_gpu) {
                for (size_t i = 0; i < facts->all.n; i++)
                        n_gpus += pci_is_gpu(&facts->all.items[i]);
                if (n_gpus == 1)
                        return 1;
        }
        r = pci_read_boot_gpu(facts->root, f, &boots);
        if (r < 0)
                return log_error_errno(r, "Cannot find out where the host's console is: %s.", strerror(-r));
        if (boots)
                return 0;
        if (facts->given)
                return is_ours(facts->root, f);
        r = device_facts_uses(facts, &uses);
        if (r < 0)
                return r;
        for (size_t i = 0; i < uses->n; i++)
                if (uses->items[i].type == HOST_USE_DISPLAY && host_use_is_of(&uses->items[i], f))
                        return 0;
        return 1;
}

static int fits(DeviceFacts *facts, const Guest *g, const GuestDevices *section, const DeviceSpec *spec, const PciFunction *f) {
        _cleanup_(freep) char *title = NULL;

        if (!is_candidate(section, f))
                return 0;
        if (spec->type == DEVICE_AUTO)
                return fits_auto(facts, g, f);
        if (spec->type == DEVICE_BY_NAME) {
                title = pci_function_title(f);
                if (!title)
                        return log_oom();
        }
        return device_spec_matches(spec, f, title);
}

/* Appends “0000:01:00.0 (Name)” to a list. */
static int append_candidate(char **list, const PciFunction *f) {
        _cleanup_(freep) char *title = pci_function_title(f);

        return !title || list_append(list, ", ", "%s (%s)", f->name, title) < 0 ? log_oom() : 0;
}

static int refuse_count(const Guest *g, const GuestDevices *section, const DeviceSpec *spec, size_t n, const char *candidates) {
        if (n > 1)
                return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", spec->text),
                        "[%s] Device=%s of %s fits several devices: %s; name one of them by its address.",
                        section_title(section), spec->text, g->file, candidates);
        if (spec->type == DEVICE_AUTO)
                return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", spec->text),
                        "[GPU] Device=auto of %s finds no GPU that the host can spare: each one boots the machine or lights a "
                        "display; see vxm list-gpus.",
                        g->file);
        return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", spec->text),
                "[%s] Device=%s of %s fits no %s of this machine; see vxm list-gpus%s, then correct it.", section_title(section),
                spec->text, g->file, section->gpu ? "GPU" : "device", section->gpu ? "" : " --tree");
}

static int resolve_search(DeviceFacts *facts, const Guest *g, const GuestDevices *section, const DeviceSpec *spec,
        PciAddress *ret) {
        _cleanup_(freep) char *candidates = NULL;
        const PciFunctions *all;
        size_t n = 0;
        int r;

        r = device_facts_all(facts, &all);
        if (r < 0)
                return r;
        for (size_t i = 0; i < all->n; i++) {
                const PciFunction *f = &all->items[i];

                r = fits(facts, g, section, spec, f);
                if (r == 0)
                        continue;
                r = r < 0 ? r : append_candidate(&candidates, f);
                if (r < 0)
                        return r;
                *ret = f->address;
                n++;
        }
        return n == 1 ? 0 : refuse_count(g, section, spec, n, candidates);
}

/* Where the pinned card is now, if it is anywhere; empty when not. */
static int find_pinned(DeviceFacts *facts, const DevicePin *pin, char **ret) {
        const PciFunctions *all;
        int r;

        r = device_facts_all(facts, &all);
        for (size_t i = 0; r >= 0 && i < all->n; i++) {
                _cleanup_(device_pin_done) DevicePin now = {};

                r = device_pin_of(&all->items[i], &now);
                if (r >= 0 && device_pin_equal(&now, pin))
                        return format(ret, "; the recorded one is at %s now", all->items[i].name);
                r = r == -EINVAL ? 0 : r;
        }
        return r < 0 ? r : format(ret, "; the recorded one is no longer in this machine");
}

/* A card moved, or another one in its place, must not go to the guest in silence. */
static int check_pins(DeviceFacts *facts, const Guest *g, const GuestDevices *section, const PciFunction *f) {
        _cleanup_(freep) char *old = NULL, *new = NULL, *where = NULL;
        _cleanup_(device_pin_done) DevicePin now = {};
        int r;

        if (section->n_pins == 0)
                return 0;
        r = device_pin_of(f, &now);
        if (r < 0)
                return log_error_errno(r, "%s: cannot make sense of its place in sysfs, /sys/%s.", f->name, f->path);
        for (size_t i = 0; i < section->n_pins; i++)
                if (device_pin_equal(&now, &section->pins[i]))
                        return 0;

        r = device_pin_format(&section->pins[0], &old);
        r = r < 0 ? r : device_pin_format(&now, &new);
        r = r < 0 ? r : find_pinned(facts, &section->pins[0], &where);
        if (r < 0)
                return log_oom();
        return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name),
                "%s is not the device that was recorded for guest %s: it is %s, recorded is %s%s. Correct Device= in %s, or, if "
                "this is the right one, /usr/lib/vxm/vxm-bind --record %s.",
                f->name, g->name, new, old, where, g->file, g->name);
}

int device_resolve(DeviceFacts *facts, const Guest *g, const GuestDevices *section, const DeviceSpec *spec, PciFunction *ret) {
        _cleanup_(pci_function_done) PciFunction f = {};
        PciAddress address = spec->address;
        char text[PCI_ADDRESS_TEXT];
        int r;

        if (spec->type != DEVICE_BY_ADDRESS) {
                r = resolve_search(facts, g, section, spec, &address);
                if (r < 0)
                        return r;
        }
        r = pci_read_function(facts->root, address, &f);
        if (r == -ENODEV)
                return log_event_errno(E_CONFIG, MESSAGE_DEVICE_REFUSED,
                        FIELDS("VXM_DEVICE", pci_address_format(address, text)),
                        "There is no PCI device %s in this machine; see `lspci -D`, then correct [%s] Device= in %s.",
                        pci_address_format(address, text), section_title(section), g->file);
        if (r < 0)
                return log_error_errno(r, "Cannot read PCI device %s: %s.", pci_address_format(address, text), strerror(-r));
        r = check_pins(facts, g, section, &f);
        if (r < 0)
                return r;
        *ret = f;
        f = (PciFunction){};
        return 0;
}
