/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects what is known of each GPU and puts it into a verdict. Only reads; devices.c judges for guests by the same facts
 * and refuses, this explains. */

#include "gpu-report.h"
#include "log.h"
#include "pci-names.h"
#include "root.h"
#include "sysfs.h"

static void report_done(GpuReport *g) {
        pci_function_done(&g->gpu);
        free(g->title);
        pci_details_done(&g->details);
        host_console_done(&g->console);
        guest_functions_done(&g->guest);
        free(g->loss);
        device_nodes_done(&g->nodes);
        holders_done(&g->holders);
        free(g->verdict);
}

void gpu_reports_done(GpuReports *l) {
        for (size_t i = 0; i < l->n; i++)
                report_done(&l->items[i]);
        free(l->items);
        *l = (GpuReports){};
}

/* ---- the verdict ---- */

/* The ones that come from elsewhere than the GPU's slot, in words; *ret stays NULL when there are none. */
static int others_of(const GpuReport *g, char **ret) {
        for (size_t i = 0; i < g->guest.n; i++) {
                const PciFunction *f = &g->guest.items[i].pci;
                int r = pci_same_slot(f->address, g->gpu.address) ? 0 : list_append(ret, ", ", "%s", f->name);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int judge_free(GpuReport *g) {
        _cleanup_(freep) char *others = NULL;
        const char *bound = streq_ptr(g->gpu.driver, VFIO_DRIVER) ? "; vfio-pci has it" : "";
        const char *held = g->held ? " once it is let go" : "";
        int r;

        r = others_of(g, &others);
        if (r < 0)
                return r;
        return others ? format(&g->verdict, "can be passed%s: with it goes %s%s", held, others, bound)
                      : format(&g->verdict, "can be passed%s: group %d is its own%s", held, g->gpu.group, bound);
}

/* The one place that puts facts into a verdict. */
static int judge(int root, GpuReport *g) {
        if (g->gpu.group < 0)
                return format(&g->verdict, "%s", pci_iommu_is_on(root)
                                ? "cannot be passed: it is in no IOMMU group"
                                : "cannot be passed: the IOMMU is off (firmware setup, intel_iommu=on or amd_iommu=on)");
        if (g->loss)
                return format(&g->verdict, "would take %s with it", g->loss);
        g->passable = true;
        if (g->needs_single_gpu)
                return format(&g->verdict, "%s: only with SingleGpu=yes",
                        g->boots ? "boots the machine" : "shows the host's only console");
        return judge_free(g);
}

/* ---- who has it open ---- */

static bool is_node_of(const GpuReport *g, const char *path) {
        for (size_t i = 0; i < g->nodes.n; i++)
                if (streq(g->nodes.items[i].path, path))
                        return true;
        return false;
}

static int copy_holder(const Holder *h, Holders *l) {
        Holder *slot = ARRAY_GROW(l->items, l->n);
        int r;

        if (!slot)
                return -ENOMEM;
        l->n++;
        slot->pid = h->pid;
        slot->yields = h->yields;
        r = free_and_strdup(&slot->command, h->command);
        r = r < 0 ? r : free_and_strdup(&slot->unit, h->unit);
        r = r < 0 ? r : free_and_strdup(&slot->user_unit, h->user_unit);
        r = r < 0 ? r : free_and_strdup(&slot->session, h->session);
        return r < 0 ? r : free_and_strdup(&slot->node, h->node);
}

/* One look into /proc for all GPUs: it is the slowest part by far. */
static int read_holders(int root, GpuReports *l) {
        _cleanup_(holders_done) Holders holders = {};
        DeviceNodes all = {};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n; i++)
                for (size_t j = 0; r >= 0 && j < l->items[i].nodes.n; j++) {
                        DeviceNode *slot = ARRAY_GROW(all.items, all.n);

                        if (!slot)
                                r = -ENOMEM;
                        else
                                all.items[all.n++] = l->items[i].nodes.items[j]; /* borrowed */
                }
        r = r < 0 ? r : holders_of_nodes(root, &all, &holders);
        free(all.items);
        for (size_t i = 0; r >= 0 && i < l->n; i++)
                for (size_t j = 0; r >= 0 && j < holders.n; j++)
                        if (is_node_of(&l->items[i], holders.items[j].node)) {
                                l->items[i].held |= !holders.items[j].yields;
                                r = copy_holder(&holders.items[j], &l->items[i].holders);
                        }
        l->n_unseen = holders.n_unseen;
        return r;
}

/* ---- the whole ---- */

/* The nodes of all that the guest would get. */
static int find_nodes(int root, GpuReport *g) {
        _cleanup_(freep) PciFunction *list = reallocarray(NULL, g->guest.n + 1, sizeof *list);

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < g->guest.n; i++)
                list[i] = g->guest.items[i].pci; /* borrowed */
        return device_nodes_find(root, list, g->guest.n, &g->nodes);
}

/* Of the GPU itself. */
static int read_gpu(int root, GpuReport *g) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        int r;

        g->title = pci_function_title(&g->gpu);
        if (!g->title)
                return -ENOMEM;
        text_clean(g->title);
        r = pci_details_read(root, &g->gpu, &g->details);
        r = r < 0 ? r : pci_read_slot(root, g->gpu.address, &slot);
        r = r < 0 ? r : host_console_read(root, slot.items, slot.n, &g->console);
        if (r < 0)
                return r;
        for (size_t i = 0; i < slot.n; i++)
                g->boots |= pci_is_boot_gpu(&slot.items[i], &g->console);
        g->needs_single_gpu = g->boots || g->console.n_vtconsoles > 0;
        return 0;
}

static int read_report(DeviceFacts *facts, GpuReport *g) {
        int r;

        r = read_gpu(facts->root, g);
        if (r < 0)
                return log_error_errno(r, "Cannot read all of GPU %s: %s.", g->gpu.name, strerror(-r));
        r = guest_devices_of_gpu(facts, &g->gpu, &g->guest, &g->loss); /* logs */
        if (r < 0)
                return r;
        r = find_nodes(facts->root, g);
        return r < 0 ? log_error_errno(r, "Cannot find the nodes of GPU %s: %s.", g->gpu.name, strerror(-r)) : 0;
}

static int add_if_gpu(int root, const char *name, GpuReports *l) {
        _cleanup_(freep) char *path = NULL;
        PciFunction probe = {};
        uint64_t class_code;
        PciAddress address;
        GpuReport *g;
        int r;

        if (pci_address_parse(name, &address) < 0)
                return 0;
        r = format(&path, "sys/bus/pci/devices/%s/class", name);
        r = r < 0 ? r : root_read_number(root, path, &class_code);
        if (r < 0 || class_code > 0xffffff)
                return r == -ENOENT ? 0 : r < 0 ? r : -ERANGE;
        probe.class_code = (uint32_t) class_code;
        if (!pci_is_gpu(&probe))
                return 0;
        g = ARRAY_GROW(l->items, l->n);
        if (!g)
                return -ENOMEM;
        r = pci_read_function(root, address, &g->gpu);
        if (r < 0)
                return r == -ENODEV ? 0 : r;
        l->n++;
        return 0;
}

static int find_gpus(int root, GpuReports *l) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(root, "bus/pci/devices", NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_if_gpu(root, names[i], l);
        strings_free(names, n);
        return r;
}

int gpu_reports_read(int root, GpuReports *ret) {
        _cleanup_(gpu_reports_done) GpuReports l = {};
        _cleanup_(device_facts_done) DeviceFacts facts = { .root = root };
        int r;

        r = find_gpus(root, &l);
        if (r < 0)
                return log_error_errno(r, "Cannot read the PCI devices in /sys/bus/pci/devices: %s.", strerror(-r));
        for (size_t i = 0; i < l.n; i++) {
                r = read_report(&facts, &l.items[i]);
                if (r < 0)
                        return r;
        }
        r = read_holders(root, &l);
        for (size_t i = 0; r >= 0 && i < l.n; i++)
                r = judge(root, &l.items[i]);
        if (r < 0)
                return log_error_errno(r, "Cannot find out who has GPUs open: %s.", strerror(-r));

        *ret = l;
        l = (GpuReports){};
        return 0;
}
