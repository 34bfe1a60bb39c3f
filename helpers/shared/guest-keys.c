/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of guest file keys and the parsers it names. */

#include <ctype.h>

#include "exit-status.h"
#include "guest-keys.h"
#include "log.h"
#include "parse.h"
#include "root.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

enum {
        DEVICES_MAX = 16,
        UNITS_MAX = 32,
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

static int append_device(const char *value, void *dest) {
        GuestDevices *d = dest;
        DeviceSpec *spec;
        int r;

        if (d->n_specs >= DEVICES_MAX)
                return -ERANGE;
        if (!d->gpu && streq(value, "auto"))
                return -EINVAL;
        spec = ARRAY_GROW(d->specs, d->n_specs);
        if (!spec)
                return -ENOMEM;
        r = device_spec_parse(value, spec);
        if (r >= 0)
                d->n_specs++;
        return r;
}

static void reset_devices(void *dest) {
        GuestDevices *d = dest;

        while (d->n_specs > 0)
                device_spec_done(&d->specs[--d->n_specs]);
        d->specs = (free(d->specs), NULL);
}

static int append_pin(const char *value, void *dest) {
        GuestDevices *d = dest;
        DevicePin *pin;
        int r;

        if (d->n_pins >= DEVICES_MAX)
                return -ERANGE;
        pin = ARRAY_GROW(d->pins, d->n_pins);
        if (!pin)
                return -ENOMEM;
        r = device_pin_parse(value, pin);
        if (r >= 0)
                d->n_pins++;
        return r;
}

static void reset_pins(void *dest) {
        GuestDevices *d = dest;

        while (d->n_pins > 0)
                device_pin_done(&d->pins[--d->n_pins]);
        d->pins = (free(d->pins), NULL);
}

static int parse_binding(const char *value, void *dest) {
        if (!streq(value, "dynamic") && !streq(value, "static"))
                return -EINVAL;
        *(bool *) dest = streq(value, "static");
        return 0;
}

/* The methods the kernel knows, in drivers/pci/pci.c, pci_reset_fn_methods. */
static int parse_reset_method(const char *value, void *dest) {
        static const char *const methods[] = { "device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus" };
        _cleanup_(freep) char *copy = strdup(value);
        char *state;

        if (!copy)
                return -ENOMEM;
        for (char *word = strtok_r(copy, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
                bool known = false;

                for (size_t i = 0; i < ELEMENTSOF(methods); i++)
                        known |= streq(word, methods[i]);
                if (!known)
                        return -EINVAL;
        }
        return free_and_strdup(dest, value);
}

static int parse_power_control(const char *value, void *dest) {
        return streq(value, "on") || streq(value, "auto") ? free_and_strdup(dest, value) : -EINVAL;
}

static int parse_d3cold(const char *value, void *dest) {
        bool allowed;
        int r = parse_boolean(value, &allowed);

        return r < 0 ? r : free_and_strdup(dest, allowed ? "1" : "0");
}

/* The sizes a resizable BAR can have are powers of two from 1 MiB up (PCI Express, 7.8.6). */
static int parse_bar_size(const char *value, void *dest) {
        uint64_t size;
        int r = parse_size(value, MIB, 512 * GIB, &size);

        if (r < 0)
                return r;
        if ((size & (size - 1)) != 0)
                return -EINVAL;
        *(uint64_t *) dest = size;
        return 0;
}

static void reset_bar_size(void *dest) {
        *(uint64_t *) dest = 0;
}

/* Several may stand in one line, as in After=. */
static int append_stop_units(const char *value, void *dest) {
        _cleanup_(freep) char *copy = strdup(value);
        Guest *g = dest;
        char *state, **unit;

        if (!copy)
                return -ENOMEM;
        for (char *word = strtok_r(copy, " \t", &state); word; word = strtok_r(NULL, " \t", &state)) {
                if (!unit_name_is_valid(word))
                        return -EINVAL;
                if (g->n_stop_units >= UNITS_MAX)
                        return -ERANGE;
                unit = ARRAY_GROW(g->stop_units, g->n_stop_units);
                if (!unit)
                        return -ENOMEM;
                *unit = strdup(word);
                if (!*unit)
                        return -ENOMEM;
                g->n_stop_units++;
        }
        return 0;
}

static void reset_stop_units(void *dest) {
        Guest *g = dest;

        g->stop_units = strings_free(g->stop_units, g->n_stop_units);
        g->n_stop_units = 0;
}

#define GUEST(field) .offset = offsetof(Guest, field)
#define DISK(field) .offset = offsetof(GuestDisk, field)
#define DEVICES(field) .offset = offsetof(GuestDevices, field)

#define EXPECTS_DEVICE                                                                                                     \
        "a PCI address such as 01:00.0, ids such as 1002:73bf, or part of a name such as RX 6800 (see vxm-bind --list)"
#define DEVICE_KEYS(section)                                                                                               \
        { section, "Recorded", append_pin, reset_pins, 0, NULL, "what vxm-bind --record writes" },                          \
        { section, "Binding", parse_binding, NULL, DEVICES(binding_static), "dynamic", "dynamic or static" },              \
        { section, "ResetMethod", parse_reset_method, NULL, DEVICES(reset_method), NULL,                                  \
                "one or several of device_specific, acpi, flr, af_flr, pm, bus and cxl_bus" },                             \
        { section, "PowerControl", parse_power_control, NULL, DEVICES(power_control), NULL, "on or auto" },                \
        { section, "D3Cold", parse_d3cold, NULL, DEVICES(d3cold), NULL, "yes or no" },                                     \
        { section, "BarSize", parse_bar_size, reset_bar_size, DEVICES(bar_size), NULL,                                    \
                "a power of two from 1M to 512G, such as 16G" },                                                           \
        { section, "RomFile", parse_path, NULL, DEVICES(rom_file), NULL, "an absolute path" }

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
        { "GPU", "Device", append_device, reset_devices, 0, NULL, EXPECTS_DEVICE ", or auto; 16 devices at most" },
        { "GPU", "SingleGpu", parse_bool_field, NULL, GUEST(single_gpu), "no", "yes or no", true },
        { "GPU", "StopUnits", append_stop_units, reset_stop_units, 0, NULL, "names of units such as ollama.service, no templates", true },
        DEVICE_KEYS("GPU"),
        { "PCI", "Device", append_device, reset_devices, 0, NULL, EXPECTS_DEVICE "; 16 devices at most" },
        DEVICE_KEYS("PCI"),
        { "Disk", "Path", parse_path, NULL, DISK(path), NULL, "an absolute path" },
        { "Disk", "Format", parse_disk_format, NULL, DISK(format), "raw", "raw or qcow2" },
        { "Disk", "ReadOnly", parse_bool_field, NULL, DISK(read_only), "no", "yes or no" },
};
const size_t n_guest_keys = ELEMENTSOF(guest_keys);

typedef enum Naming {
        NAME_NONE,     /* [CPU] */
        NAME_OPTIONAL, /* [GPU] or [GPU NAME] */
        NAME_REQUIRED, /* [Disk NAME] */
} Naming;

static Naming section_naming(const char *section) {
        if (streq(section, "GPU") || streq(section, "PCI"))
                return NAME_OPTIONAL;
        return streq(section, "Disk") ? NAME_REQUIRED : NAME_NONE;
}

/* Splits “Disk root” into the table's section and the name. Returns false when the name is missing or superfluous. */
static bool split_section(const char *text, char **ret_section, const char **ret_name) {
        const char *space = strchr(text, ' ');
        Naming naming;

        *ret_section = space ? strndup(text, (size_t) (space - text)) : strdup(text);
        if (!*ret_section)
                return false;
        *ret_name = space ? space + strspn(space, " ") : NULL;
        naming = section_naming(*ret_section);
        return *ret_name ? naming != NAME_NONE && guest_name_is_valid(*ret_name) : naming != NAME_REQUIRED;
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

/* Sets the keys of one kind of section to their initial values; section NULL: those of the guest itself. */
static int apply_initial(void *base, const char *section) {
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                bool of_guest = section_naming(k->section) == NAME_NONE || k->of_guest;
                int r;

                if (!k->initial || (section ? of_guest || !streq(k->section, section) : !of_guest))
                        continue;
                r = k->parse(k->initial, (char *) base + k->offset);
                if (r < 0)
                        return r;
        }
        return 0;
}

int guest_apply_initial(Guest *g) {
        return apply_initial(g, NULL);
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
        return apply_initial(d, "Disk") < 0 ? NULL : d;
}

/* The same for the devices of a section; name may be NULL. */
static GuestDevices *guest_devices(Guest *g, bool gpu, const char *name) {
        GuestDevices *d;

        for (size_t i = 0; i < g->n_devices; i++)
                if (g->devices[i].gpu == gpu && streq_ptr(g->devices[i].name, name))
                        return &g->devices[i];

        if (g->n_devices >= DEVICES_MAX)
                return NULL;
        d = ARRAY_GROW(g->devices, g->n_devices);
        if (!d)
                return NULL;
        g->n_devices++;
        d->gpu = gpu;
        if (free_and_strdup(&d->name, name) < 0)
                return NULL;
        return apply_initial(d, gpu ? "GPU" : "PCI") < 0 ? NULL : d;
}

/* What the keys of a section are stored in. Returns NULL when out of memory, or of what there may be of it. */
static void *section_base(Guest *g, const char *section, const char *name) {
        if (streq(section, "Disk"))
                return guest_disk(g, name);
        if (streq(section, "GPU") || streq(section, "PCI"))
                return guest_devices(g, streq(section, "GPU"), name);
        return g;
}

static int assign_section(const ConfLine *line, bool valid, const char *section) {
        if (!section_is_known(section))
                return conf_log(LOG_WARNING, line->file, line->line, "Section [%s] is unknown, and ignored.", line->section);
        if (!valid && section_naming(section) != NAME_NONE)
                return conf_log(LOG_ERR, line->file, line->line,
                        "[%s] needs a name of a-z, 0-9 and “-”, a letter first: [%s NAME].", line->section, section);
        if (!valid)
                return conf_log(LOG_ERR, line->file, line->line, "[%s] takes no name; write [%s].", line->section, section);
        return 0;
}

static int too_many(const ConfLine *line, const char *section) {
        bool disks = streq(section, "Disk");

        return conf_log(LOG_ERR, line->file, line->line, "[%s]: there can be %d %s at most.", line->section,
                disks ? DISKS_MAX : DEVICES_MAX, disks ? "disks" : "sections of devices");
}

static int assign_key(const ConfLine *line, const GuestKey *k, void *base) {
        char *dest = (char *) base + k->offset;
        int r;

        r = isempty(line->value) ? reset_key(k, dest) : k->parse(line->value, dest);
        if (r == -EINVAL || r == -ERANGE)
                return conf_log(LOG_ERR, line->file, line->line, "[%s] %s=%s: expected %s.", line->section, line->key,
                        line->value, k->expects);
        return r;
}

int guest_assign(const ConfLine *line, void *guest) {
        _cleanup_(freep) char *section = NULL;
        const char *name;
        void *base;
        bool valid;
        int r;

        valid = split_section(line->section, &section, &name);
        if (!section)
                return -ENOMEM;
        if (!line->key) {
                r = assign_section(line, valid, section);
                /* A disk is there with its section, so that one that says nothing else is missed too. */
                return r >= 0 && valid && streq(section, "Disk") && !guest_disk(guest, name) ? too_many(line, section) : r;
        }
        if (!valid || !section_is_known(section))
                return 0; /* its own line has been complained about */

        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];

                if (!streq(k->section, section) || !streq(k->key, line->key))
                        continue;
                base = k->of_guest ? guest : section_base(guest, section, name);
                return base ? assign_key(line, k, base) : too_many(line, section);
        }

        return conf_log(LOG_WARNING, line->file, line->line, "[%s] %s= is unknown, and ignored; vxm.guest(5) lists all keys.",
                line->section, line->key);
}
