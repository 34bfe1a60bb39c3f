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

/* A kind of devices. */
typedef struct QemuPlugKind {
        const char *what;    /* “USB device” */
        const char *message; /* the ID of what is said when one does not join */
        const char *prefix;  /* of QEMU's names for them: prefix and entry */
        const char *add, *drop; /* QEMU's commands */

        /* The node of an entry, such as “001/005”. Returns 0; -EINVAL: it is no entry of this kind. */
        int (*node_of)(const char *entry, char ret[static PLUG_NODE_SIZE]);

        /* What the command add gets besides “id”, with the userdata of qemu_plug_new(); NULL: out of memory. */
        json_t *(*describe)(const char *entry, const char *node, const void *userdata);
} QemuPlugKind;

/* Begins to watch a directory such as /run/vxm/plug/GUEST; nodes: where those of devices are, /dev/bus/usb. kind and userdata must
 * outlive it. Returns 0; -ENOENT: there is no such directory; -errno. */
int qemu_plug_new(const QemuPlugKind *kind, const void *userdata, const char *directory, const char *nodes, QemuPlug **ret);
QemuPlug *qemu_plug_free(QemuPlug *plug);

/* Readable when something has changed. */
int qemu_plug_fd(const QemuPlug *plug);

/* Plugs in and out, in QEMU, what has come and gone; to be called when QEMU takes commands, and when the descriptor is
 * readable. What does not work is told, and costs the guest that device only. Returns 0, or -errno when devices cannot
 * be watched. */
int qemu_plug_process(QemuPlug *plug, Qmp *qmp);
