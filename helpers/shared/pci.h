/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* PCI functions as the kernel's sysfs tells of them (Documentation/ABI/testing/sysfs-bus-pci), below a root handle.
 * Looks only; nothing here writes. */

#include "util.h"

/* “BDF”: domain, bus, device (here: slot) and function, as PCI writes them. */
typedef struct PciAddress {
        uint32_t domain;
        uint8_t bus;
        uint8_t slot;     /* 0 … 31 */
        uint8_t function; /* 0 … 7 */
} PciAddress;

enum {
        PCI_ADDRESS_TEXT = sizeof "ffffffff:ff:1f.7",
};

/* Reads an address in any usual spelling: “1:0.0”, “01:00.0”, “0000:01:00.0”, upper or lower case; without a function it
 * is function 0. Returns 0 or -EINVAL. */
int pci_address_parse(const char *s, PciAddress *ret);

/* Writes the kernel's spelling, “0000:01:00.0”, into buffer and returns it. */
const char *pci_address_format(PciAddress a, char buffer[static PCI_ADDRESS_TEXT]);

bool pci_address_equal(PciAddress a, PciAddress b);
bool pci_same_slot(PciAddress a, PciAddress b);

typedef struct PciFunction {
        PciAddress address;
        char name[PCI_ADDRESS_TEXT]; /* the address as text */
        char *path;                  /* of its directory below /sys: "devices/pci0000:00/0000:00:1c.0/0000:01:00.0" */
        uint16_t vendor, device;
        uint16_t subsystem_vendor, subsystem_device; /* 0: none */
        uint32_t class_code; /* class, subclass, programming interface: 0x030000 is a VGA controller */
        bool boot_vga;       /* the firmware showed its picture here */
        int group;           /* IOMMU group, -1: none */
        char *driver;        /* NULL: none */
        char *override;      /* driver_override, NULL: none; only once pci_read_override() has been asked */
} PciFunction;

typedef struct PciFunctions {
        PciFunction *items; /* sorted by address */
        size_t n;
} PciFunctions;

/* The driver that hands functions to guests. */
#define VFIO_DRIVER "vfio-pci"

/* Classes of the PCI Code and ID Assignment Specification. */
bool pci_is_gpu(const PciFunction *f);    /* 0x03: display controller */
bool pci_is_bridge(const PciFunction *f); /* 0x06: host, ISA, PCI-to-PCI … bridge */

/* Reads one function's facts. -ENODEV when the machine has none at that address. */
int pci_read_function(int root, PciAddress address, PciFunction *ret);
void pci_function_done(PciFunction *f);

/* Reads driver_override into f. The kernel locks the device for that (driver_override_show() in drivers/pci/pci-sysfs.c), and so
 * does who takes its driver away: while that driver does not come back from its remove(), this does not either, and no signal
 * helps. So it is for functions that are about to be moved, and of which no write is known to be stuck. Returns 0 or -errno. */
int pci_read_override(int root, PciFunction *f);

/* All functions of the slot that address is in, whichever exist; *ret is empty when the slot is. */
int pci_read_slot(int root, PciAddress address, PciFunctions *ret);

/* All members of an IOMMU group but those that are known; all functions of the machine. */
int pci_read_group(int root, int group, const PciAddress known[], size_t n_known, PciFunctions *ret);
int pci_read_all(int root, PciFunctions *ret);

/* Whether the machine has any IOMMU group at all: the directory exists, empty, even with the IOMMU off. */
bool pci_iommu_is_on(int root);

void pci_functions_done(PciFunctions *l);
