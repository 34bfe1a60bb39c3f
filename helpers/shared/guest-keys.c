/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of guest file keys and the parsers it names. */

#include <ctype.h>

#include "exit-status.h"
#include "guest-keys.h"
#include "log.h"
#include "parse.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

enum {
        GPUS_MAX = 16,
        DISKS_MAX = 64,
        TEXT_MAX = 2048, /* the kernel's command line ends there (COMMAND_LINE_SIZE on x86) */
};

/* What ends up in a unit file must stay on its line: no control characters, no backslash at the end. */
static int parse_text(const char *value, void *dest) {
        size_t n = strlen(value);

        if (n > TEXT_MAX)
                return -ERANGE;
        for (size_t i = 0; i < n; i++)
                if (iscntrl((unsigned char) value[i]))
                        return -EINVAL;
        return value[n - 1] == '\\' ? -EINVAL : free_and_strdup(dest, value);
}

static int parse_name(const char *value, void *dest) {
        return guest_name_is_valid(value) ? free_and_strdup(dest, value) : -EINVAL;
}

static int parse_path(const char *value, void *dest) {
        return path_is_clean(value) ? free_and_strdup(dest, value) : -EINVAL;
}

static int parse_bool_field(const char *value, void *dest) {
        return parse_boolean(value, dest);
}

static int parse_memory_size(const char *value, void *dest) {
        uint64_t size;
        int r;

        r = parse_size(value, 16 * MIB, 16 * 1024 * GIB, &size);
        if (r < 0)
                return r;
        if (size % (2 * MIB) != 0)
                return -EINVAL;
        *(uint64_t *) dest = size;
        return 0;
}

static int parse_cpu_count(const char *value, void *dest) {
        return parse_number(value, 1, 255, dest);
}

static int parse_stop_timeout(const char *value, void *dest) {
        uint64_t usec;
        int r;

        r = parse_time(value, &usec);
        if (r < 0)
                return r;
        if (usec < UINT64_C(1000000) || usec > UINT64_C(24) * 3600 * 1000000)
                return -ERANGE;
        *(uint64_t *) dest = usec;
        return 0;
}

static int parse_firmware_type(const char *value, void *dest) {
        FirmwareType *type = dest;

        if (streq(value, "uefi"))
                *type = FIRMWARE_UEFI;
        else if (streq(value, "bios"))
                *type = FIRMWARE_BIOS;
        else
                return -EINVAL;
        return 0;
}

static int parse_disk_format(const char *value, void *dest) {
        DiskFormat *disk_format = dest;

        if (streq(value, "raw"))
                *disk_format = DISK_RAW;
        else if (streq(value, "qcow2"))
                *disk_format = DISK_QCOW2;
        else
                return -EINVAL;
        return 0;
}

static int append_gpu(const char *value, void *dest) {
        PciAddress address, *gpu;
        Guest *g = dest;
        int r;

        r = pci_address_parse(value, &address);
        if (r < 0)
                return r;
        for (size_t i = 0; i < g->n_gpus; i++)
                if (pci_same_slot(g->gpus[i], address))
                        return 0;
        if (g->n_gpus >= GPUS_MAX)
                return -ERANGE;

        gpu = ARRAY_GROW(g->gpus, g->n_gpus);
        if (!gpu)
                return -ENOMEM;
        *gpu = address;
        g->n_gpus++;
        return 0;
}

static void reset_gpus(void *dest) {
        Guest *g = dest;

        g->gpus = (free(g->gpus), NULL);
        g->n_gpus = 0;
}

#define GUEST(field) .offset = offsetof(Guest, field)
#define DISK(field) .offset = offsetof(GuestDisk, field)

const GuestKey guest_keys[] = {
        { "Guest", "Description", parse_text, NULL, GUEST(description), NULL, "at most 2048 characters, no backslash at the end" },
        { "Guest", "Preset", parse_name, NULL, GUEST(preset), NULL, "the name of a preset, such as demo" },
        { "Guest", "StopTimeout", parse_stop_timeout, NULL, GUEST(stop_timeout), "2min",
                "a time from 1s to 24h, such as 90s or 2min" },
        { "Memory", "Size", parse_memory_size, NULL, GUEST(memory_size), "2G",
                "a size of at least 16M in steps of 2M, such as 512M or 16G" },
        { "CPU", "Count", parse_cpu_count, NULL, GUEST(cpu_count), "2", "a number from 1 to 255" },
        { "Firmware", "Type", parse_firmware_type, NULL, GUEST(firmware), "uefi", "uefi or bios" },
        { "Boot", "Kernel", parse_path, NULL, GUEST(kernel), NULL, "an absolute path" },
        { "Boot", "Initrd", parse_path, NULL, GUEST(initrd), NULL, "an absolute path" },
        { "Boot", "CommandLine", parse_text, NULL, GUEST(command_line), NULL, "at most 2048 characters, no backslash at the end" },
        { "GPU", "Device", append_gpu, reset_gpus, 0, NULL,
                "a PCI address such as 01:00.0 (see lspci), 16 devices at most" },
        { "Disk", "Path", parse_path, NULL, DISK(path), NULL, "an absolute path" },
        { "Disk", "Format", parse_disk_format, NULL, DISK(format), "raw", "raw or qcow2" },
        { "Disk", "ReadOnly", parse_bool_field, NULL, DISK(read_only), "no", "yes or no" },
};
const size_t n_guest_keys = ELEMENTSOF(guest_keys);

static bool section_is_named(const char *section) {
        return streq(section, "Disk");
}

/* Splits “Disk root” into the table's section and the name. Returns false when the name is missing or superfluous. */
static bool split_section(const char *text, char **ret_section, const char **ret_name) {
        const char *space = strchr(text, ' ');

        *ret_section = space ? strndup(text, (size_t) (space - text)) : strdup(text);
        if (!*ret_section)
                return false;
        *ret_name = space ? space + strspn(space, " ") : NULL;
        return section_is_named(*ret_section) == !!*ret_name && (!*ret_name || guest_name_is_valid(*ret_name));
}

static bool section_is_known(const char *section) {
        for (size_t i = 0; i < n_guest_keys; i++)
                if (streq(guest_keys[i].section, section))
                        return true;
        return false;
}

static int reset_key(const GuestKey *k, void *dest) {
        if (k->reset)
                return k->reset(dest), 0;
        if (k->initial)
                return k->parse(k->initial, dest);
        return free_and_strdup(dest, NULL); /* only strings have no initial value */
}

static int apply_initial(void *base, bool named) {
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                int r;

                if (section_is_named(k->section) != named || !k->initial)
                        continue;
                r = k->parse(k->initial, (char *) base + k->offset);
                if (r < 0)
                        return r;
        }
        return 0;
}

int guest_apply_initial(Guest *g) {
        return apply_initial(g, false);
}

/* Finds the disk called name, or adds it. Returns NULL when out of memory or of disks. */
static GuestDisk *guest_disk(Guest *g, const char *name) {
        GuestDisk *d;

        for (size_t i = 0; i < g->n_disks; i++)
                if (streq(g->disks[i].name, name))
                        return &g->disks[i];

        if (g->n_disks >= DISKS_MAX)
                return NULL;
        d = ARRAY_GROW(g->disks, g->n_disks);
        if (!d)
                return NULL;
        d->name = strdup(name);
        if (!d->name)
                return NULL;
        g->n_disks++;
        return apply_initial(d, true) < 0 ? NULL : d;
}

static int assign_section(const ConfLine *line, bool valid, const char *section) {
        if (!section_is_known(section))
                return conf_log(LOG_WARNING, line->file, line->line, "Section [%s] is unknown, and ignored.", line->section);
        if (!valid && section_is_named(section))
                return conf_log(LOG_ERR, line->file, line->line,
                        "[%s] needs a name of a-z, 0-9 and “-”, a letter first: [%s NAME].", line->section, section);
        if (!valid)
                return conf_log(LOG_ERR, line->file, line->line, "[%s] takes no name; write [%s].", line->section, section);
        return 0;
}

static int too_many_disks(const ConfLine *line) {
        return conf_log(LOG_ERR, line->file, line->line, "[%s]: there can be %d disks at most.", line->section, DISKS_MAX);
}

int guest_assign(const ConfLine *line, void *guest) {
        _cleanup_(freep) char *section = NULL;
        const char *name;
        bool valid;
        int r;

        valid = split_section(line->section, &section, &name);
        if (!section)
                return -ENOMEM;
        if (!line->key) {
                r = assign_section(line, valid, section);
                /* A disk is there with its section, so that one that says nothing else is missed too. */
                return r >= 0 && valid && name && !guest_disk(guest, name) ? too_many_disks(line) : r;
        }
        if (!valid || !section_is_known(section))
                return 0; /* its own line has been complained about */

        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                char *base = guest;

                if (!streq(k->section, section) || !streq(k->key, line->key))
                        continue;

                if (name)
                        base = (char *) guest_disk(guest, name);
                if (!base)
                        return too_many_disks(line);
                r = isempty(line->value) ? reset_key(k, base + k->offset) : k->parse(line->value, base + k->offset);
                if (r == -EINVAL || r == -ERANGE)
                        return conf_log(LOG_ERR, line->file, line->line, "[%s] %s=%s: expected %s.", line->section,
                                line->key, line->value, k->expects);
                return r;
        }

        return conf_log(LOG_WARNING, line->file, line->line, "[%s] %s= is unknown, and ignored; vxm.guest(5) lists all keys.",
                line->section, line->key);
}
