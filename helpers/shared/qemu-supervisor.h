/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Runs QEMU as a child for as long as the guest lives: starts it paused, looks, lets it go, tells systemd and the journal
 * what happens, and ends it in the gentlest way that works. */

#include "guest.h"
#include "qemu-argv.h"

/* Returns when QEMU has ended. 0: the guest powered off, by itself or because it was asked to; -EPROTO: QEMU could not
 * be talked to; -ETIMEDOUT: the guest did not power off in time and was ended by force; -ECANCELED: QEMU ended in a way
 * nobody asked for; -errno. All but 0 are logged. */
int qemu_supervise(const Guest *g, const QemuFacts *facts, const Argv *argv);
