/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* From the guest model and a few facts about the host to QEMU's command line: data in, data out. */

#include "argv.h"
#include "desktop-check.h"
#include "devices.h"
#include "firmware.h"
#include "mac.h"
#include "memory-nodes.h"
#include "qemu-cpus.h"

enum {
        QEMU_QMP_FD = 3, /* where the child finds its end of the QMP socket */
};

/* What a network of the guest is to QEMU: a card with an address, and open descriptors behind it. */
typedef struct QemuLink {
        char mac[MAC_TEXT_SIZE];
        int fd;       /* a tap, or the socket that passt is behind; negative: not there (yet) */
        int vhost_fd; /* of /dev/vhost-net, for a tap; negative: none */
} QemuLink;

/* Only told apart where the machine has several nodes. */
typedef struct MemoryPlacement {
        bool on_node; /* all of the guest's huge pages are on … */
        unsigned node;
        bool near; /* … and QEMU may run on CPUs of that node */
} MemoryPlacement;

/* The facts of the host that the command line depends on. */
typedef struct QemuFacts {
        Firmware firmware;      /* empty for FIRMWARE_BIOS */
        GuestFunctions functions; /* what the guest gets, see devices.h */
        QemuCpuFacts cpus;
        char *nvram;            /* the guest's own variable store */
        char *sockets;          /* directory of its sockets */
        char *tpm;              /* the socket of its TPM */
        char *uuid;             /* NULL: not known, see guest-uuid.h */
        uint64_t mmio64_mib;    /* what OVMF is told of 64-bit BARs; 0: nothing */
        bool io_uring;          /* the kernel lets the guest's user have it */
        QemuLink *links;        /* as many as the guest has networks, in their order */
        AudioFacts audio;
        char *frames;           /* the memory that Looking Glass reads; NULL: the guest has none */
        MemoryPlacement memory; /* where its huge pages are to come from */
} QemuFacts;

void qemu_facts_done(QemuFacts *facts);

/* Builds the command line; ret->items[0] is qemu. Returns 0 or -ENOMEM. */
int qemu_argv_build(const Guest *g, const QemuFacts *facts, const char *qemu, Argv *ret);
