/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Devices of the host in a running guest: those that a helper has given it, see door.h, come and go in QEMU as their files and their
 * nodes do. What is there at the start joins in the same way as what is plugged in later. */

#include "json.h"
#include "qmp.h"

enum {
        PLUG_ENTRY_SIZE = 32, /* the name of a file, with its NUL */
        PLUG_NODE_SIZE = 32,  /* the name of a node below the kind's directory of nodes */
};

typedef struct QemuPlug QemuPlug;

/* A kind of devices. The functions get the userdata of qemu_plug_new(). */
typedef struct QemuPlugKind {
        const char *what;    /* “USB device” */
        const char *message; /* the ID of what is said when one does not join */
        const char *prefix;  /* of QEMU's names for them: prefix and entry */
        const char *add, *drop; /* QEMU's commands */

        /* The node of an entry, such as “001/005”. Returns 0; -EINVAL: it is no entry of this kind. */
        int (*node_of)(const char *entry, char ret[static PLUG_NODE_SIZE]);

        /* What the command add gets besides “id”; NULL: out of memory. */
        json_t *(*describe)(const char *entry, const char *node, void *userdata);

        /* One leaves; may be NULL. */
        void (*dropped)(const char *entry, void *userdata);

        /* Devices have come or gone: what follows from that for the others; may be NULL. Returns 0 or -errno. */
        int (*settle)(QemuPlug *plug, Qmp *qmp, void *userdata);
} QemuPlugKind;

/* Begins to watch a directory such as /run/vxm/plug/GUEST; nodes: where those of devices are, /dev/bus/usb. kind and userdata must
 * outlive it. Returns 0; -ENOENT: there is no such directory; -errno. */
int qemu_plug_new(const QemuPlugKind *kind, void *userdata, const char *directory, const char *nodes, QemuPlug **ret);
QemuPlug *qemu_plug_free(QemuPlug *plug);

/* Readable when something has changed. */
int qemu_plug_fd(const QemuPlug *plug);

/* Plugs in and out, in QEMU, what has come and gone; to be called when QEMU takes commands, and when the descriptor is
 * readable. What does not work is told, and costs the guest that device only. Returns 0, or -errno when devices cannot
 * be watched. */
int qemu_plug_process(QemuPlug *plug, Qmp *qmp);

/* The entries of what has joined, as far as QEMU has not refused it, by their place from 0; NULL: there are no more. */
const char *qemu_plug_entry(const QemuPlug *plug, size_t place);

/* QEMU's name of an entry. Returns buffer. */
enum { PLUG_ID_SIZE = PLUG_ENTRY_SIZE + 16 };
const char *qemu_plug_id(const QemuPlugKind *kind, const char *entry, char buffer[static PLUG_ID_SIZE]);
