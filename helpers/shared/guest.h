/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The guest model: one struct for what a guest file says, parsed once by one table (guest-keys.c), read by all helpers.
 * Paths and addresses are as the user gave them; nothing here has looked at the machine. */

#include "cpu-set.h"
#include "device-pin.h"
#include "device-spec.h"
#include "forward.h"
#include "input-spec.h"
#include "usb-spec.h"

enum {
        GUEST_DEVICES_MAX = 16, /* sections of devices, and devices in each */
        GUEST_DISKS_MAX = 64,   /* [Disk] and [CDROM] together */
        GUEST_SHARES_MAX = 16,
        DISK_SERIAL_MAX = 20,
        SHARE_TAG_MAX = 36,
        GUEST_NETWORKS_MAX = 8,
        GUEST_FORWARDS_MAX = 64, /* of each network */
        GUEST_CPUS_MAX = 255,
        GUEST_INPUTS_MAX = 16,
        GUEST_USB_MAX = 15, /* the ports of each kind that the guest's controller has */
        GUEST_MONITORS_MAX = 8,
        GUEST_DOWNLOADS_MAX = 16,
        SHA256_TEXT_SIZE = 65, /* hexadecimal digits, and NUL */
        MONITOR_TEXT_MAX = 32, /* bytes; an EDID's strings have 13 */
};

/* Of Guest.mmio64, where it is no size. */
#define MMIO64_AUTO UINT64_C(0)
#define MMIO64_NO UINT64_MAX

typedef enum FirmwareType {
        FIRMWARE_UEFI,
        FIRMWARE_BIOS,
} FirmwareType;

typedef enum DiskFormat {
        DISK_FORMAT_UNSET, /* only until guest_load() has found out which */
        DISK_RAW,
        DISK_QCOW2,
} DiskFormat;

typedef enum DiskBus {
        DISK_VIRTIO,
        DISK_SCSI,
        DISK_SATA,
        DISK_NVME,
} DiskBus;

typedef enum DiskCache {
        DISK_WRITEBACK,
        DISK_NONE,
        DISK_WRITETHROUGH,
        DISK_DIRECTSYNC,
        DISK_UNSAFE,
} DiskCache;

/* [Disk NAME] or [CDROM NAME]. */
typedef struct GuestDisk {
        char *name; /* from the section */
        bool cdrom; /* from [CDROM]: always read-only, and on SATA */
        char *path; /* NULL: a drive with nothing in it */
        DiskFormat format;
        uint64_t size; /* bytes of an image that is to be made; 0: it has to be there */
        DiskBus bus;
        DiskCache cache;
        bool read_only;
        uint64_t boot_index; /* 0: after all that have one */
        bool discard;
        char *serial; /* NULL: goes by its name */
} GuestDisk;

/* [Share NAME]: a directory of the host in the guest, by virtiofs. */
typedef struct GuestShare {
        char *name;
        char *path;
        char *tag;
        bool read_only;
        uint64_t owner; /* the guest's user and group that all of it belongs to; 0: none does but those of the same number */
} GuestShare;

typedef enum NetworkType {
        NETWORK_NAT,    /* the host speaks for the guest, passt(1) */
        NETWORK_HOST,   /* the same, and nothing between the guest and the host */
        NETWORK_BRIDGE, /* a port of a bridge that is there */
        NETWORK_NONE,
} NetworkType;

typedef enum NetworkModel {
        NETWORK_VIRTIO,
        NETWORK_E1000E,
} NetworkModel;

typedef struct GuestNetwork {
        char *name; /* from the section, [Network NAME] */
        NetworkType type;
        NetworkModel model;
        char *bridge;
        char *mac; /* NULL: derived, see mac.h */
        Forward *forwards;
        size_t n_forwards;
        uint64_t ssh; /* a port of the host; 0: none */
} GuestNetwork;

/* How a picture can be looked at: not at all, by a socket that only the guest's user can open, or by that and a port
 * of the host's loopback address, which is the number itself. */
enum {
        DISPLAY_NO = 0,
        DISPLAY_SOCKET = 1,
        DISPLAY_PORT_MIN = 1024,
};

enum {
        NETJACK_PORT_MIN = 1024, /* those below are root's */
        NETJACK_FRAMES_MIN = 16,
        NETJACK_FRAMES_MAX = 8192,
        NETJACK_RATE_MIN = 8000,
        NETJACK_RATE_MAX = 192000,
        NETJACK_CHANNELS_MAX = 64, /* in each direction */
        IPV4_TEXT_SIZE = 16,       /* INET_ADDRSTRLEN */
};

typedef enum DisplayModel {
        DISPLAY_VIRTIO,
        DISPLAY_QXL,
        DISPLAY_VGA,
        DISPLAY_NONE, /* the GPU's picture alone, and somebody's keyboard and mouse by SPICE */
} DisplayModel;

typedef enum AudioBackend {
        AUDIO_NONE,
        AUDIO_AUTO, /* what the user's session has; else SPICE */
        AUDIO_PIPEWIRE,
        AUDIO_PULSEAUDIO,
        AUDIO_JACK,
        AUDIO_ALSA,
        AUDIO_SPICE,
} AudioBackend;

typedef enum AudioModel {
        AUDIO_HDA,
        AUDIO_USB,
        AUDIO_VIRTIO,
} AudioModel;

/* [Audio] */
typedef struct GuestAudio {
        AudioBackend backend;
        AudioModel model;
        char *device;     /* as the backend calls it; NULL: what it takes by itself */
        bool microphone;  /* the guest may record */
        uint64_t latency; /* µs; 0: as QEMU has it */
} GuestAudio;

typedef enum DownloadUnpack {
        DOWNLOAD_AS_IS,
        DOWNLOAD_GZIP,
        DOWNLOAD_XZ,
        DOWNLOAD_TAR, /* compressed or not: the first file in it */
} DownloadUnpack;

/* [Download NAME]: what `vxm init` fetches for a new guest. Nobody else does, and a guest that has been made never again. */
typedef struct GuestDownload {
        char *name;
        char *url; /* the last part of its path may have a “*”, if there is a list to tell what that stands for */
        char sha256[SHA256_TEXT_SIZE]; /* of what the URL sends; "": in the list */
        char *checksums;               /* the URL of that list */
        DownloadUnpack unpack;
        DiskFormat format; /* of the disk image in it */
        char *disk;        /* the name of the disk that begins as this … */
        char *cdrom;       /* … or of the drive that it goes into */
        bool cloud_init;   /* the system in it asks for a seed */
} GuestDownload;

/* [GPU], [GPU NAME], [PCI] or [PCI NAME]: devices, and how those are to be treated. The values that go into sysfs stand
 * as the kernel takes them; NULL leaves what is there. */
typedef struct GuestDevices {
        char *name; /* NULL: the section has none */
        bool gpu;   /* from [GPU]: whole cards; else from [PCI]: single functions */
        DeviceSpec *specs;
        size_t n_specs;
        DevicePin *pins;
        size_t n_pins;
        bool binding_static; /* bound at boot, and never given back */
        char *reset_method;
        char *power_control;
        char *d3cold;
        uint64_t bar_size; /* bytes; 0: leave it */
        char *rom_file;
} GuestDevices;

/* What the guest runs, as far as it matters to the hardware it sees. */
typedef enum GuestOs {
        GUEST_OS_LINUX,
        GUEST_OS_WINDOWS,
        GUEST_OS_OTHER,
} GuestOs;

/* What is done to a guest whose system has panicked, or hangs. */
typedef enum GuestPolicy {
        GUEST_POLICY_NONE,
        GUEST_POLICY_PAUSE,
        GUEST_POLICY_POWEROFF,
        GUEST_POLICY_RESET,
} GuestPolicy;

/* When a guest that has ended is started again, as systemd's Restart= has it. */
typedef enum GuestRestart {
        GUEST_RESTART_NO,
        GUEST_RESTART_ON_FAILURE,
        GUEST_RESTART_ALWAYS,
} GuestRestart;

typedef enum GuestSleep {
        GUEST_SLEEP_AUTO, /* of the host: not while the guest has devices */
        GUEST_SLEEP_INHIBIT,
        GUEST_SLEEP_ALLOW,
} GuestSleep;

typedef enum CpuPinKind {
        CPU_PIN_NONE,
        CPU_PIN_LIST,
        CPU_PIN_AUTO, /* chosen when the guest starts */
} CpuPinKind;

typedef struct GuestCpuPin {
        CpuPinKind kind;
        CpuSet list;
} GuestCpuPin;

/* All 0: as the host has them, or one thread a core. */
typedef struct GuestCpuTopology {
        unsigned sockets, cores, threads;
} GuestCpuTopology;

typedef enum CpuPriority {
        CPU_PRIORITY_LOW,
        CPU_PRIORITY_NORMAL,
        CPU_PRIORITY_HIGH,
} CpuPriority;

/* Which program is the host's end of NETJACK. */
typedef enum NetJackServer {
        NETJACK_AUTO, /* PipeWire, where the guest's user has a session with it; else JACK */
        NETJACK_PIPEWIRE,
        NETJACK_JACK,
} NetJackServer;

/* As the guest counts them: in is from the host. */
typedef struct NetJackChannels {
        unsigned in, out;
} NetJackChannels;

/* [NetJack]: JACK's sound over the network between guest and host. */
typedef struct GuestNetJack {
        bool enable;
        NetJackServer server;
        uint64_t port;
        char address[IPV4_TEXT_SIZE]; /* the group that the guest announces itself to, or the host's own */
        uint64_t frames; /* in a period */
        uint64_t rate;   /* frames a second */
        NetJackChannels channels;
} GuestNetJack;

/* The inputs of monitors that have names; which value stands for one is the monitor's business, see monitor-quirk.h. */
typedef enum MonitorInput {
        MONITOR_INPUT_UNSET,
        MONITOR_INPUT_HDMI_1,
        MONITOR_INPUT_HDMI_2,
        MONITOR_INPUT_DP_1,
        MONITOR_INPUT_DP_2,
        MONITOR_INPUT_USB_C,
        MONITOR_INPUT_DVI_1,
        MONITOR_INPUT_VGA_1,
        MONITOR_INPUT_VALUE, /* as the monitor counts */
        MONITOR_INPUTS,
} MonitorInput;

typedef struct GuestInput {
        MonitorInput name;
        uint8_t value; /* of MONITOR_INPUT_VALUE */
} GuestInput;

typedef enum MonitorMatchKind {
        MONITOR_AUTO, /* the only one there is */
        MONITOR_MODEL,
        MONITOR_SERIAL,
        MONITOR_CONNECTOR,
} MonitorMatchKind;

typedef struct MonitorMatch {
        MonitorMatchKind kind;
        char text[MONITOR_TEXT_MAX + 1];
} MonitorMatch;

/* [Monitor] or [Monitor NAME]: one that shows the guest while that runs. */
typedef struct GuestMonitor {
        char *name; /* NULL: the section has none */
        MonitorMatch match;
        GuestInput guest_input; /* that the guest's GPU is plugged into */
        GuestInput host_input;  /* UNSET: the one that it shows before */
        bool force;             /* try an input that the monitor says it has not */
} GuestMonitor;

typedef struct Guest {
        char *name;
        char *file; /* the guest file's path below the root, with a leading slash */

        char *description;
        char *preset;
        char *uuid; /* as 8-4-4-4-12 hexadecimal digits; NULL: made of the machine's and the guest's name */
        char *user; /* who it runs as; never NULL once the guest is loaded: vxm-NAME unless its file says otherwise */
        uint64_t stop_timeout; /* µs the guest has to power off when asked */
        uint64_t memory_size;  /* bytes */
        GuestOs os;
        GuestRestart restart;
        GuestPolicy on_panic;
        GuestPolicy watchdog;  /* NONE: the guest has no watchdog */
        uint64_t hang_timeout; /* µs that QEMU may be silent; 0: as long as it likes */
        GuestSleep sleep;
        uint64_t huge_page_size; /* bytes: the guest's memory is made of such pages; 0: of ordinary ones */
        bool balloon;          /* the guest gives memory back that it does not use */
        bool memory_lock;      /* none of the guest's memory is ever swapped out */
        uint64_t cpu_count; /* never 0 once the guest is loaded: auto is worked out then */
        char *cpu_model; /* NULL: the host's own */
        GuestCpuTopology cpu_topology;
        GuestCpuPin cpu_pin;
        bool cpu_isolate;  /* fence the host off the CPUs in cpu_pin */
        CpuPriority cpu_priority;
        bool cpu_realtime; /* vCPUs before all else on their CPUs */
        bool hide_hypervisor;
        FirmwareType firmware;
        bool secure_boot;
        bool enrolled_keys;                  /* with secure_boot: Microsoft's keys are there from the first start on */
        char *firmware_code, *firmware_vars; /* both or none */
        uint64_t mmio64;                     /* bytes, or one of the two above */
        bool tpm;
        char *kernel, *initrd, *command_line;

        GuestDevices *devices;
        size_t n_devices;
        bool single_gpu;   /* the GPU the machine boots on may go */
        char **stop_units; /* stopped for the guest's life */
        size_t n_stop_units;
        GuestDisk *disks;
        size_t n_disks;
        GuestShare *shares;
        size_t n_shares;
        GuestNetwork *networks;
        size_t n_networks;
        uint64_t spice, vnc; /* DISPLAY_… */
        DisplayModel display_model;
        UsbSpec *usb; /* in the order of the file */
        size_t n_usb;
        InputSpec *inputs; /* in the order of the file */
        size_t n_inputs;
        InputToggle input_toggle;
        bool input_grab_all, input_repeat, input_inhibit_idle;
        GuestNetJack netjack;
        uint64_t looking_glass;   /* bytes of memory for frames; 0: none */
        char *looking_glass_user; /* who reads them; NULL: who the guest runs as */
        GuestAudio audio;
        GuestMonitor *monitors;
        size_t n_monitors;
        GuestDownload *downloads; /* of one disk or drive any is enough, the first if nobody chooses */
        size_t n_downloads;
} Guest;

/* Loads the guest called name from the guest files below root (guest-files.h), its preset first, then the file, then
 * its drop-ins. Errors are logged here, each with file, line, value and the way out.
 * Returns 0; -E_CONFIG: the name is out of grammar, there is no such file, it is masked, or something in it is wrong. */
int guest_load(int root, const char *name, Guest **ret);

/* What somebody is about to write: one of a guest's files. */
typedef struct GuestDraft {
        const char *path; /* etc/vxm/guests/NAME.guest, or a drop-in of that; no leading slash */
        const char *text;
} GuestDraft;

/* Loads the guest as it would be if the draft had been written: it stands in the place of that file, or is one more. Nothing is
 * written. Returns as guest_load(); messages name the draft's path. */
int guest_load_draft(int root, const char *name, const GuestDraft *draft, Guest **ret);

/* The same for who only looks over somebody else's guests, whose mistakes are told elsewhere: logs nothing. draft may be NULL. */
int guest_load_quietly(int root, const char *name, const GuestDraft *draft, Guest **ret);

/* Whether a guest runs or is about to: the directory of its sockets comes and goes with its unit. name: a valid one. */
bool guest_runs(int root, const char *name);

/* Whether the guest asks for any PCI device. */
bool guest_has_devices(const Guest *g);

/* Whether a network of the guest has that type. */
bool guest_has_network(const Guest *g, NetworkType type);

/* Whether any of its networks leads somewhere. */
bool guest_has_networks(const Guest *g);

/* Whether the guest has an emulated display, and someone can look at it. */
bool guest_has_display(const Guest *g);

/* Whether it needs anything of the host's network: networks, or a port of the display. */
bool guest_needs_link(const Guest *g);

/* Forward= and SSH= of a network, as one list: the number of them, and one of them. */
size_t network_n_forwards(const GuestNetwork *n);
Forward network_forward(const GuestNetwork *n, size_t index);

/* Whether it is to have USB devices of the host. */
bool guest_has_usb(const Guest *g);

/* Whether it is to have keyboards and mice of the host. */
bool guest_has_input(const Guest *g);

/* Whether it runs as a user who is there for something else, by User=. */
bool guest_has_named_user(const Guest *g);

/* Whether its sound is played in the session of the user that it runs as. */
bool guest_plays_in_session(const Guest *g);

/* Whether units of the host are stopped for the guest's life. */
bool guest_stops_units(const Guest *g);

/* Whether the host is kept from sleeping while the guest runs. */
bool guest_inhibits_sleep(const Guest *g);

/* What it keeps the host from, as logind names it, with colons between; NULL: nothing. */
const char *guest_inhibits(const Guest *g);

Guest *guest_free(Guest *g);
static inline void guest_freep(Guest **g) {
        guest_free(*g);
}
