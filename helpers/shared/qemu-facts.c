/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's side of a guest's command line. */

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "devices.h"
#include "disk-check.h"
#include "exit-status.h"
#include "guest-firmware.h"
#include "guest-user.h"
#include "guest-uuid.h"
#include "input-plan.h"
#include "log.h"
#include "messages.h"
#include "network-check.h"
#include "pci-bars.h"
#include "qemu-facts.h"
#include "qemu-firmware.h"
#include "qemu-memory.h"
#include "qemu-network.h"
#include "rom-file.h"
#include "root.h"
#include "tpm-state.h"
#include "usb-plan.h"

static int lacks(const char *text, const char *what) {
        return log_event_errno(E_LACKS, MESSAGE_HOST_LACKS, NULL, "%s %s", what, text);
}

int qemu_check_kvm(int root) {
        return root_exists(root, "dev/kvm") ? 0
                                            : lacks("is missing; turn on virtualization (SVM or VT-x) in the firmware setup, "
                                                    "then load kvm_amd or kvm_intel.",
                                                      "/dev/kvm");
}

int qemu_check_program(int root, const char *qemu) {
        return root_exists(root, qemu + 1) ? 0 : lacks("is missing; install QEMU (Debian: qemu-system-x86).", qemu);
}

/* Each path a guest file names must be there, and be a file. */
static int check_path(int root, const Guest *g, const char *section, const char *key, const char *path) {
        _cleanup_(closep) int fd = -EBADF;
        struct stat st;

        fd = root_openat(root, path + 1, O_PATH);
        if (fd < 0)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: [%s] %s=%s: %s; put the file there or correct the path.", g->file, section, key, path,
                        strerror(-fd));
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_FILE_INVALID, FIELDS("CONFIG_FILE", g->file),
                        "%s: [%s] %s=%s is no regular file; name one.", g->file, section, key, path);
        return 0;
}

int qemu_check_paths(int root, const Guest *g) {
        int r = 0;

        if (g->kernel)
                r = check_path(root, g, "Boot", "Kernel", g->kernel);
        if (r >= 0 && g->initrd)
                r = check_path(root, g, "Boot", "Initrd", g->initrd);
        if (r >= 0 && g->firmware_code)
                r = check_path(root, g, "Firmware", "Code", g->firmware_code);
        if (r >= 0 && g->firmware_vars)
                r = check_path(root, g, "Firmware", "Vars", g->firmware_vars);
        for (size_t i = 0; r >= 0 && i < g->n_devices; i++)
                if (g->devices[i].rom_file)
                        r = check_path(root, g, g->devices[i].gpu ? "GPU" : "PCI", "RomFile", g->devices[i].rom_file);
        return r;
}

/* How much address space the devices' BARs need above 4 GiB. */
static int find_mmio64(int root, const Guest *g, QemuFacts *facts) {
        uint64_t needed;
        int r = pci_window_needed(root, &facts->functions, &needed);

        if (r < 0)
                return log_error_errno(r, "Cannot read how large the BARs of the guest's devices are: %s.",
                        strerror(-r));
        facts->mmio64_mib = qemu_mmio64_mib(g, needed);
        return 0;
}

static int check_tpm(int root, const Guest *g) {
        bool exists;

        return g->tpm ? tpm_state_check(root, g, &exists) : 0;
}

/* An option ROM must be one, and the card's: a wrong one keeps the guest's firmware from the picture, or worse. */
static int check_roms(int root, const Guest *g, const GuestFunctions *functions) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < functions->n; i++) {
                const GuestFunction *f = &functions->items[i];

                if (f->named && f->section->rom_file)
                        r = rom_file_check(root, g, &f->pci, f->section->rom_file);
        }
        return r;
}

static int find_devices(int root, const Guest *g, QemuFactsDevices devices, GuestFunctions *ret) {
        if (devices == QEMU_FACTS_BOUND_DEVICES)
                return guest_devices_bound(root, g, ret);
        return devices == QEMU_FACTS_JUDGED_DEVICES ? guest_devices_find(root, g, ret) : 0;
}

/* What is given is found out by vxm-usb once more; here it is refused, before anything has been changed. */
static int check_usb(int root, const Guest *g) {
        _cleanup_(usb_plan_done) UsbPlan plan = {};

        return usb_plan_make(root, g, &plan);
}

static int check_input(int root, const Guest *g) {
        _cleanup_(input_plan_done) InputPlan plan = {};

        return input_plan_make(root, g, &plan);
}

/* Whether this user may have it: an administrator can keep it from all (kernel.io_uring_disabled, since 6.6), and a unit's
 * filter of system calls, too. So it is tried, where it is this machine's kernel that is meant. */
static bool has_io_uring(int root) {
        struct io_uring_params parameters = {};
        uint64_t disabled;
        int fd;

        if (!root_is_this_machine(root))
                return root_read_number(root, "proc/sys/kernel/io_uring_disabled", &disabled) < 0 || disabled == 0;
        fd = (int) syscall(SYS_io_uring_setup, 1, &parameters);
        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

int qemu_facts_gather(int root, const Guest *g, const char *qemu, QemuFactsDevices devices, QemuFacts *ret) {
        _cleanup_(qemu_facts_done) QemuFacts facts = {};
        int r;

        if (format(&facts.nvram, "/var/lib/vxm/guests/%s/firmware/nvram.fd", g->name) < 0 ||
                format(&facts.sockets, "/run/vxm/sockets/%s", g->name) < 0 ||
                format(&facts.tpm, "/run/vxm/tpm/%s/socket", g->name) < 0)
                return log_oom();

        facts.io_uring = has_io_uring(root);
        r = guest_user_judge(root, g);
        r = r < 0 ? r : qemu_check_paths(root, g);
        if (r >= 0 && devices != QEMU_FACTS_HOST_ALONE)
                r = disks_check(root, g, devices == QEMU_FACTS_BOUND_DEVICES);
        r = r < 0 ? r : qemu_check_program(root, qemu);
        r = r < 0 ? r : qemu_check_kvm(root);
        r = r < 0 ? r : qemu_check_memory(root, g, devices == QEMU_FACTS_BOUND_DEVICES);
        r = r < 0 ? r : qemu_place_memory(root, g, &facts.memory);
        r = r < 0 ? r : qemu_cpus_gather(root, g, &facts.cpus);
        r = r < 0 ? r : guest_firmware_find(root, g, &facts.firmware);
        r = r < 0 ? r : check_tpm(root, g);
        r = r < 0 ? r : guest_uuid_find(root, g, &facts.uuid);
        r = r < 0 ? r : find_devices(root, g, devices, &facts.functions);
        r = r < 0 ? r : check_roms(root, g, &facts.functions);
        r = r < 0 ? r : find_mmio64(root, g, &facts);
        r = r < 0 ? r : display_check(root, g);
        /* swtpm's unit has no session in it. */
        if (r >= 0 && devices != QEMU_FACTS_HOST_ALONE)
                r = audio_find(root, g, qemu, &facts.audio);
        r = r < 0 ? r : looking_glass_find(root, g, devices == QEMU_FACTS_BOUND_DEVICES, &facts.frames);
        /* In its own unit the guest sees nothing of the host's network, as it should be. */
        if (r >= 0 && (devices == QEMU_FACTS_WITHOUT_DEVICES || devices == QEMU_FACTS_JUDGED_DEVICES))
                r = network_check(root, g);
        if (r >= 0 && devices != QEMU_FACTS_BOUND_DEVICES && devices != QEMU_FACTS_HOST_ALONE)
                r = check_usb(root, g);
        if (r >= 0 && devices != QEMU_FACTS_BOUND_DEVICES && devices != QEMU_FACTS_HOST_ALONE)
                r = check_input(root, g);
        r = r < 0 ? r : qemu_links_find(root, g, &facts.links);
        if (r < 0)
                return r;

        *ret = facts;
        facts = (QemuFacts){};
        return 0;
}
