/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the host shows by a GPU: its displays, its framebuffers, the text consoles on these, and what is left of the
 * framebuffer that the firmware set up for booting. */

#include "pci.h"

typedef struct HostConsole {
        char **displays; /* connectors of the functions that are lit: “HDMI-A-1” */
        size_t n_displays;
        char **framebuffers; /* “fb0”: of the functions, or of the boot framebuffer within them */
        size_t n_framebuffers;
        char **vtconsoles; /* “vtcon1”: framebuffer consoles, bound now, that have no framebuffer but these */
        size_t n_vtconsoles;
        bool vtconsoles_return; /* the kernel would bind them again when told to, see display.c */
        char **platform_devices; /* “simple-framebuffer.0”: boot framebuffers with a driver, in a BAR of the functions */
        size_t n_platform_devices;
        char **platform_drivers;               /* theirs, in the same order */
        size_t n_platform_drivers;             /* always n_platform_devices */
        bool boot_framebuffer;                 /* a BAR of the functions holds the firmware's picture */
        char boot_function[PCI_ADDRESS_TEXT];  /* the function whose BAR that is; or which the kernel says it booted on */
} HostConsole;

/* Reads all of this for functions that are given away together. Whether a BAR holds the boot framebuffer is told by
 * /proc/iomem: by nesting, which all may see, or by addresses, which only CAP_SYS_ADMIN sees. vfio-pci makes it let go by
 * itself, but only of GPUs of VGA class. Returns 0 or -errno. */
int host_console_read(int root, const PciFunction functions[], size_t n, HostConsole *ret);

/* Whether the machine boots on this GPU: by boot_vga, which only functions of VGA class have, or else by where the boot
 * framebuffer lies. c: read for functions with f among them. */
bool pci_is_boot_gpu(const PciFunction *f, const HostConsole *c);

/* The same where only that is of interest, and nothing has been read yet. Returns 0 or -errno. */
int pci_read_boot_gpu(int root, const PciFunction *f, bool *ret);

void host_console_done(HostConsole *c);
