/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Finds out what of the host a guest's command line depends on, and refuses what QEMU could not start with. */

#include "qemu-argv.h"

typedef enum QemuFactsDevices {
        QEMU_FACTS_HOST_ALONE,      /* somebody else looks at devices, networks, disks, shares and sound */
        QEMU_FACTS_WITHOUT_NETWORK, /* at devices and networks, as the host's network is not to be seen here */
        QEMU_FACTS_WITHOUT_DEVICES, /* at devices */
        QEMU_FACTS_JUDGED_DEVICES,  /* those that the guest would get, guest_devices_find() */
        QEMU_FACTS_BOUND_DEVICES,   /* those that it has been given, guest_devices_bound() */
} QemuFactsDevices;

/* Gathers the facts below root, and checks that KVM, QEMU, kernel, disks and devices are there. Looks only. All that is
 * missing is logged, each with the next step. Returns 0; -E_CONFIG: the guest file needs editing; -E_LACKS: the machine
 * lacks something; -errno. */
int qemu_facts_gather(int root, const Guest *g, const char *qemu, QemuFactsDevices devices, QemuFacts *ret);

/* The single checks of qemu_facts_gather(), each logged as there. last: whatever is stopped for the guest has been stopped. */
int qemu_check_paths(int root, const Guest *g);
int qemu_check_program(int root, const char *qemu);
int qemu_check_kvm(int root);
int qemu_check_memory(int root, const Guest *g, bool last);
