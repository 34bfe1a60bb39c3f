/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the values of guest file keys into the guest model. */

#include <arpa/inet.h>
#include <ctype.h>
#include <systemd/sd-id128.h>

#include "guest-downloads.h"
#include "guest-monitors.h"
#include "guest-values.h"
#include "guest.h"
#include "mac.h"
#include "parse.h"
#include "root.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
#define LOOKING_GLASS_MIN (16 * MIB)
#define LOOKING_GLASS_MAX GIB

enum {
        UNITS_MAX = 32,
        MODEL_MAX = 64,
        AUDIO_DEVICE_MAX = 256,
        USER_NAME_MAX = 31, /* utmp has no room for more, and systemd neither */
        TEXT_MAX = 2048, /* the kernel's command line ends there (COMMAND_LINE_SIZE on x86) */
};

/* The place of value among n words; -EINVAL when it is none of them. */
static int find_word(const char *value, const char *const words[], size_t n) {
        for (size_t i = 0; i < n; i++)
                if (words[i] && streq(words[i], value))
                        return (int) i;
        return -EINVAL;
}

/* What ends up in a unit file must stay on its line: no control characters, no backslash at the end. */
int value_text(const char *value, void *dest) {
        size_t n = strlen(value);

        if (n > TEXT_MAX)
                return -ERANGE;
        for (size_t i = 0; i < n; i++)
                if (iscntrl((unsigned char) value[i]))
                        return -EINVAL;
        return value[n - 1] == '\\' ? -EINVAL : free_and_strdup(dest, value);
}

int value_name(const char *value, void *dest) {
        return guest_name_is_valid(value) ? free_and_strdup(dest, value) : -EINVAL;
}

/* What systemd takes for User= without a word (valid_user_group_name()), but no number: that might be anybody's. */
int value_user(const char *value, void *dest) {
        size_t n = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");

        if (value[n] != '\0' || n > USER_NAME_MAX || (!isalpha((unsigned char) value[0]) && value[0] != '_'))
                return -EINVAL;
        return free_and_strdup(dest, value);
}

int value_path(const char *value, void *dest) {
        return path_is_clean(value) ? free_and_strdup(dest, value) : -EINVAL;
}

int value_boolean(const char *value, void *dest) {
        return parse_boolean(value, dest);
}

int value_memory_size(const char *value, void *dest) {
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

/* The sizes that x86 has besides its ordinary 4 KiB. */
int value_huge_pages(const char *value, void *dest) {
        uint64_t size;
        bool yes;
        int r;

        if (parse_boolean(value, &yes) >= 0 && !yes) {
                *(uint64_t *) dest = 0;
                return 0;
        }
        r = parse_size(value, 2 * MIB, GIB, &size);
        if (r < 0)
                return r;
        if (size != 2 * MIB && size != GIB)
                return -EINVAL;
        *(uint64_t *) dest = size;
        return 0;
}

/* auto is 0 until the whole file has been read. */
int value_cpu_count(const char *value, void *dest) {
        if (streq(value, "auto"))
                return *(uint64_t *)dest = 0, 0;
        return parse_number(value, 1, GUEST_CPUS_MAX, dest);
}

/* It becomes part of an option of QEMU's, where a comma would begin a property. */
int value_cpu_model(const char *value, void *dest) {
        size_t n;

        if (streq(value, "host"))
                return free_and_strdup(dest, NULL);
        n = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");

        return n <= MODEL_MAX && value[n] == '\0' && isalpha((unsigned char)value[0]) ? free_and_strdup(dest, value)
                                                                                      : -EINVAL;
}

int value_cpu_topology(const char *value, void *dest) {
        _cleanup_(freep) char *copy = NULL;
        uint64_t numbers[3];
        char *p, *word;

        if (streq(value, "auto"))
                return *(GuestCpuTopology *)dest = (GuestCpuTopology){}, 0;
        p = copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                word = strsep(&p, ":");
                if (!word || parse_number(word, 1, GUEST_CPUS_MAX, &numbers[i]) < 0)
                        return -EINVAL;
        }
        if (p || numbers[0] * numbers[1] * numbers[2] > GUEST_CPUS_MAX)
                return -EINVAL;
        *(GuestCpuTopology *)dest =
                (GuestCpuTopology){ (unsigned) numbers[0], (unsigned) numbers[1], (unsigned) numbers[2] };
        return 0;
}

int value_cpu_pin(const char *value, void *dest) {
        GuestCpuPin pin = { .kind = CPU_PIN_AUTO };
        int r = 0;

        if (!streq(value, "auto")) {
                pin.kind = CPU_PIN_LIST;
                r = cpu_set_parse(value, &pin.list);
        }
        if (r >= 0)
                *(GuestCpuPin *)dest = pin;
        return r;
}

void value_reset_cpu_pin(void *dest) {
        *(GuestCpuPin *)dest = (GuestCpuPin){};
}

int value_cpu_priority(const char *value, void *dest) {
        static const char *const words[] = { "low", "normal", "high" }; /* as in CpuPriority */
        int r = find_word(value, words, ELEMENTSOF(words));

        if (r >= 0)
                *(CpuPriority *)dest = (CpuPriority)r;
        return r < 0 ? r : 0;
}

int value_os(const char *value, void *dest) {
        static const char *const words[] = { "linux", "windows", "other" }; /* as in GuestOs */
        int r = find_word(value, words, ELEMENTSOF(words));

        if (r >= 0)
                *(GuestOs *)dest = (GuestOs)r;
        return r < 0 ? r : 0;
}

int value_stop_timeout(const char *value, void *dest) {
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

int value_restart(const char *value, void *dest) {
        static const char *const words[] = { "no", "on-failure", "always" }; /* as in GuestRestart */
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(GuestRestart *) dest = (GuestRestart) r, 0);
}

int value_on_panic(const char *value, void *dest) {
        static const char *const words[] = { "ignore", "pause", "poweroff", "reset" }; /* as in GuestPolicy */
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(GuestPolicy *) dest = (GuestPolicy) r, 0);
}

int value_watchdog(const char *value, void *dest) {
        static const char *const words[] = { "no", "pause", "poweroff", "reset" }; /* as in GuestPolicy */
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(GuestPolicy *) dest = (GuestPolicy) r, 0);
}

/* QEMU's main loop may wait for a device's reset, or for a disk of the host that has to spin up first. */
int value_hang_timeout(const char *value, void *dest) {
        uint64_t usec;
        bool yes;
        int r;

        if (parse_boolean(value, &yes) >= 0 && !yes) {
                *(uint64_t *) dest = 0;
                return 0;
        }
        r = parse_time(value, &usec);
        if (r < 0)
                return r;
        if (usec < UINT64_C(10) * 1000000 || usec > UINT64_C(24) * 3600 * 1000000)
                return -ERANGE;
        *(uint64_t *) dest = usec;
        return 0;
}

int value_sleep(const char *value, void *dest) {
        bool inhibit = false;
        int r = streq(value, "auto") ? 0 : parse_boolean(value, &inhibit);

        if (r >= 0)
                *(GuestSleep *) dest = streq(value, "auto") ? GUEST_SLEEP_AUTO : inhibit ? GUEST_SLEEP_INHIBIT : GUEST_SLEEP_ALLOW;
        return r < 0 ? r : 0;
}

int value_firmware_type(const char *value, void *dest) {
        FirmwareType *type = dest;

        if (streq(value, "uefi"))
                *type = FIRMWARE_UEFI;
        else if (streq(value, "bios"))
                *type = FIRMWARE_BIOS;
        else
                return -EINVAL;
        return 0;
}

/* All zeros means in SMBIOS that there is none (7.2.1). */
int value_uuid(const char *value, void *dest) {
        char text[SD_ID128_UUID_STRING_MAX];
        sd_id128_t id;

        if (sd_id128_from_string(value, &id) < 0 || sd_id128_is_null(id))
                return -EINVAL;
        return free_and_strdup(dest, sd_id128_to_uuid_string(id, text));
}

/* The firmware reads MiB, wants whole GiB and takes 16 TiB at most (edk2, OvmfPkg/Library/PlatformInitLib). */
int value_mmio64(const char *value, void *dest) {
        uint64_t *size = dest;
        int r;

        if (streq(value, "auto"))
                return *size = MMIO64_AUTO, 0;
        if (streq(value, "no"))
                return *size = MMIO64_NO, 0;
        r = parse_size(value, GIB, 16 * 1024 * GIB, size);
        return r < 0 ? r : *size % GIB != 0 ? -EINVAL : 0;
}

int value_disk_size(const char *value, void *dest) {
        uint64_t size;
        int r = parse_size(value, MIB, 64 * 1024 * GIB, &size);

        if (r < 0)
                return r;
        if (size % MIB != 0)
                return -EINVAL;
        *(uint64_t *) dest = size;
        return 0;
}

void value_reset_number(void *dest) {
        *(uint64_t *) dest = 0;
}

int value_disk_format(const char *value, void *dest) {
        static const char *const words[] = { [DISK_RAW] = "raw", [DISK_QCOW2] = "qcow2" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(DiskFormat *) dest = (DiskFormat) r, 0);
}

void value_reset_disk_format(void *dest) {
        *(DiskFormat *) dest = DISK_FORMAT_UNSET;
}

int value_disk_bus(const char *value, void *dest) {
        static const char *const words[] = {
                [DISK_VIRTIO] = "virtio", [DISK_SCSI] = "scsi", [DISK_SATA] = "sata", [DISK_NVME] = "nvme",
        };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(DiskBus *) dest = (DiskBus) r, 0);
}

int value_disk_cache(const char *value, void *dest) {
        static const char *const words[] = {
                [DISK_WRITEBACK] = "writeback",   [DISK_NONE] = "none",     [DISK_WRITETHROUGH] = "writethrough",
                [DISK_DIRECTSYNC] = "directsync", [DISK_UNSAFE] = "unsafe",
        };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(DiskCache *) dest = (DiskCache) r, 0);
}

int value_boot_index(const char *value, void *dest) {
        return parse_number(value, 1, 999, dest);
}

int value_owner(const char *value, void *dest) {
        return parse_number(value, 1, UINT32_MAX - 1, dest);
}

/* What goes into QEMU's lists as it is, and what guests make names of nodes of. */
static int set_label(const char *value, size_t max, void *dest) {
        size_t n = strlen(value);

        if (n > max)
                return -ERANGE;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) value[i]) && !strchr("._-", value[i]))
                        return -EINVAL;
        return free_and_strdup(dest, value);
}

/* virtio-blk, ATA and NVMe have 20 bytes for it. */
int value_serial(const char *value, void *dest) {
        return set_label(value, DISK_SERIAL_MAX, dest);
}

/* virtio-fs has 36 bytes for it (virtio 1.2, 5.11.4). */
int value_tag(const char *value, void *dest) {
        return set_label(value, SHARE_TAG_MAX, dest);
}

int value_add_device(const char *value, void *dest) {
        GuestDevices *d = dest;
        DeviceSpec *spec;
        int r;

        if (d->n_specs >= GUEST_DEVICES_MAX)
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

void value_reset_devices(void *dest) {
        GuestDevices *d = dest;

        while (d->n_specs > 0)
                device_spec_done(&d->specs[--d->n_specs]);
        d->specs = (free(d->specs), NULL);
}

int value_add_pin(const char *value, void *dest) {
        GuestDevices *d = dest;
        DevicePin *pin;
        int r;

        if (d->n_pins >= GUEST_DEVICES_MAX)
                return -ERANGE;
        pin = ARRAY_GROW(d->pins, d->n_pins);
        if (!pin)
                return -ENOMEM;
        r = device_pin_parse(value, pin);
        if (r >= 0)
                d->n_pins++;
        return r;
}

void value_reset_pins(void *dest) {
        GuestDevices *d = dest;

        while (d->n_pins > 0)
                device_pin_done(&d->pins[--d->n_pins]);
        d->pins = (free(d->pins), NULL);
}

int value_binding(const char *value, void *dest) {
        if (!streq(value, "dynamic") && !streq(value, "static"))
                return -EINVAL;
        *(bool *) dest = streq(value, "static");
        return 0;
}

/* The methods the kernel knows, in drivers/pci/pci.c, pci_reset_fn_methods. */
int value_reset_method(const char *value, void *dest) {
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

int value_power_control(const char *value, void *dest) {
        return streq(value, "on") || streq(value, "auto") ? free_and_strdup(dest, value) : -EINVAL;
}

int value_d3cold(const char *value, void *dest) {
        bool allowed;
        int r = parse_boolean(value, &allowed);

        return r < 0 ? r : free_and_strdup(dest, allowed ? "1" : "0");
}

/* The sizes a resizable BAR can have are powers of two from 1 MiB up (PCI Express, 7.8.6). */
int value_bar_size(const char *value, void *dest) {
        uint64_t size;
        int r = parse_size(value, MIB, 512 * GIB, &size);

        if (r < 0)
                return r;
        if ((size & (size - 1)) != 0)
                return -EINVAL;
        *(uint64_t *) dest = size;
        return 0;
}

void value_reset_bar_size(void *dest) {
        *(uint64_t *) dest = 0;
}

/* Several may stand in one line, as in After=. */
int value_add_stop_units(const char *value, void *dest) {
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

void value_reset_stop_units(void *dest) {
        Guest *g = dest;

        g->stop_units = strings_free(g->stop_units, g->n_stop_units);
        g->n_stop_units = 0;
}

int value_network_type(const char *value, void *dest) {
        static const char *const words[] = { [NETWORK_NAT] = "nat", [NETWORK_HOST] = "host",
                [NETWORK_BRIDGE] = "bridge", [NETWORK_NONE] = "none" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(NetworkType *) dest = (NetworkType) r, 0);
}

/* The kernel takes more (dev_valid_name()), but nobody names a bridge so; and what is no name must not become a
 * path. */
int value_interface(const char *value, void *dest) {
        size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

        if (value[n] != '\0' || !isalpha((unsigned char) value[0]))
                return -EINVAL;
        return n >= TAP_NAME_SIZE ? -ERANGE : free_and_strdup(dest, value);
}

int value_mac(const char *value, void *dest) {
        char mac[MAC_TEXT_SIZE];
        int r = mac_parse(value, mac);

        return r < 0 ? r : free_and_strdup(dest, mac);
}

int value_network_model(const char *value, void *dest) {
        static const char *const words[] = { [NETWORK_VIRTIO] = "virtio", [NETWORK_E1000E] = "e1000e" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(NetworkModel *) dest = (NetworkModel) r, 0);
}

int value_add_forward(const char *value, void *dest) {
        GuestNetwork *n = dest;
        Forward *forward;
        int r;

        if (n->n_forwards >= GUEST_FORWARDS_MAX)
                return -ERANGE;
        forward = ARRAY_GROW(n->forwards, n->n_forwards);
        if (!forward)
                return -ENOMEM;
        r = forward_parse(value, forward);
        if (r >= 0)
                n->n_forwards++;
        return r;
}

void value_reset_forwards(void *dest) {
        GuestNetwork *n = dest;

        n->forwards = (free(n->forwards), NULL);
        n->n_forwards = 0;
}

int value_port(const char *value, void *dest) {
        return parse_number(value, 1, 65535, dest);
}

void value_reset_port(void *dest) {
        *(uint64_t *) dest = 0;
}

int value_display(const char *value, void *dest) {
        bool on;

        if (parse_boolean(value, &on) < 0)
                return parse_number(value, DISPLAY_PORT_MIN, 65535, dest);
        *(uint64_t *) dest = on ? DISPLAY_SOCKET : DISPLAY_NO;
        return 0;
}

int value_display_model(const char *value, void *dest) {
        static const char *const words[] = { [DISPLAY_VIRTIO] = "virtio", [DISPLAY_QXL] = "qxl", [DISPLAY_VGA] = "vga",
                [DISPLAY_NONE] = "none" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(DisplayModel *) dest = (DisplayModel) r, 0);
}

/* Ids can be named several times, for several devices of a kind; a port has one. */
static int add_usb(Guest *g, const UsbSpec *spec) {
        UsbSpec *slot;

        for (size_t i = 0; spec->by_port && i < g->n_usb; i++)
                if (usb_spec_equal(&g->usb[i], spec))
                        return 0;
        if (g->n_usb >= GUEST_USB_MAX)
                return -ERANGE;
        slot = ARRAY_GROW(g->usb, g->n_usb);
        if (!slot)
                return -ENOMEM;
        *slot = *spec;
        g->n_usb++;
        return 0;
}

int value_add_usb(const char *value, void *dest) {
        _cleanup_(freep) char *copy = strdup(value);
        char *state;
        int r = 0;

        if (!copy)
                return -ENOMEM;
        for (char *word = strtok_r(copy, " \t", &state); r >= 0 && word; word = strtok_r(NULL, " \t", &state)) {
                UsbSpec spec;

                r = usb_spec_parse(word, &spec);
                r = r < 0 ? r : add_usb(dest, &spec);
        }
        return r;
}

void value_reset_usb(void *dest) {
        Guest *g = dest;

        g->usb = (free(g->usb), NULL);
        g->n_usb = 0;
}

/* One a line: names have spaces. */
int value_add_input(const char *value, void *dest) {
        InputSpec *slot, spec = {};
        Guest *g = dest;
        int r = input_spec_parse(value, &spec);

        for (size_t i = 0; r >= 0 && i < g->n_inputs; i++)
                if (input_spec_equal(&g->inputs[i], &spec))
                        return input_spec_done(&spec), 0;
        if (r >= 0 && g->n_inputs >= GUEST_INPUTS_MAX)
                r = -ERANGE;
        slot = r < 0 ? NULL : ARRAY_GROW(g->inputs, g->n_inputs);
        if (!slot) {
                input_spec_done(&spec);
                return r < 0 ? r : -ENOMEM;
        }
        *slot = spec;
        g->n_inputs++;
        return 0;
}

void value_reset_inputs(void *dest) {
        Guest *g = dest;

        for (size_t i = 0; i < g->n_inputs; i++)
                input_spec_done(&g->inputs[i]);
        g->inputs = (free(g->inputs), NULL);
        g->n_inputs = 0;
}

int value_input_toggle(const char *value, void *dest) {
        return input_toggle_parse(value, dest);
}

int value_netjack_server(const char *value, void *dest) {
        static const char *const words[] = { [NETJACK_AUTO] = "auto", [NETJACK_PIPEWIRE] = "pipewire", [NETJACK_JACK] = "jack" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(NetJackServer *) dest = (NetJackServer) r, 0);
}

int value_netjack_port(const char *value, void *dest) {
        return parse_number(value, NETJACK_PORT_MIN, 65535, dest);
}

int value_ipv4(const char *value, void *dest) {
        struct in_addr address;

        if (inet_pton(AF_INET, value, &address) != 1)
                return -EINVAL;
        memset(dest, 0, IPV4_TEXT_SIZE);
        return inet_ntop(AF_INET, &address, dest, IPV4_TEXT_SIZE) ? 0 : -EINVAL;
}

int value_netjack_frames(const char *value, void *dest) {
        uint64_t frames;
        int r = parse_number(value, NETJACK_FRAMES_MIN, NETJACK_FRAMES_MAX, &frames);

        if (r < 0)
                return r;
        return (frames & (frames - 1)) != 0 ? -EINVAL : (*(uint64_t *) dest = frames, 0);
}

int value_netjack_rate(const char *value, void *dest) {
        return parse_number(value, NETJACK_RATE_MIN, NETJACK_RATE_MAX, dest);
}

/* “2”, or “2 4”: from the host, to the host. */
int value_netjack_channels(const char *value, void *dest) {
        const char *space = strchr(value, ' ');
        char first[8] = {};
        uint64_t in, out;
        int r;

        if (space && (size_t) (space - value) >= sizeof first)
                return -ERANGE;
        if (space)
                memcpy(first, value, (size_t) (space - value));
        r = parse_number(space ? first : value, 0, NETJACK_CHANNELS_MAX, &in);
        r = r < 0 ? r : space ? parse_number(space + strspn(space, " "), 0, NETJACK_CHANNELS_MAX, &out) : (out = in, 0);
        if (r < 0)
                return r;
        if (in + out == 0)
                return -EINVAL;
        *(NetJackChannels *) dest = (NetJackChannels){ (unsigned) in, (unsigned) out };
        return 0;
}

/* The memory that Looking Glass needs for a resolution: two frames of four bytes a pixel, and 10 MiB, rounded up to a power of two
 * (https://looking-glass.io/docs/B7/ivshmem/, “Determining memory”). */
static int frames_of_resolution(char *width_text, const char *height_text, uint64_t *ret) {
        uint64_t width, height, needed, size = LOOKING_GLASS_MIN;

        if (parse_number(width_text, 320, 32768, &width) < 0 || parse_number(height_text, 200, 32768, &height) < 0)
                return -EINVAL;
        needed = width * height * 4 * 2 + 10 * MIB;
        while (size < needed)
                size *= 2;
        if (size > LOOKING_GLASS_MAX)
                return -ERANGE;
        *ret = size;
        return 0;
}

/* PCI has BARs of powers of two only, and so has ivshmem. */
int value_looking_glass(const char *value, void *dest) {
        _cleanup_(freep) char *copy = strdup(value);
        char *height = copy ? strchr(copy, 'x') : NULL;
        uint64_t size;
        bool yes;
        int r;

        if (!copy)
                return -ENOMEM;
        if (parse_boolean(value, &yes) >= 0 && !yes) {
                *(uint64_t *) dest = 0;
                return 0;
        }
        if (height) {
                *height++ = '\0';
                return frames_of_resolution(copy, height, dest);
        }
        r = parse_size(value, LOOKING_GLASS_MIN, LOOKING_GLASS_MAX, &size);
        if (r < 0)
                return r;
        if ((size & (size - 1)) != 0)
                return -EINVAL;
        *(uint64_t *) dest = size;
        return 0;
}

int value_audio_backend(const char *value, void *dest) {
        static const char *const words[] = { [AUDIO_NONE] = "none", [AUDIO_AUTO] = "auto", [AUDIO_PIPEWIRE] = "pipewire",
                [AUDIO_PULSEAUDIO] = "pulseaudio", [AUDIO_JACK] = "jack", [AUDIO_ALSA] = "alsa", [AUDIO_SPICE] = "spice" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(AudioBackend *) dest = (AudioBackend) r, 0);
}

void value_reset_audio_backend(void *dest) {
        *(AudioBackend *) dest = AUDIO_NONE;
}

int value_audio_device(const char *value, void *dest) {
        return strlen(value) > AUDIO_DEVICE_MAX ? -ERANGE : value_text(value, dest);
}

int value_audio_model(const char *value, void *dest) {
        static const char *const words[] = { [AUDIO_HDA] = "ich9-intel-hda", [AUDIO_USB] = "usb-audio",
                [AUDIO_VIRTIO] = "virtio-sound" };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(AudioModel *) dest = (AudioModel) r, 0);
}

int value_latency(const char *value, void *dest) {
        uint64_t latency;
        int r = parse_time(value, &latency);

        if (r < 0)
                return r;
        if (latency < 1000 || latency > 1000 * 1000)
                return -ERANGE;
        *(uint64_t *) dest = latency;
        return 0;
}

/* A connector of any card may be meant: cards change their numbers. */
static bool connector_is_valid(const char *text) {
        return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* What an EDID can say: printable ASCII (VESA E-EDID 1.4, 3.10.3). */
static bool edid_text_is_valid(const char *text) {
        for (const char *p = text; *p; p++)
                if (*p < ' ' || *p > '~')
                        return false;
        return true;
}

int value_monitor_match(const char *value, void *dest) {
        static const char *const words[] = { [MONITOR_MODEL] = "model:", [MONITOR_SERIAL] = "serial:",
                [MONITOR_CONNECTOR] = "connector:" };
        MonitorMatch match = {};
        const char *text = NULL;

        if (!streq(value, "auto"))
                for (size_t i = MONITOR_MODEL; !text && i < ELEMENTSOF(words); i++) {
                        text = startswith(value, words[i]);
                        match.kind = (MonitorMatchKind) i;
                }
        if (!text && !streq(value, "auto"))
                return -EINVAL;
        if (text) {
                text += strspn(text, " ");
                if (!*text || !(match.kind == MONITOR_CONNECTOR ? connector_is_valid(text) : edid_text_is_valid(text)))
                        return -EINVAL;
                if (strlen(text) > MONITOR_TEXT_MAX)
                        return -ERANGE;
                memcpy(match.text, text, strlen(text));
        }
        *(MonitorMatch *) dest = match;
        return 0;
}

int value_monitor_input(const char *value, void *dest) {
        return monitor_input_parse(value, dest);
}

void value_reset_monitor_input(void *dest) {
        *(GuestInput *) dest = (GuestInput){};
}

int value_url(const char *value, void *dest) {
        return url_is_clean(value) ? free_and_strdup(dest, value) : -EINVAL;
}

int value_sha256(const char *value, void *dest) {
        char digits[SHA256_TEXT_SIZE] = {};

        if (strlen(value) != SHA256_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < SHA256_TEXT_SIZE - 1; i++) {
                if (!isxdigit((unsigned char) value[i]))
                        return -EINVAL;
                digits[i] = (char) tolower((unsigned char) value[i]);
        }
        memcpy(dest, digits, sizeof digits);
        return 0;
}

void value_reset_sha256(void *dest) {
        memset(dest, 0, SHA256_TEXT_SIZE);
}

int value_unpack(const char *value, void *dest) {
        static const char *const words[] = {
                [DOWNLOAD_AS_IS] = "no", [DOWNLOAD_GZIP] = "gzip", [DOWNLOAD_XZ] = "xz", [DOWNLOAD_TAR] = "tar",
        };
        int r = find_word(value, words, ELEMENTSOF(words));

        return r < 0 ? r : (*(DownloadUnpack *) dest = (DownloadUnpack) r, 0);
}
