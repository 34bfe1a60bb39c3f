/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of guest file sections, and that of their keys. */

#include "guest-keys.h"
#include "guest-values.h"

#define GUEST(field) .offset = offsetof(Guest, field)
#define DISK(field) .offset = offsetof(GuestDisk, field)
#define SHARE(field) .offset = offsetof(GuestShare, field)
#define DEVICES(field) .offset = offsetof(GuestDevices, field)

#define EXPECTS_DEVICE                                                                                                     \
        "a PCI address such as 01:00.0, ids such as 1002:73bf, or part of a name such as RX 6800 (see vxm list-gpus)"
#define DEVICE_KEYS(section)                                                                                               \
        { section, "Recorded", value_add_pin, value_reset_pins, 0, NULL, "what vxm-bind --record writes" },                          \
        { section, "Binding", value_binding, NULL, DEVICES(binding_static), "dynamic", "dynamic or static" },              \
        { section, "ResetMethod", value_reset_method, NULL, DEVICES(reset_method), NULL,                                  \
                "one or several of device_specific, acpi, flr, af_flr, pm, bus and cxl_bus" },                             \
        { section, "PowerControl", value_power_control, NULL, DEVICES(power_control), NULL, "on or auto" },                \
        { section, "D3Cold", value_d3cold, NULL, DEVICES(d3cold), NULL, "yes or no" },                                     \
        { section, "BarSize", value_bar_size, value_reset_bar_size, DEVICES(bar_size), NULL,                                    \
                "a power of two from 1M to 512G, such as 16G" },                                                           \
        { section, "RomFile", value_path, NULL, DEVICES(rom_file), NULL, "an absolute path" }

#define NETWORK(field) .offset = offsetof(GuestNetwork, field)
#define MONITOR(field) .offset = offsetof(GuestMonitor, field)

#define DOWNLOAD(field) .offset = offsetof(GuestDownload, field)
#define EXPECTS_URL "an address such as https://example.org/file, at most 1024 characters"

#define EXPECTS_INPUT "hdmi-1, hdmi-2, dp-1, dp-2, usb-c, dvi-1, vga-1, or the monitor's own value from 0x01 to 0xff"

#define LIST(type, list, length, most)                                                                                     \
        .size = sizeof(type), .items = offsetof(Guest, list), .n = offsetof(Guest, length), .max = (most)

static bool is_gpu(const void *item) {
        return ((const GuestDevices *) item)->gpu;
}

static bool is_pci(const void *item) {
        return !is_gpu(item);
}

static void make_gpu(void *item) {
        ((GuestDevices *) item)->gpu = true;
}

static bool is_cdrom(const void *item) {
        return ((const GuestDisk *) item)->cdrom;
}

static bool is_disk(const void *item) {
        return !is_cdrom(item);
}

static void make_cdrom(void *item) {
        GuestDisk *d = item;

        *d = (GuestDisk){ .cdrom = true, .format = DISK_RAW, .bus = DISK_SATA, .read_only = true };
}

const GuestSection guest_sections[] = {
        { "Guest" },
        { "Memory" },
        { "CPU" },
        { "Firmware" },
        { "TPM" },
        { "Boot" },
        { "GPU", NAME_OPTIONAL, LIST(GuestDevices, devices, n_devices, GUEST_DEVICES_MAX), is_gpu, make_gpu,
                "sections of devices" },
        { "PCI", NAME_OPTIONAL, LIST(GuestDevices, devices, n_devices, GUEST_DEVICES_MAX), is_pci, NULL, "sections of devices" },
        { "Disk", NAME_REQUIRED, LIST(GuestDisk, disks, n_disks, GUEST_DISKS_MAX), is_disk, NULL, "disks" },
        { "CDROM", NAME_REQUIRED, LIST(GuestDisk, disks, n_disks, GUEST_DISKS_MAX), is_cdrom, make_cdrom, "disks" },
        { "Share", NAME_REQUIRED, LIST(GuestShare, shares, n_shares, GUEST_SHARES_MAX), .plural = "shares" },
        { "Network", NAME_REQUIRED, LIST(GuestNetwork, networks, n_networks, GUEST_NETWORKS_MAX), .plural = "networks" },
        { "Display" },
        { "USB" },
        { "Input" },
        { "NetJack" },
        { "Audio" },
        { "Monitor", NAME_OPTIONAL, LIST(GuestMonitor, monitors, n_monitors, GUEST_MONITORS_MAX), .plural = "monitors" },
        { "Download", NAME_REQUIRED, LIST(GuestDownload, downloads, n_downloads, GUEST_DOWNLOADS_MAX), .plural = "downloads" },
};
const size_t n_guest_sections = ELEMENTSOF(guest_sections);

const GuestKey guest_keys[] = {
        { "Guest", "Description", value_text, NULL, GUEST(description), NULL, "at most 2048 characters, no backslash at the end" },
        { "Guest", "Preset", value_name, NULL, GUEST(preset), NULL, "the name of a preset, such as demo" },
        { "Guest", "StopTimeout", value_stop_timeout, NULL, GUEST(stop_timeout), "2min",
                "a time from 1s to 24h, such as 90s or 2min" },
        { "Guest", "UUID", value_uuid, NULL, GUEST(uuid), NULL, "a UUID such as 6f1c3a2e-4b5d-4c6e-8f70-91a2b3c4d5e6" },
        { "Guest", "User", value_user, NULL, GUEST(user), NULL, "the name of a user of this machine, such as anna" },
        { "Guest", "OS", value_os, NULL, GUEST(os), "other", "linux, windows or other" },
        { "Guest", "Restart", value_restart, NULL, GUEST(restart), "no", "no, on-failure or always" },
        { "Guest", "OnPanic", value_on_panic, NULL, GUEST(on_panic), "poweroff", "poweroff, pause, reset or ignore" },
        { "Guest", "Watchdog", value_watchdog, NULL, GUEST(watchdog), "no", "no, poweroff, pause or reset" },
        { "Guest", "HangTimeout", value_hang_timeout, NULL, GUEST(hang_timeout), "2min",
                "no, or a time from 10s to 24h, such as 30s or 5min" },
        { "Guest", "InhibitSleep", value_sleep, NULL, GUEST(sleep), "auto", "yes, no or auto" },
        { "Memory", "Size", value_memory_size, NULL, GUEST(memory_size), "2G",
                "a size of at least 16M in steps of 2M, such as 512M or 16G" },
        { "Memory", "HugePages", value_huge_pages, NULL, GUEST(huge_page_size), "no", "no, 2M or 1G" },
        { "Memory", "Balloon", value_boolean, NULL, GUEST(balloon), "no", "yes or no" },
        { "Memory", "Lock", value_boolean, NULL, GUEST(memory_lock), "no", "yes or no" },
        { "CPU", "Count", value_cpu_count, NULL, GUEST(cpu_count), "auto", "a number from 1 to 255, or auto" },
        { "CPU", "Model", value_cpu_model, NULL, GUEST(cpu_model), "host", "host, or a name that QEMU knows, such as EPYC-Milan" },
        { "CPU", "Topology", value_cpu_topology, NULL, GUEST(cpu_topology), "auto", "SOCKETS:CORES:THREADS such as 1:4:2, or auto" },
        { "CPU", "Pin", value_cpu_pin, value_reset_cpu_pin, GUEST(cpu_pin), NULL, "CPUs of the host such as 2-5,10-13, or auto" },
        { "CPU", "Isolate", value_boolean, NULL, GUEST(cpu_isolate), "no", "yes or no" },
        { "CPU", "Priority", value_cpu_priority, NULL, GUEST(cpu_priority), "normal", "low, normal or high" },
        { "CPU", "Realtime", value_boolean, NULL, GUEST(cpu_realtime), "no", "yes or no" },
        { "CPU", "HideHypervisor", value_boolean, NULL, GUEST(hide_hypervisor), "no", "yes or no" },
        { "Firmware", "Type", value_firmware_type, NULL, GUEST(firmware), "uefi", "uefi or bios" },
        { "Firmware", "SecureBoot", value_boolean, NULL, GUEST(secure_boot), "no", "yes or no" },
        { "Firmware", "EnrolledKeys", value_boolean, NULL, GUEST(enrolled_keys), "yes", "yes or no" },
        { "Firmware", "Code", value_path, NULL, GUEST(firmware_code), NULL, "an absolute path" },
        { "Firmware", "Vars", value_path, NULL, GUEST(firmware_vars), NULL, "an absolute path" },
        { "Firmware", "PciMmio64", value_mmio64, NULL, GUEST(mmio64), "auto",
                "auto, no, or a size from 1G to 16T in steps of 1G, such as 64G" },
        { "TPM", "Enable", value_boolean, NULL, GUEST(tpm), "no", "yes or no" },
        { "Boot", "Kernel", value_path, NULL, GUEST(kernel), NULL, "an absolute path" },
        { "Boot", "Initrd", value_path, NULL, GUEST(initrd), NULL, "an absolute path" },
        { "Boot", "CommandLine", value_text, NULL, GUEST(command_line), NULL, "at most 2048 characters, no backslash at the end" },
        { "GPU", "Device", value_add_device, value_reset_devices, 0, NULL, EXPECTS_DEVICE ", or auto; 16 devices at most" },
        { "GPU", "SingleGpu", value_boolean, NULL, GUEST(single_gpu), "no", "yes or no", true },
        { "GPU", "StopUnits", value_add_stop_units, value_reset_stop_units, 0, NULL, "names of units such as ollama.service, no templates", true },
        DEVICE_KEYS("GPU"),
        { "PCI", "Device", value_add_device, value_reset_devices, 0, NULL, EXPECTS_DEVICE "; 16 devices at most" },
        DEVICE_KEYS("PCI"),
        { "Disk", "Path", value_path, NULL, DISK(path), NULL, "an absolute path" },
        { "Disk", "Size", value_disk_size, value_reset_number, DISK(size), NULL,
                "a size from 1M to 64T in steps of 1M, such as 64G" },
        { "Disk", "Format", value_disk_format, value_reset_disk_format, DISK(format), NULL, "raw or qcow2" },
        { "Disk", "Bus", value_disk_bus, NULL, DISK(bus), "virtio", "virtio, scsi, sata or nvme" },
        { "Disk", "Cache", value_disk_cache, NULL, DISK(cache), "writeback",
                "writeback, none, writethrough, directsync or unsafe" },
        { "Disk", "ReadOnly", value_boolean, NULL, DISK(read_only), "no", "yes or no" },
        { "Disk", "BootIndex", value_boot_index, value_reset_number, DISK(boot_index), NULL, "a number from 1 to 999" },
        { "Disk", "Discard", value_boolean, NULL, DISK(discard), "yes", "yes or no" },
        { "Disk", "Serial", value_serial, NULL, DISK(serial), NULL, "1 to 20 of A-Z, a-z, 0-9, “.”, “_” and “-”" },
        { "CDROM", "Path", value_path, NULL, DISK(path), NULL, "an absolute path" },
        { "CDROM", "BootIndex", value_boot_index, value_reset_number, DISK(boot_index), NULL, "a number from 1 to 999" },
        { "Share", "Path", value_path, NULL, SHARE(path), NULL, "an absolute path" },
        { "Share", "Tag", value_tag, NULL, SHARE(tag), NULL, "1 to 36 of A-Z, a-z, 0-9, “.”, “_” and “-”" },
        { "Share", "ReadOnly", value_boolean, NULL, SHARE(read_only), "no", "yes or no" },
        { "Share", "Owner", value_owner, value_reset_number, SHARE(owner), NULL, "a user's number from 1 to 4294967294, such as 1000" },
        { "Network", "Type", value_network_type, NULL, NETWORK(type), "nat", "nat, host, bridge or none" },
        { "Network", "Bridge", value_interface, NULL, NETWORK(bridge), NULL, "the name of a bridge such as br0, at most 15 characters" },
        { "Network", "MAC", value_mac, NULL, NETWORK(mac), NULL, "an address of one card such as 52:54:00:12:34:56" },
        { "Network", "Model", value_network_model, NULL, NETWORK(model), "virtio", "virtio or e1000e" },
        { "Network", "Forward", value_add_forward, value_reset_forwards, 0, NULL,
                "[ADDRESS:]HOST:GUEST[/tcp|/udp] with ports from 1 to 65535, such as 8080:80; 64 at most" },
        { "Network", "SSH", value_port, value_reset_port, NETWORK(ssh), NULL, "a port of the host, from 1 to 65535, such as 2222" },
        { "Display", "SPICE", value_display, NULL, GUEST(spice), "no", "yes, no, or a port from 1024 to 65535, such as 5930" },
        { "Display", "VNC", value_display, NULL, GUEST(vnc), "no", "yes, no, or a port from 1024 to 65535, such as 5900" },
        { "Display", "Model", value_display_model, NULL, GUEST(display_model), "virtio", "virtio, qxl, vga or none" },
        { "Display", "LookingGlass", value_looking_glass, NULL, GUEST(looking_glass), "no",
                "no, a power of two from 16M to 1G such as 32M, or a resolution such as 2560x1440" },
        { "Display", "LookingGlassUser", value_user, NULL, GUEST(looking_glass_user), NULL,
                "the name of a user of this machine, such as anna" },
        { "Audio", "Backend", value_audio_backend, value_reset_audio_backend, GUEST(audio.backend), NULL,
                "none, auto, pipewire, pulseaudio, jack, alsa or spice" },
        { "Audio", "Device", value_audio_device, NULL, GUEST(audio.device), NULL, "at most 256 characters, no backslash at the end" },
        { "Audio", "Model", value_audio_model, NULL, GUEST(audio.model), "ich9-intel-hda",
                "ich9-intel-hda, usb-audio or virtio-sound" },
        { "Audio", "Microphone", value_boolean, NULL, GUEST(audio.microphone), "no", "yes or no" },
        { "Audio", "Latency", value_latency, value_reset_number, GUEST(audio.latency), NULL, "a time from 1ms to 1s, such as 20ms" },
        { "Monitor", "Match", value_monitor_match, NULL, MONITOR(match), "auto",
                "auto, model:TEXT, serial:TEXT or connector:NAME such as connector:card1-HDMI-A-1 (see vxm-ddc --probe)" },
        { "Monitor", "GuestInput", value_monitor_input, value_reset_monitor_input, MONITOR(guest_input), NULL, EXPECTS_INPUT },
        { "Monitor", "HostInput", value_monitor_input, value_reset_monitor_input, MONITOR(host_input), NULL, EXPECTS_INPUT },
        { "Monitor", "Force", value_boolean, NULL, MONITOR(force), "no", "yes or no" },
        { "USB", "Device", value_add_usb, value_reset_usb, 0, NULL,
                "ids such as 046d:c52b or a port such as 1-4.2, several with spaces between, 15 at most (see lsusb and lsusb -t)" },
        { "Input", "Devices", value_add_input, value_reset_inputs, 0, NULL,
                "auto, a device's name, or a link such as /dev/input/by-id/usb-Maker_Keyboard-event-kbd (nodes such as event3 are others "
                "after the next boot); 16 at most" },
        { "Input", "Toggle", value_input_toggle, NULL, GUEST(input_toggle), "ctrl-ctrl",
                "ctrl-ctrl, alt-alt, shift-shift, meta-meta, scrolllock or ctrl-scrolllock" },
        { "Input", "GrabAll", value_boolean, NULL, GUEST(input_grab_all), "yes", "yes or no" },
        { "Input", "InhibitIdle", value_boolean, NULL, GUEST(input_inhibit_idle), "yes", "yes or no" },
        { "Input", "Repeat", value_boolean, NULL, GUEST(input_repeat), "yes", "yes or no" },
        { "NetJack", "Enable", value_boolean, NULL, GUEST(netjack.enable), "no", "yes or no" },
        { "NetJack", "Server", value_netjack_server, NULL, GUEST(netjack.server), "auto", "auto, pipewire or jack" },
        { "NetJack", "Port", value_netjack_port, NULL, GUEST(netjack.port), "19000", "a port from 1024 to 65535, such as 19000" },
        { "NetJack", "Address", value_ipv4, NULL, GUEST(netjack.address), "225.3.19.154", "an IPv4 address such as 225.3.19.154" },
        { "NetJack", "Frames", value_netjack_frames, NULL, GUEST(netjack.frames), "256", "a power of two from 16 to 8192, such as 128" },
        { "NetJack", "Rate", value_netjack_rate, NULL, GUEST(netjack.rate), "48000", "frames a second from 8000 to 192000, such as 96000" },
        { "NetJack", "Channels", value_netjack_channels, NULL, GUEST(netjack.channels), "2",
                "channels in each direction, or in and out, from 0 to 64, such as 2 or 2 4" },
        { "Download", "URL", value_url, NULL, DOWNLOAD(url), NULL, EXPECTS_URL },
        { "Download", "SHA256", value_sha256, value_reset_sha256, DOWNLOAD(sha256), NULL, "64 hexadecimal digits" },
        { "Download", "Checksums", value_url, NULL, DOWNLOAD(checksums), NULL, EXPECTS_URL },
        { "Download", "Unpack", value_unpack, NULL, DOWNLOAD(unpack), "no", "no, gzip, xz or tar" },
        { "Download", "Format", value_disk_format, NULL, DOWNLOAD(format), "qcow2", "raw or qcow2" },
        { "Download", "Disk", value_name, NULL, DOWNLOAD(disk), NULL, "the name of a disk, such as system" },
        { "Download", "CDROM", value_name, NULL, DOWNLOAD(cdrom), NULL, "the name of a drive, such as drivers" },
        { "Download", "CloudInit", value_boolean, NULL, DOWNLOAD(cloud_init), "no", "yes or no" },
};
const size_t n_guest_keys = ELEMENTSOF(guest_keys);

bool guest_key_repeats(const GuestKey *k) {
        static int (*const lists[])(const char *value, void *dest) = {
                value_add_device, value_add_forward, value_add_input, value_add_pin, value_add_stop_units, value_add_usb,
        };

        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                if (k->parse == lists[i])
                        return true;
        return false;
}

const GuestKey *guest_key_find(const char *section, const char *key) {
        for (size_t i = 0; i < n_guest_keys; i++)
                if (streq(guest_keys[i].section, section) && streq(guest_keys[i].key, key))
                        return &guest_keys[i];
        return NULL;
}
