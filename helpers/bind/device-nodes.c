/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects device nodes from /sys, and from /proc/driver/nvidia, whose driver has none of its nodes in /sys. Only reads. */

#include <ctype.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "device-nodes.h"
#include "root.h"
#include "sysfs.h"

enum {
        DEPTH_MAX = 24,      /* of directories below a function; a keyboard behind four USB hubs is 13 deep */
        ENTRIES_MAX = 65536, /* in all */
        NVIDIA_MAJOR = 195,
};

typedef struct Walk {
        int root;
        DeviceNodes *nodes;
        unsigned entries;
} Walk;

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

void device_nodes_done(DeviceNodes *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].path);
        free(l->items);
        *l = (DeviceNodes){};
}

static int add_node(DeviceNodes *l, const char *name, dev_t number, bool block) {
        _cleanup_(freep) char *path = NULL;
        DeviceNode *slot;
        int r;

        r = format(&path, "/dev/%s", name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i].path, path))
                        return 0;
        slot = ARRAY_GROW(l->items, l->n);
        if (!slot)
                return -ENOMEM;
        l->n++;
        *slot = (DeviceNode){ TAKE_PTR(path), number, block };
        return 0;
}

/* “MAJOR=226\nMINOR=1\nDEVNAME=dri/card1\nDEVTYPE=drm_minor”; only disks and partitions are block devices. */
static int add_uevent(DeviceNodes *l, char *text) {
        unsigned major = 0, minor = 0;
        const char *name = NULL;
        bool block = false;

        for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
                const char *value;

                if ((value = startswith(line, "MAJOR=")))
                        major = (unsigned) strtoul(value, NULL, 10);
                else if ((value = startswith(line, "MINOR=")))
                        minor = (unsigned) strtoul(value, NULL, 10);
                else if ((value = startswith(line, "DEVNAME=")))
                        name = value;
                else if ((value = startswith(line, "DEVTYPE=")))
                        block = streq(value, "disk") || streq(value, "partition");
        }
        return isempty(name) ? 0 : add_node(l, name, makedev(major, minor), block);
}

static int read_uevent(Walk *w, int directory) {
        _cleanup_(freep) char *text = NULL;
        int r = directory_read(directory, "uevent", &text);

        /* The device, or the driver that answers for it, may just have gone. */
        if (r == -ENOENT || r == -ENODEV)
                return 0;
        return r < 0 ? r : add_uevent(w->nodes, text);
}

static int walk(Walk *w, int directory, unsigned depth);

/* Directories below a function are its devices; other functions and virtual functions are on their own. */
static int walk_entry(Walk *w, int directory, const struct dirent *entry, unsigned depth) {
        int fd;

        if (++w->entries > ENTRIES_MAX)
                return -ELOOP;
        if (streq(entry->d_name, "uevent"))
                return read_uevent(w, directory);
        if (streq(entry->d_name, ".") || streq(entry->d_name, "..") || is_pci_name(entry->d_name, strlen(entry->d_name)) ||
                (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
                return 0;
        fd = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno; /* unplugged just now; a file, or a link */
        return walk(w, fd, depth + 1);
}

/* directory: a descriptor, which is closed. */
static int walk(Walk *w, int directory, unsigned depth) {
        _cleanup_(closedirp) DIR *d = fdopendir(directory);
        int r;

        if (!d) {
                r = -errno;
                close(directory);
                return r;
        }
        if (depth > DEPTH_MAX)
                return -ELOOP;
        do {
                const struct dirent *entry;

                errno = 0;
                entry = readdir(d);
                if (!entry)
                        return -errno;
                r = walk_entry(w, directory, entry, depth);
        } while (r >= 0);
        return r;
}

static int add_below(Walk *w, const PciFunction *f) {
        _cleanup_(freep) char *path = NULL;
        int r;

        r = format(&path, "sys/%s", f->path);
        r = r < 0 ? r : root_openat(w->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (r < 0)
                return r == -ENOENT ? 0 : r; /* unplugged just now */
        return walk(w, r, 0);
}

/* ---- NVIDIA ---- */

/* “Device Minor: \t 0” among the lines of /proc/driver/nvidia/gpus/ADDRESS/information. */
static int nvidia_minor(int root, const PciFunction *f, unsigned *ret) {
        _cleanup_(freep) char *path = NULL, *text = NULL;
        const char *value;
        int r;

        r = format(&path, "proc/driver/nvidia/gpus/%s/information", f->name);
        r = r < 0 ? r : root_read(root, path, &text);
        if (r < 0)
                return r;
        value = strstr(text, "Device Minor:");
        if (!value)
                return -ENOENT;
        value += STRLEN("Device Minor:");
        value += strspn(value, " \t");
        if (!isdigit((unsigned char) *value))
                return -ENOENT;
        *ret = (unsigned) strtoul(value, NULL, 10);
        return 0;
}

/* Not knowing which of the nodes is ours, we take all of them for ours. */
static int add_any_nvidia(int root, DeviceNodes *nodes) {
        char **names = NULL;
        size_t n = 0;
        int r;

        r = root_list(root, "dev", &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *digits = startswith(names[i], "nvidia");

                if (digits && *digits && strspn(digits, "0123456789") == strlen(digits))
                        r = add_node(nodes, names[i], makedev(NVIDIA_MAJOR, (unsigned) strtoul(digits, NULL, 10)), false);
        }
        strings_free(names, n);
        return r == -ENOENT ? 0 : r;
}

static int add_nvidia(int root, const PciFunction *f, DeviceNodes *nodes) {
        _cleanup_(freep) char *name = NULL;
        unsigned minor_number;
        int r;

        r = nvidia_minor(root, f, &minor_number);
        if (r == -ENOENT)
                return add_any_nvidia(root, nodes);
        r = r < 0 ? r : format(&name, "nvidia%u", minor_number);
        return r < 0 ? r : add_node(nodes, name, makedev(NVIDIA_MAJOR, minor_number), false);
}

/* Whether each GPU that nvidia drives is among the functions. */
static int is_all_of_nvidia(int root, const PciFunction functions[], size_t n_functions, bool *ret) {
        char **names = NULL;
        size_t n = 0;
        int r;

        *ret = true;
        r = sysfs_list(root, "bus/pci/drivers/nvidia", NULL, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                bool ours = !is_pci_name(names[i], strlen(names[i]));

                for (size_t j = 0; j < n_functions; j++)
                        ours |= streq(functions[j].name, names[i]);
                *ret = *ret && ours;
        }
        strings_free(names, n);
        return r;
}

static int add_shared_nvidia(DeviceNodes *nodes) {
        int r;

        r = add_node(nodes, "nvidiactl", makedev(NVIDIA_MAJOR, 255), false);
        r = r < 0 ? r : add_node(nodes, "nvidia-modeset", makedev(NVIDIA_MAJOR, 254), false);
        return r < 0 ? r : add_node(nodes, "nvidia-uvm", 0, false); /* has a major that changes */
}

/* ---- VFIO ---- */

static int add_vfio(int root, const PciFunction *f, DeviceNodes *nodes) {
        _cleanup_(freep) char *directory = NULL, *text = NULL, *name = NULL;
        int r;

        if (f->group < 0 || !streq_ptr(f->driver, VFIO_DRIVER))
                return 0;
        r = format(&directory, "devices/virtual/vfio/%d", f->group);
        r = r < 0 ? r : sysfs_read(root, directory, "uevent", &text);
        if (r >= 0)
                return add_uevent(nodes, text);
        r = r == -ENOENT ? format(&name, "vfio/%d", f->group) : r;
        return r < 0 ? r : add_node(nodes, name, 0, false);
}

int device_nodes_find(int root, const PciFunction functions[], size_t n_functions, DeviceNodes *ret) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = {};
        Walk w = { .root = root, .nodes = &nodes };
        bool any_nvidia = false, all = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_functions; i++) {
                const PciFunction *f = &functions[i];

                r = add_below(&w, f);
                if (r >= 0 && streq_ptr(f->driver, "nvidia")) {
                        any_nvidia = true;
                        r = add_nvidia(root, f, &nodes);
                }
                r = r < 0 ? r : add_vfio(root, f, &nodes);
        }
        if (r >= 0 && any_nvidia)
                r = is_all_of_nvidia(root, functions, n_functions, &all);
        if (r >= 0 && all)
                r = add_shared_nvidia(&nodes);
        if (r < 0)
                return r;

        *ret = nodes;
        nodes = (DeviceNodes){};
        return 0;
}
