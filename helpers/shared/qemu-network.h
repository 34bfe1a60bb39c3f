/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A guest's network cards on QEMU's command line. QEMU opens nothing for them: what is behind each card is a descriptor
 * that vxm-link has handed over (link-socket.h), so that its sandbox has no network, and no node of one. */

#include "qemu-argv.h"

/* The addresses of all cards, and the descriptors that a command line shows which is only looked at: for a bridge
 * with vhost where the machine has it. Returns 0; -E_CONFIG: two cards have the same address; -E_LACKS; all logged. */
int qemu_links_find(int root, const Guest *g, QemuLink **ret);

/* A part of qemu_argv_build(). */
int qemu_add_networks(Argv *a, const Guest *g, const QemuFacts *facts);
