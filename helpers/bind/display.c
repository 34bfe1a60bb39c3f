/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads displays from /sys/class/drm, framebuffers and consoles from /sys/class, and the boot framebuffer from
 * /sys/bus/platform and /proc/iomem. Only reads. */

#include "display.h"
#include "pci-details.h"
#include "proc-text.h"
#include "root.h"
#include "sysfs.h"

typedef struct Reader {
        int root;
        const PciFunction *functions;
        size_t n;
        HostConsole *console;
        bool other_framebuffer; /* there is one that is not of these functions */
} Reader;

/* Which entries of a directory in /sys are looked at, by their names (NULL: all); and takes one, whose link leads to path. */
typedef bool (*WantEntry)(const char *name);
typedef int (*TakeEntry)(Reader *d, const char *name, const char *path);

void host_console_done(HostConsole *c) {
        strings_free(c->displays, c->n_displays);
        strings_free(c->framebuffers, c->n_framebuffers);
        strings_free(c->vtconsoles, c->n_vtconsoles);
        strings_free(c->platform_devices, c->n_platform_devices);
        strings_free(c->platform_drivers, c->n_platform_drivers);
        *c = (HostConsole){};
}

bool pci_is_boot_gpu(const PciFunction *f, const HostConsole *c) {
        return f->boot_vga || (pci_is_gpu(f) && streq(f->name, c->boot_function));
}

/* The function whose device lies at path; not one behind it, if it is a bridge. */
static const PciFunction *function_of(const Reader *d, const char *path) {
        size_t length = pci_part_of(path);

        for (size_t i = 0; i < d->n; i++)
                if (strlen(d->functions[i].path) == length && strncmp(d->functions[i].path, path, length) == 0)
                        return &d->functions[i];
        return NULL;
}

static int each_entry(Reader *d, const char *directory, WantEntry want, TakeEntry take) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = sysfs_list(d->root, directory, NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_(freep) char *link = NULL, *path = NULL;

                if (want && !want(names[i]))
                        continue;
                r = format(&link, "sys/%s/%s", directory, names[i]);
                r = r < 0 ? r : sysfs_resolve(d->root, link, &path);
                if (r == -EINVAL || r == -ENOENT) { /* a file beside the devices, or gone since */
                        r = 0;
                        continue;
                }
                r = r < 0 ? r : take(d, names[i], path);
        }
        strings_free(names, n);
        return r;
}

static bool is_connector(const char *name) {
        return strchr(name, '-'); /* “card1-HDMI-A-1” */
}

static int take_display(Reader *d, const char *name, const char *path) {
        _cleanup_(freep) char *enabled = NULL, *status = NULL;

        if (!function_of(d, path))
                return 0;
        if (sysfs_read(d->root, path, "enabled", &enabled) < 0 || sysfs_read(d->root, path, "status", &status) < 0)
                return 0;
        if (!streq(enabled, "enabled") || streq(status, "disconnected"))
                return 0;
        return strings_add(&d->console->displays, &d->console->n_displays, strchr(name, '-') + 1);
}

/* ---- the boot framebuffer ---- */

/* As drivers call what they claim: sysfb (BOOTFB), the DRM drivers, and the old ones of fbdev. */
static bool is_boot_framebuffer(const char *name) {
        static const char *const names[] = { "BOOTFB", "simpledrm", "simple-framebuffer", "efidrm", "vesadrm", "efifb", "vesafb" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(name, names[i]))
                        return true;
        return false;
}

static const PciFunction *function_named(const Reader *d, const char *name) {
        for (size_t i = 0; i < d->n; i++)
                if (streq(d->functions[i].name, name))
                        return &d->functions[i];
        return NULL;
}

/* Who is not allowed to see addresses sees 0 for all. */
static int function_with_range(const Reader *d, const IoRange *range, const PciFunction **ret) {
        if (range->end == 0)
                return 0;
        for (size_t i = 0; i < d->n; i++) {
                _cleanup_(pci_details_done) PciDetails details = {};
                int r;

                r = pci_bars_read(d->root, &d->functions[i], details.bars, &details.n_bars);
                if (r < 0)
                        return r;
                for (size_t j = 0; j < details.n_bars; j++) {
                        const PciBar *bar = &details.bars[j];

                        if (bar->memory && range->start >= bar->start && range->end - bar->start < bar->size)
                                return *ret = &d->functions[i], 0;
                }
        }
        return 0;
}

static int find_in_iomem(const Reader *d, const IoRanges *ranges, const PciFunction **ret) {
        const PciFunction *within = NULL; /* the function that the ranges we pass lie in … */
        unsigned depth = 0;               /* … as long as they are deeper than this */
        int r = 0;

        for (size_t i = 0; r >= 0 && !*ret && i < ranges->n; i++) {
                const IoRange *range = &ranges->items[i];

                if (within && range->depth <= depth)
                        within = NULL;
                if (!is_boot_framebuffer(range->name)) {
                        if (!within && (within = function_named(d, range->name)))
                                depth = range->depth;
                } else if (within) {
                        *ret = within;
                } else {
                        r = function_with_range(d, range, ret);
                }
        }
        return r;
}

static void note_boot_function(Reader *d, const PciFunction *f) {
        d->console->boot_framebuffer = true;
        memcpy(d->console->boot_function, f->name, sizeof d->console->boot_function);
}

static int read_iomem(Reader *d) {
        _cleanup_(io_ranges_done) IoRanges ranges = {};
        _cleanup_(freep) char *text = NULL;
        const PciFunction *f = NULL;
        int r;

        r = root_read(d->root, "proc/iomem", &text);
        if (r == -ENOENT || r == -EACCES || r == -EPERM)
                return 0;
        r = r < 0 ? r : iomem_parse(text, &ranges);
        r = r < 0 ? r : find_in_iomem(d, &ranges, &f);
        if (r >= 0 && f)
                note_boot_function(d, f);
        return r;
}

/* The devices that the kernel makes of the firmware's framebuffer; a machine has one at most. */
static bool is_platform_framebuffer(const char *name) {
        static const char *const names[] = { "simple-framebuffer.", "efi-framebuffer.", "vesa-framebuffer.", "platform-framebuffer." };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (startswith(name, names[i]))
                        return true;
        return false;
}

/* Newer kernels hang it below the PCI function, older ones leave it to /proc/iomem to tell. */
static int take_platform_device(Reader *d, const char *name, const char *path) {
        _cleanup_(freep) char *link = NULL, *driver = NULL;
        const PciFunction *f = function_of(d, path);
        int r;

        if (!f && (pci_part_of(path) > 0 || !d->console->boot_framebuffer))
                return 0;
        if (f)
                note_boot_function(d, f);

        r = format(&link, "sys/%s/driver", path);
        r = r < 0 ? r : root_readlink_name(d->root, link, &driver);
        if (r == -ENOENT)
                return 0;
        r = r < 0 ? r : strings_add(&d->console->platform_devices, &d->console->n_platform_devices, name);
        return r < 0 ? r : strings_add(&d->console->platform_drivers, &d->console->n_platform_drivers, driver);
}

/* ---- framebuffers and consoles ---- */

static bool is_framebuffer(const char *name) {
        const char *digits = startswith(name, "fb");

        return digits && *digits && strspn(digits, "0123456789") == strlen(digits);
}

static bool is_of_platform_device(const Reader *d, const char *path) {
        for (size_t i = 0; i < d->console->n_platform_devices; i++) {
                const char *at = strstr(path, d->console->platform_devices[i]);

                if (at && at[strlen(d->console->platform_devices[i])] == '/')
                        return true;
        }
        return false;
}

static int take_framebuffer(Reader *d, const char *name, const char *path) {
        if (!function_of(d, path) && !is_of_platform_device(d, path)) {
                d->other_framebuffer = true;
                return 0;
        }
        return strings_add(&d->console->framebuffers, &d->console->n_framebuffers, name);
}

static int take_vtconsole(Reader *d, const char *name, const char *path) {
        _cleanup_(freep) char *kind = NULL, *bound = NULL;

        if (sysfs_read(d->root, path, "name", &kind) < 0 || sysfs_read(d->root, path, "bind", &bound) < 0)
                return 0;
        if (!strstr(kind, "frame buffer") || !streq(bound, "1"))
                return 0;
        return strings_add(&d->console->vtconsoles, &d->console->n_vtconsoles, name);
}

/* A console that is let go of can be bound again only in place of a driver of the system's own, "(S)" (vt_bind() in
 * drivers/tty/vt/vt.c; else that does nothing, and reports success). A kernel that has started in VGA text mode has none any more
 * once a graphics driver has replaced vgacon: the dummy console that stepped in counts as a module, "(M)". */
static int take_system_console(Reader *d, const char *name _unused_, const char *path) {
        _cleanup_(freep) char *kind = NULL;

        if (sysfs_read(d->root, path, "name", &kind) >= 0 && startswith(kind, "(S)"))
                d->console->vtconsoles_return = true;
        return 0;
}

/* With another framebuffer left, the console moves there by itself. */
static int read_vtconsoles(Reader *d) {
        int r;

        if (d->console->n_framebuffers == 0 || d->other_framebuffer)
                return 0;
        r = each_entry(d, "class/vtconsole", NULL, take_vtconsole);
        return r < 0 ? r : each_entry(d, "class/vtconsole", NULL, take_system_console);
}

/* Linux 6.17 says it in so many words. */
static int read_boot_display(Reader *d) {
        for (size_t i = 0; i < d->n; i++) {
                _cleanup_(freep) char *value = NULL;
                int r;

                r = sysfs_read(d->root, d->functions[i].path, "boot_display", &value);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                if (streq(value, "1"))
                        memcpy(d->console->boot_function, d->functions[i].name, sizeof d->console->boot_function);
        }
        return 0;
}

static int read_boot(Reader *d) {
        int r;

        r = read_boot_display(d);
        r = r < 0 ? r : read_iomem(d);
        return r < 0 ? r : each_entry(d, "bus/platform/devices", is_platform_framebuffer, take_platform_device);
}

int pci_read_boot_gpu(int root, const PciFunction *f, bool *ret) {
        _cleanup_(host_console_done) HostConsole c = {};
        int r;

        r = f->boot_vga || !pci_is_gpu(f) ? 0 : read_boot(&(Reader){ root, f, 1, &c });
        if (r >= 0)
                *ret = pci_is_boot_gpu(f, &c);
        return r;
}

int host_console_read(int root, const PciFunction functions[], size_t n, HostConsole *ret) {
        _cleanup_(host_console_done) HostConsole c = {};
        Reader d = { root, functions, n, &c };
        int r;

        r = read_boot(&d);
        r = r < 0 ? r : each_entry(&d, "class/drm", is_connector, take_display);
        r = r < 0 ? r : each_entry(&d, "class/graphics", is_framebuffer, take_framebuffer);
        r = r < 0 ? r : read_vtconsoles(&d);
        if (r < 0)
                return r;

        *ret = c;
        c = (HostConsole){};
        return 0;
}
