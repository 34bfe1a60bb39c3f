/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects and judges the devices of a guest. Only reads. */

#include <inttypes.h>
#include <stdarg.h>

#include "device-resolve.h"
#include "devices.h"
#include "exit-status.h"
#include "guest-files.h"
#include "log.h"
#include "messages.h"
#include "root.h"

/* The work in hand. */
typedef struct Collection {
        int root;
        const Guest *guest;
        bool judge; /* else all that is named comes, with all that belongs to it */
        bool quiet; /* what stays with the host is not worth a message */
        DeviceFacts *facts;
        GuestFunctions found;
} Collection;

static void collection_done(Collection *c) {
        guest_functions_done(&c->found);
}

void guest_functions_done(GuestFunctions *l) {
        for (size_t i = 0; i < l->n; i++)
                pci_function_done(&l->items[i].pci);
        free(l->items);
        *l = (GuestFunctions){};
}

static int refuse(const PciFunction *f, int error, const char *fmt, ...) _printf_(3, 4);

static int refuse(const PciFunction *f, int error, const char *fmt, ...) {
        _cleanup_(freep) char *reason = NULL;
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&reason, fmt, ap);
        va_end(ap);
        if (r < 0) {
                reason = NULL;
                return log_oom();
        }
        return log_event_errno(error, MESSAGE_DEVICE_REFUSED, FIELDS("VXM_DEVICE", f->name), "%s %s", f->name, reason);
}

static GuestFunction *find_function(const GuestFunctions *l, PciAddress address) {
        for (size_t i = 0; i < l->n; i++)
                if (pci_address_equal(l->items[i].pci.address, address))
                        return &l->items[i];
        return NULL;
}

/* A section that names a function rules it, rather than one by which it only comes along. Two that name it might want
 * different things. */
static int name_function(Collection *c, GuestFunction *f, const GuestDevices *section) {
        if (f->named && f->section != section)
                return refuse(&f->pci, E_CONFIG, "is named by two sections of %s; name it in one of them only.", c->guest->file);
        f->named = true;
        f->section = section;
        return 0;
}

/* Takes f over, if it is not there yet; behind the last function of its slot that is. */
static int add_function(Collection *c, PciFunction *f, const GuestDevices *section, bool named) {
        GuestFunction *known = find_function(&c->found, f->address), *new;
        size_t at = c->found.n;

        if (known)
                return named ? name_function(c, known, section) : 0;
        new = ARRAY_GROW(c->found.items, c->found.n);
        if (!new)
                return log_oom();
        for (size_t i = 0; i < c->found.n; i++)
                if (pci_same_slot(c->found.items[i].pci.address, f->address))
                        at = c->found.items[i].pci.address.function < f->address.function ? i + 1 : i < at ? i : at;
        memmove(&c->found.items[at + 1], &c->found.items[at], (c->found.n - at) * sizeof *new);
        c->found.items[at] = (GuestFunction){ *f, section, named };
        c->found.n++;
        *f = (PciFunction){};
        return 0;
}

/* How many virtual functions f has. They vanish with its driver, whoever uses them, and nothing brings them back. Their links are
 * counted: sriov_numvfs locks the device as driver_override does, see pci.h. */
static int count_virtual_functions(Collection *c, const PciFunction *f, uint64_t *ret) {
        bool exists = !streq_ptr(f->driver, VFIO_DRIVER); /* else it keeps that driver */

        for (*ret = 0; exists; *ret += exists) {
                _cleanup_(freep) char *path = NULL;

                if (format(&path, "sys/bus/pci/devices/%s/virtfn%" PRIu64, f->name, *ret) < 0)
                        return log_oom();
                exists = root_exists(c->root, path);
        }
        return 0;
}

/* What the host would lose with f; *ret is NULL when nothing. The displays of a guest's GPU are no loss: they are what
 * the guest gets it for, and whoever draws on them is found when its holders are looked for. */
static int host_loss(Collection *c, const PciFunction *f, bool with_displays, char **ret) {
        uint64_t virtual_functions = 0;
        const HostUses *uses;
        int r;

        r = device_facts_uses(c->facts, &uses);
        r = r < 0 ? r : count_virtual_functions(c, f, &virtual_functions);
        if (r >= 0 && virtual_functions > 0)
                r = list_append(ret, ", ", "%" PRIu64 " virtual functions", virtual_functions) < 0 ? log_oom() : 0;
        for (size_t i = 0; r >= 0 && i < uses->n; i++) {
                const HostUse *u = &uses->items[i];

                if ((with_displays || u->type != HOST_USE_DISPLAY || !pci_is_gpu(f)) && host_use_is_of(u, f))
                        r = list_append(ret, ", ", "%s", u->text) < 0 ? log_oom() : 0;
        }
        return r;
}

/* PCI bridges do no DMA of their own; other bridges (ISA, host) are in nobody's way as long as no driver uses them. */
static bool stays_with_host(const PciFunction *f) {
        return pci_is_bridge(f) && (f->class_code >> 8 == 0x0604 || !f->driver);
}

/* GPUs that are no VGA controllers boot machines, too, but do not say so themselves. */
static int is_boot_gpu(Collection *c, const PciFunction *f, bool *ret) {
        int r = pci_read_boot_gpu(c->root, f, ret);

        return r < 0 ? log_error_errno(r, "Cannot find out where the host's console is: %s.", strerror(-r)) : 0;
}

/* Why the host cannot do without a function that would only come along; *ret is NULL when it can. */
static int reason_to_keep(Collection *c, const PciFunction *f, char **ret) {
        bool boots;
        int r;

        if (pci_is_bridge(f))
                return format(ret, "a bridge that driver %s uses", f->driver) < 0 ? log_oom() : 0;
        r = is_boot_gpu(c, f, &boots);
        if (r < 0)
                return r;
        if (boots && !c->guest->single_gpu)
                return free_and_strdup(ret, "the GPU the machine boots on") < 0 ? log_oom() : 0;
        return host_loss(c, f, !c->guest->single_gpu, ret);
}

/* Names in *keep what of the further members of a group the host cannot do without. */
static int judge_group(Collection *c, const PciFunctions *members, char **keep) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < members->n; i++) {
                const PciFunction *f = &members->items[i];
                _cleanup_(freep) char *reason = NULL;

                if (stays_with_host(f))
                        continue;
                r = reason_to_keep(c, f, &reason);
                if (r >= 0 && reason)
                        r = list_append(keep, ", ", "%s (%s)", f->name, reason) < 0 ? log_oom() : 0;
        }
        return r;
}

/* The members of a group that have not been found yet. */
static int read_group(Collection *c, int group, PciFunctions *ret) {
        _cleanup_(freep) PciAddress *known = calloc(c->found.n + 1, sizeof *known);
        int r;

        if (!known)
                return log_oom();
        for (size_t i = 0; i < c->found.n; i++)
                known[i] = c->found.items[i].pci.address;
        r = pci_read_group(c->root, group, known, c->found.n, ret);
        return r < 0 ? log_error_errno(r, "Cannot read IOMMU group %d: %s.", group, strerror(-r)) : 0;
}

/* Whether the host can spare a function of a card's slot that is in a group of its own, with all that is in that one. */
static int can_spare(Collection *c, const PciFunction *f, bool *ret) {
        _cleanup_(pci_functions_done) PciFunctions members = {};
        _cleanup_(freep) char *keep = NULL;
        int r;

        *ret = false;
        if (f->group < 0) {
                if (!c->quiet)
                        log_info("%s stays with the host; it has no IOMMU group.", f->name);
                return 0;
        }
        r = read_group(c, f->group, &members);
        r = r < 0 ? r : judge_group(c, &members, &keep);
        if (r < 0)
                return r;
        if (keep && !c->quiet)
                log_info("%s stays with the host; with its IOMMU group, which is not the card's, the host would lose %s.", f->name,
                        keep);
        *ret = !keep;
        return 0;
}

/* A function of the card's slot that is in the card's own group has to come, and is judged with the group; another comes if
 * the host can spare it, because a card that is reset by its bus is reset with all of them. */
static int collect_beside(Collection *c, PciFunction *f, int group, const GuestDevices *section) {
        bool comes = true;
        int r = 0;

        if (pci_is_bridge(f))
                return 0;
        if (c->judge && f->group != group)
                r = can_spare(c, f, &comes);
        return r < 0 || !comes ? r : add_function(c, f, section, false);
}

static int collect_slot(Collection *c, PciAddress address, int group, const GuestDevices *section) {
        char text[PCI_ADDRESS_TEXT];
        int r;

        for (address.function = 0; address.function < 8; address.function++) {
                _cleanup_(pci_function_done) PciFunction f = {};

                if (find_function(&c->found, address))
                        continue;
                r = pci_read_function(c->root, address, &f);
                if (r == -ENODEV)
                        continue;
                if (r < 0)
                        return log_error_errno(r, "Cannot read PCI device %s: %s.", pci_address_format(address, text), strerror(-r));
                r = collect_beside(c, &f, group, section);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What was named must be what its section is for. */
static int judge_named(const Guest *g, const GuestDevices *section, const PciFunction *f) {
        if (section->gpu && !pci_is_gpu(f))
                return refuse(f, E_CONFIG, "is no GPU (class %06x); correct [GPU] Device= in %s%s.", f->class_code, g->file,
                        pci_is_bridge(f) ? "" : ", or name it in [PCI]");
        if (pci_is_bridge(f))
                return refuse(f, E_CONFIG, "is a bridge; bridges stay with the host. Name a device behind it in [PCI] Device= "
                                           "of %s.",
                        g->file);
        return 0;
}

/* Collects what one Device= brings by its slot. */
static int collect_device(Collection *c, const GuestDevices *section, const DeviceSpec *spec) {
        _cleanup_(pci_function_done) PciFunction f = {};
        PciAddress address;
        int group, r;

        r = device_resolve(c->facts, c->guest, section, spec, &f);
        r = r < 0 ? r : judge_named(c->guest, section, &f);
        if (r < 0)
                return r;
        address = f.address;
        group = f.group;
        r = add_function(c, &f, section, true);
        return r < 0 || !section->gpu ? r : collect_slot(c, address, group, section);
}

/* The kernel lets a guest have a device only if all of its IOMMU group is the guest's, bridges excepted
 * (Documentation/driver-api/vfio.rst). What of the group the host can spare comes along; the rest is named in *keep. */
static int collect_group(Collection *c, size_t index, char **keep) {
        const GuestDevices *section = c->found.items[index].section;
        _cleanup_(pci_functions_done) PciFunctions members = {};
        int r;

        r = read_group(c, c->found.items[index].pci.group, &members);
        if (r >= 0 && c->judge)
                r = judge_group(c, &members, keep);
        for (size_t i = 0; r >= 0 && i < members.n; i++)
                if (!stays_with_host(&members.items[i]))
                        r = add_function(c, &members.items[i], section, false);
        return r;
}

static int refuse_without_group(const PciFunction *f, bool iommu_is_on) {
        return refuse(f, E_LACKS, iommu_is_on ? "is in no IOMMU group, so it cannot be given to a guest; try another slot."
                                              : "cannot be given to a guest while the IOMMU is off; turn on VT-d or AMD-Vi in the "
                                                "firmware setup, boot with intel_iommu=on or amd_iommu=on, then look into "
                                                "/sys/kernel/iommu_groups.");
}

/* Whether an earlier function has brought the group already. */
static bool is_collected(const Collection *c, size_t index) {
        for (size_t i = 0; i < index; i++)
                if (c->found.items[i].pci.group == c->found.items[index].pci.group)
                        return true;
        return false;
}

/* The collection grows while its groups are gone through, as functions that come along bring theirs. */
static int collect_groups(Collection *c) {
        for (size_t i = 0; i < c->found.n; i++) {
                _cleanup_(freep) char *keep = NULL;
                PciFunction *f = &c->found.items[i].pci;
                PciAddress address = f->address;
                int r;

                if (f->group < 0 && c->judge)
                        return refuse_without_group(f, pci_iommu_is_on(c->root));
                if (f->group < 0 || is_collected(c, i))
                        continue;
                r = collect_group(c, i, &keep);
                if (r < 0)
                        return r;
                f = &find_function(&c->found, address)->pci;
                if (keep)
                        return refuse(f, E_LACKS,
                                "shares IOMMU group %d with what the host would lose: %s; move the card to a slot with a group "
                                "of its own.",
                                f->group, keep);
        }
        return 0;
}

/* What the host itself stands on is not given away, even if it is named. */
static int judge_function(Collection *c, const PciFunction *f) {
        _cleanup_(freep) char *loss = NULL;
        uint64_t virtual_functions;
        bool boots;
        int r;

        r = is_boot_gpu(c, f, &boots);
        r = r < 0 ? r : count_virtual_functions(c, f, &virtual_functions);
        if (r < 0)
                return r;
        if (virtual_functions > 0)
                return refuse(f, E_BUSY,
                        "has %" PRIu64 " virtual functions, which would vanish with its driver, from under whoever uses them; turn "
                        "them off first: echo 0 >/sys/bus/pci/devices/%s/sriov_numvfs",
                        virtual_functions, f->name);
        if (boots && !c->guest->single_gpu)
                return refuse(f, E_CONFIG,
                        "is the GPU this machine boots on; the host would go dark. Name another one in [GPU] Device= of %s, or "
                        "set SingleGpu=yes there.",
                        c->guest->file);
        r = host_loss(c, f, false, &loss);
        if (r < 0)
                return r;
        return loss ? refuse(f, E_CONFIG, "is what the host has %s on; it cannot do without. Correct %s.", loss, c->guest->file)
                    : 0;
}

static int judge_functions(Collection *c) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->found.n; i++)
                r = judge_function(c, &c->found.items[i].pci);
        return r;
}

static int collect(Collection *c) {
        int r = 0;

        for (size_t i = 0; i < c->guest->n_devices; i++)
                for (size_t j = 0; r >= 0 && j < c->guest->devices[i].n_specs; j++)
                        r = collect_device(c, &c->guest->devices[i], &c->guest->devices[i].specs[j]);
        return r;
}

/* Hands the collected functions over. */
static void take_found(Collection *c, GuestFunctions *ret) {
        *ret = c->found;
        c->found = (GuestFunctions){};
}

int guest_devices_find(int root, const Guest *g, GuestFunctions *ret) {
        _cleanup_(device_facts_done) DeviceFacts facts = { .root = root };
        _cleanup_(collection_done) Collection c = { .root = root, .guest = g, .judge = true, .facts = &facts };
        int r;

        r = collect(&c);
        r = r < 0 ? r : judge_functions(&c);
        r = r < 0 ? r : collect_groups(&c);
        if (r < 0)
                return r;
        take_found(&c, ret);
        return 0;
}

/* Collects what would have to come along with what is there already, and names what of all that the host cannot spare. */
static int collect_unasked(Collection *c, char **loss) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < c->found.n; i++) {
                const PciFunction *f = &c->found.items[i].pci;
                _cleanup_(freep) char *reason = NULL;

                r = host_loss(c, f, false, &reason);
                if (r >= 0 && reason)
                        r = list_append(loss, ", ", "%s (%s)", f->name, reason) < 0 ? log_oom() : 0;
        }
        for (size_t i = 0; r >= 0 && i < c->found.n; i++)
                if (c->found.items[i].pci.group >= 0 && !is_collected(c, i))
                        r = collect_group(c, i, loss);
        return r;
}

int guest_devices_of_gpu(DeviceFacts *facts, const PciFunction *gpu, GuestFunctions *ret, char **ret_loss) {
        const GuestDevices section = { .gpu = true };
        const Guest guest = {};
        _cleanup_(collection_done) Collection c = {
                .root = facts->root, .guest = &guest, .judge = true, .quiet = true, .facts = facts,
        };
        _cleanup_(pci_function_done) PciFunction f = {};
        int r;

        r = pci_read_function(facts->root, gpu->address, &f);
        if (r < 0)
                return log_error_errno(r, "Cannot read PCI device %s: %s.", gpu->name, strerror(-r));
        r = add_function(&c, &f, &section, true);
        r = r < 0 ? r : collect_slot(&c, gpu->address, gpu->group, &section);
        r = r < 0 ? r : collect_unasked(&c, ret_loss);
        if (r < 0)
                return r;
        for (size_t i = 0; i < c.found.n; i++)
                c.found.items[i].section = NULL; /* it ends here */
        take_found(&c, ret);
        return 0;
}

static int keep_bound(GuestFunctions *l) {
        size_t n = 0;

        for (size_t i = 0; i < l->n; i++) {
                GuestFunction *f = &l->items[i];
                bool bound = streq_ptr(f->pci.driver, VFIO_DRIVER);

                if (f->named && !bound)
                        return refuse(&f->pci, E_CONFIG,
                                "has driver %s, not vfio-pci; run systemctl daemon-reload, then start the guest again.",
                                f->pci.driver ? f->pci.driver : "none");
                if (bound)
                        l->items[n++] = *f;
                else
                        pci_function_done(&f->pci);
        }
        l->n = n;
        return 0;
}

int guest_devices_bound(int root, const Guest *g, GuestFunctions *ret) {
        _cleanup_(device_facts_done) DeviceFacts facts = { .root = root, .given = true };
        _cleanup_(collection_done) Collection c = { .root = root, .guest = g, .facts = &facts };
        int r;

        r = collect(&c);
        r = r < 0 ? r : collect_groups(&c);
        r = r < 0 ? r : keep_bound(&c.found);
        if (r < 0)
                return r;
        take_found(&c, ret);
        return 0;
}

int guest_console_read(int root, const GuestFunctions *functions, HostConsole *ret) {
        _cleanup_(freep) PciFunction *list = reallocarray(NULL, functions->n + 1, sizeof *list);
        int r;

        if (!list)
                return log_oom();
        for (size_t i = 0; i < functions->n; i++)
                list[i] = functions->items[i].pci;
        r = host_console_read(root, list, functions->n, ret);
        return r < 0 ? log_error_errno(r, "Cannot find out where the host's console is: %s.", strerror(-r)) : 0;
}

int guest_device_resolve(int root, const Guest *g, const GuestDevices *section, const DeviceSpec *spec, PciFunction *ret) {
        _cleanup_(device_facts_done) DeviceFacts facts = { .root = root };

        return device_resolve(&facts, g, section, spec, ret);
}

/* Moves what is to be bound at boot from l into all, each function once. */
static int take_static(GuestFunctions *l, PciFunctions *all) {
        for (size_t i = 0; i < l->n; i++) {
                PciFunction *new;
                bool known = false;

                for (size_t j = 0; j < all->n; j++)
                        known |= pci_address_equal(all->items[j].address, l->items[i].pci.address);
                if (known || !l->items[i].section->binding_static)
                        continue;
                new = ARRAY_GROW(all->items, all->n);
                if (!new)
                        return log_oom();
                *new = l->items[i].pci;
                l->items[i].pci = (PciFunction){};
                all->n++;
        }
        return 0;
}

static bool is_static(const GuestDevices *d) {
        return d->binding_static && d->n_specs > 0;
}

bool guest_wants_static(const Guest *g) {
        for (size_t i = 0; i < g->n_devices; i++)
                if (is_static(&g->devices[i]))
                        return true;
        return false;
}

bool guest_wants_static_gpu(const Guest *g) {
        for (size_t i = 0; i < g->n_devices; i++)
                if (g->devices[i].gpu && is_static(&g->devices[i]))
                        return true;
        return false;
}

/* What one guest wants bound at boot; *functions stays empty when that is nothing. */
static int find_static(int root, const char *name, Guest **ret_guest, GuestFunctions *functions) {
        int r = guest_load(root, name, ret_guest);

        return r < 0 || !guest_wants_static(*ret_guest) ? r : guest_devices_find(root, *ret_guest, functions);
}

int guest_devices_find_static(int root, PciFunctions *ret, int *ret_refused) {
        _cleanup_(pci_functions_done) PciFunctions all = {};
        char **names = NULL;
        size_t n = 0;
        int r, refused = 0;

        r = guest_files_list(root, &names, &n);
        if (r < 0)
                return log_error_errno(r, "Cannot list the guest files: %s.", strerror(-r));
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(guest_functions_done) GuestFunctions functions = {};
                _cleanup_(guest_freep) Guest *g = NULL;

                r = find_static(root, names[i], &g, &functions);
                if (r < 0 && refused == 0)
                        refused = r;
                r = r == -ENOMEM ? r : take_static(&functions, &all);
        }
        strings_free(names, n);
        if (r < 0)
                return r;
        *ret_refused = refused;
        *ret = all;
        all = (PciFunctions){};
        return 0;
}
