/* SPDX-License-Identifier: BSD-3-Clause */
/* The generated half of static binding: addresses, ids and names of modules. All that does with them is the same on each
 * machine and comes with the package: initramfs/vxm-early, udev-rules/61-vxm-static.rules, vxm-static-bind.service. */

#include "static-files.h"

const char *const static_paths[] = {
        STATIC_DEVICES,
        STATIC_MODPROBE,
        STATIC_RULES,
        STATIC_MKINITCPIO,
        STATIC_WANTS,
        NULL,
};

static void static_file_done(StaticFile *f) {
        free(f->content);
        free(f->target);
}

void static_files_done(StaticFiles *l) {
        for (size_t i = 0; i < l->n; i++)
                static_file_done(&l->items[i]);
        free(l->items);
        *l = (StaticFiles){};
}

static bool is_vga(const PciFunction *f) {
        return f->class_code >> 8 == 0x0300; /* the only ones that have boot_vga */
}

static bool is_identical(const PciFunction *a, const PciFunction *b) {
        return a->vendor == b->vendor && a->device == b->device;
}

/* One line a function: address, vendor, device and, if the machine may lose the GPU it boots on, "boot-vga". Read by
 * initramfs/vxm-early. */
static void print_devices(FILE *f, const StaticFacts *facts) {
        fputs(STATIC_HEADER "# Functions that vfio-pci gets in the initramfs; see vxm-static-bind.service(8).\n", f);
        for (size_t i = 0; i < facts->bound->n; i++) {
                const PciFunction *p = &facts->bound->items[i];

                fprintf(f, "%s 0x%04x 0x%04x%s\n", p->name, p->vendor, p->device, p->boot_vga ? " boot-vga" : "");
        }
}

static bool is_bound(const StaticFacts *facts, const PciFunction *p) {
        for (size_t i = 0; i < facts->bound->n; i++)
                if (pci_address_equal(facts->bound->items[i].address, p->address))
                        return true;
        return false;
}

/* Names the functions that ids= would take away from the host along with ours. */
static void print_identical(FILE *f, const StaticFacts *facts) {
        for (size_t i = 0; i < facts->bound->n; i++) {
                const PciFunction *ours = &facts->bound->items[i];

                for (size_t j = 0; j < facts->all->n; j++) {
                        const PciFunction *other = &facts->all->items[j];

                        if (is_identical(ours, other) && !is_bound(facts, other))
                                fprintf(f, "# ids=%04x:%04x, for %s, would take %s, too.\n", ours->vendor, ours->device,
                                        ours->name, other->name);
                }
        }
}

/* By ids= vfio-pci would take every function of that make, identical cards of the host included, and no vxm=off could
 * keep it from that. With only the order of modules here, driver_override decides, for each address. */
static void print_modprobe(FILE *f, const StaticFacts *facts) {
        fputs(STATIC_HEADER "# vfio-pci is there before any driver that could take a guest's device. Which device it takes is said by\n"
                            "# driver_override, for each address; never by ids=, which goes for all cards of a make.\n",
                f);
        print_identical(f, facts);
        for (size_t i = 0; i < facts->n_modules; i++)
                fprintf(f, "softdep %s pre: vfio-pci\n", facts->modules[i]);
}

static void print_rules(FILE *f, const StaticFacts *facts) {
        fputs(STATIC_HEADER "# Marks functions for 61-vxm-static.rules, which gives them to vfio-pci.\n"
                            "ACTION!=\"add\", GOTO=\"vxm_static_marked\"\n"
                            "SUBSYSTEM!=\"pci\", GOTO=\"vxm_static_marked\"\n",
                f);
        for (size_t i = 0; i < facts->bound->n; i++) {
                const PciFunction *p = &facts->bound->items[i];

                fprintf(f, "KERNEL==\"%s\", ATTR{vendor}==\"0x%04x\", ATTR{device}==\"0x%04x\", %sENV{VXM_STATIC}=\"1\"\n", p->name,
                        p->vendor, p->device, is_vga(p) && !p->boot_vga ? "ATTR{boot_vga}==\"0\", " : "");
        }
        fputs("LABEL=\"vxm_static_marked\"\n", f);
}

/* The list is a shell array in bash. Where the hook stands in it does not matter: its early hook comes before all modules
 * and before coldplug, and it must not be there when vxm is not. */
static void print_mkinitcpio(FILE *f, const StaticFacts *facts) {
        (void) facts;
        fputs(STATIC_HEADER "# Adds the hook of static binding, unless vxm has been removed.\n"
                            "[[ ! -e /usr/lib/initcpio/install/vxm ]] || HOOKS+=(vxm)\n",
                f);
}

static int add_file(StaticFiles *l, const char *path, void (*print)(FILE *, const StaticFacts *), const StaticFacts *facts) {
        StaticFile *file = ARRAY_GROW(l->items, l->n);
        size_t size;
        FILE *f;
        int r;

        if (!file)
                return -ENOMEM;
        l->n++;
        file->path = path;
        file->mode = 0644;
        f = open_memstream(&file->content, &size);
        if (!f)
                return -ENOMEM;
        print(f, facts);
        r = ferror(f) ? -ENOMEM : 0;
        return fclose(f) == 0 ? r : -ENOMEM;
}

static int add_link(StaticFiles *l, const char *path, const char *target) {
        StaticFile *file = ARRAY_GROW(l->items, l->n);

        if (!file)
                return -ENOMEM;
        l->n++;
        file->path = path;
        return free_and_strdup(&file->target, target);
}

int static_files_make(const StaticFacts *facts, StaticFiles *ret) {
        _cleanup_(static_files_done) StaticFiles l = {};
        int r;

        r = add_file(&l, STATIC_DEVICES, print_devices, facts);
        r = r < 0 ? r : add_file(&l, STATIC_MODPROBE, print_modprobe, facts);
        r = r < 0 ? r : add_file(&l, STATIC_RULES, print_rules, facts);
        if (r >= 0 && facts->mkinitcpio)
                r = add_file(&l, STATIC_MKINITCPIO, print_mkinitcpio, facts);
        r = r < 0 ? r : add_link(&l, STATIC_WANTS, facts->unit);
        if (r < 0)
                return r;

        *ret = l;
        l = (StaticFiles){};
        return 0;
}
