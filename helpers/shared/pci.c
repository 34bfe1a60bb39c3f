/* SPDX-License-Identifier: BSD-3-Clause */
/* Facts about PCI functions from sysfs. libpci knows ids and names, but not drivers, overrides, IOMMU groups and boot
 * VGA, which are what passthrough is about; so the attributes are read here, and names come from udev or libpci, see
 * pci-names.h. */

#include <ctype.h>
#include <fcntl.h>

#include "pci.h"
#include "root.h"

/* Reads 1 … max_digits hexadecimal digits at *s, at most max. Moves *s behind them. */
static int read_hex(const char **s, int max_digits, uint32_t max, uint32_t *ret) {
        uint32_t value = 0;
        int n;

        for (n = 0; n < max_digits && isxdigit((unsigned char) **s); n++, (*s)++) {
                int c = tolower((unsigned char) **s);

                value = value << 4 | (uint32_t) (isdigit(c) ? c - '0' : c - 'a' + 10);
        }
        if (n == 0 || value > max)
                return -EINVAL;
        *ret = value;
        return 0;
}

int pci_address_parse(const char *s, PciAddress *ret) {
        uint32_t part[3], function = 0;
        size_t n = 0;

        do {
                if (n >= ELEMENTSOF(part) || read_hex(&s, 8, UINT32_MAX, &part[n]) < 0)
                        return -EINVAL;
                n++;
        } while (*s == ':' && s++);

        if (n < 2 || part[n - 2] > 0xff || part[n - 1] > 0x1f)
                return -EINVAL;
        if (*s == '.') {
                s++;
                if (read_hex(&s, 1, 7, &function) < 0)
                        return -EINVAL;
        }
        if (*s != '\0')
                return -EINVAL;

        *ret = (PciAddress){
                .domain = n == 3 ? part[0] : 0,
                .bus = (uint8_t) part[n - 2],
                .slot = (uint8_t) part[n - 1],
                .function = (uint8_t) function,
        };
        return 0;
}

const char *pci_address_format(PciAddress a, char buffer[static PCI_ADDRESS_TEXT]) {
        (void) snprintf(buffer, PCI_ADDRESS_TEXT, "%04x:%02x:%02x.%x", a.domain, a.bus, a.slot & 0x1fU, a.function & 7U);
        return buffer;
}

bool pci_same_slot(PciAddress a, PciAddress b) {
        return a.domain == b.domain && a.bus == b.bus && a.slot == b.slot;
}

bool pci_address_equal(PciAddress a, PciAddress b) {
        return pci_same_slot(a, b) && a.function == b.function;
}

bool pci_is_gpu(const PciFunction *f) {
        return f->class_code >> 16 == 0x03;
}

bool pci_is_bridge(const PciFunction *f) {
        return f->class_code >> 16 == 0x06;
}

void pci_function_done(PciFunction *f) {
        free(f->path);
        free(f->driver);
        free(f->override);
}

void pci_functions_done(PciFunctions *l) {
        for (size_t i = 0; i < l->n; i++)
                pci_function_done(&l->items[i]);
        free(l->items);
        *l = (PciFunctions){};
}

/* -ENODATA when the function has no such attribute. directory: the function's. */
static int read_id(int directory, const char *attribute, uint64_t max, uint64_t *ret) {
        int r = directory_read_number(directory, attribute, ret);

        if (r == -ENOENT)
                return -ENODATA;
        return r < 0 ? r : *ret > max ? -ERANGE : 0;
}

/* As read_id(), but an attribute that is not there counts as 0. */
static int read_optional(int directory, const char *attribute, uint64_t max, uint64_t *ret) {
        int r = read_id(directory, attribute, max, ret);

        if (r == -ENODATA)
                return *ret = 0, 0;
        return r;
}

static int read_ids(int directory, PciFunction *f) {
        uint64_t vendor, device, class_code, subsystem_vendor, subsystem_device, boot_vga;
        int r;

        r = read_id(directory, "vendor", UINT16_MAX, &vendor);
        if (r == -ENODATA)
                return -ENODEV;
        r = r < 0 ? r : read_id(directory, "device", UINT16_MAX, &device);
        r = r < 0 ? r : read_id(directory, "class", 0xffffff, &class_code);
        r = r < 0 ? r : read_optional(directory, "subsystem_vendor", UINT16_MAX, &subsystem_vendor);
        r = r < 0 ? r : read_optional(directory, "subsystem_device", UINT16_MAX, &subsystem_device);
        r = r < 0 ? r : read_optional(directory, "boot_vga", 1, &boot_vga); /* only VGA-class functions have it */
        if (r < 0)
                return r;

        f->vendor = (uint16_t) vendor;
        f->device = (uint16_t) device;
        f->subsystem_vendor = (uint16_t) subsystem_vendor;
        f->subsystem_device = (uint16_t) subsystem_device;
        f->class_code = (uint32_t) class_code;
        f->boot_vga = boot_vga;
        return 0;
}

static int read_driver(int directory, PciFunction *f) {
        int r = directory_readlink_name(directory, "driver", &f->driver);

        return r == -ENOENT ? 0 : r;
}

static int read_group(int directory, PciFunction *f) {
        _cleanup_(freep) char *name = NULL;
        unsigned long group;
        char *end;
        int r;

        r = directory_readlink_name(directory, "iommu_group", &name);
        if (r == -ENOENT)
                return f->group = -1, 0;
        if (r < 0)
                return r;

        errno = 0;
        group = strtoul(name, &end, 10);
        if (errno > 0 || *end != '\0' || end == name || group > INT32_MAX)
                return -EINVAL;
        f->group = (int) group;
        return 0;
}

int pci_read_override(int root, PciFunction *f) {
        _cleanup_(freep) char *override = NULL;
        char path[STRLEN("sys/bus/pci/devices//driver_override") + PCI_ADDRESS_TEXT];
        int r;

        (void) snprintf(path, sizeof path, "sys/bus/pci/devices/%s/driver_override", f->name);
        r = root_read(root, path, &override);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r < 0 || streq(override, "(null)") || isempty(override))
                override = (free(override), NULL);
        free(f->override);
        f->override = TAKE_PTR(override);
        return 0;
}

/* Whence the link in /sys/bus/pci/devices points: "../../../devices/pci0000:00/…". */
static int read_path(int root, const char *link, PciFunction *f) {
        _cleanup_(freep) char *target = NULL;
        const char *s;
        int r;

        r = root_readlink(root, link, &target);
        if (r < 0)
                return r;
        for (s = target; startswith(s, "../"); s += STRLEN("../"))
                ;
        return free_and_strdup(&f->path, s);
}

int pci_read_function(int root, PciAddress address, PciFunction *ret) {
        _cleanup_(pci_function_done) PciFunction f = { .address = address };
        char link[STRLEN("sys/bus/pci/devices/") + PCI_ADDRESS_TEXT];
        _cleanup_(closep) int directory = -EBADF;
        int r;

        pci_address_format(address, f.name);
        (void) snprintf(link, sizeof link, "sys/bus/pci/devices/%s", f.name);
        directory = root_openat(root, link, O_PATH | O_DIRECTORY);
        if (directory < 0)
                return directory == -ENOENT ? -ENODEV : directory;
        r = read_ids(directory, &f);
        r = r < 0 ? r : read_path(root, link, &f);
        r = r < 0 ? r : read_driver(directory, &f);
        r = r < 0 ? r : read_group(directory, &f);
        if (r < 0)
                return r;

        *ret = f;
        f = (PciFunction){};
        return 0;
}

static int append_function(int root, PciAddress address, PciFunctions *l) {
        PciFunction f, *slot;
        int r;

        r = pci_read_function(root, address, &f);
        if (r < 0)
                return r;
        slot = ARRAY_GROW(l->items, l->n);
        if (!slot) {
                pci_function_done(&f);
                return -ENOMEM;
        }
        *slot = f;
        l->n++;
        return 0;
}

int pci_read_slot(int root, PciAddress address, PciFunctions *ret) {
        _cleanup_(pci_functions_done) PciFunctions l = {};

        for (uint8_t function = 0; function < 8; function++) {
                int r;

                address.function = function;
                r = append_function(root, address, &l);
                if (r < 0 && r != -ENODEV)
                        return r;
        }
        *ret = l;
        l = (PciFunctions){};
        return 0;
}

static bool is_one_of(const PciAddress list[], size_t n, PciAddress address) {
        for (size_t i = 0; i < n; i++)
                if (pci_address_equal(list[i], address))
                        return true;
        return false;
}

/* Reads the functions that the entries of a directory name, but for those that are known. */
static int read_directory(int root, const char *path, const PciAddress known[], size_t n_known, PciFunctions *ret) {
        _cleanup_(pci_functions_done) PciFunctions l = {};
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, path, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                PciAddress address;

                /* A group may hold devices of other buses, too; they are no PCI functions. */
                if (pci_address_parse(names[i], &address) < 0 || is_one_of(known, n_known, address))
                        continue;
                r = append_function(root, address, &l);
                if (r == -ENODEV) /* unplugged just now */
                        r = 0;
        }
        strings_free(names, n);
        if (r < 0)
                return r;

        *ret = l;
        l = (PciFunctions){};
        return 0;
}

int pci_read_group(int root, int group, const PciAddress known[], size_t n_known, PciFunctions *ret) {
        char path[64];

        (void) snprintf(path, sizeof path, "sys/kernel/iommu_groups/%d/devices", group);
        return read_directory(root, path, known, n_known, ret);
}

int pci_read_all(int root, PciFunctions *ret) {
        return read_directory(root, "sys/bus/pci/devices", NULL, 0, ret);
}

bool pci_iommu_is_on(int root) {
        char **names = NULL;
        size_t n = 0;
        bool on;

        on = root_list(root, "sys/kernel/iommu_groups", &names, &n) >= 0 && n > 0;
        strings_free(names, n);
        return on;
}
