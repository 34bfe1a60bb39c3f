/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The guest model: one struct for what a guest file says, parsed once by one table (guest-keys.c), read by all helpers.
 * Paths and addresses are as the user gave them; nothing here has looked at the machine. */

#include "pci.h"
#include "util.h"

typedef enum FirmwareType {
        FIRMWARE_UEFI,
        FIRMWARE_BIOS,
} FirmwareType;

typedef enum DiskFormat {
        DISK_RAW,
        DISK_QCOW2,
} DiskFormat;

typedef struct GuestDisk {
        char *name; /* from the section, [Disk NAME] */
        char *path;
        DiskFormat format;
        bool read_only;
} GuestDisk;

typedef struct Guest {
        char *name;
        char *file; /* the guest file's path below the root, with a leading slash */

        char *description;
        char *preset;
        uint64_t stop_timeout; /* µs the guest has to power off when asked */
        uint64_t memory_size;  /* bytes */
        uint64_t cpu_count;
        FirmwareType firmware;
        char *kernel, *initrd, *command_line;

        PciAddress *gpus;
        size_t n_gpus;
        GuestDisk *disks;
        size_t n_disks;
} Guest;

/* Loads the guest called name from the guest files below root (guest-files.h), its preset first, then the file, then
 * its drop-ins. Errors are logged here, each with file, line, value and the way out.
 * Returns 0; -E_CONFIG: the name is out of grammar, there is no such file, it is masked, or something in it is wrong. */
int guest_load(int root, const char *name, Guest **ret);

Guest *guest_free(Guest *g);
static inline void guest_freep(Guest **g) {
        guest_free(*g);
}
