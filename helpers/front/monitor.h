/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Commands for QEMU of a running guest. */

#include "util.h"

/* Carries out one command, in a conversation of its own with the QEMU at the socket “qmp” in a guest's directory of
 * sockets, and prints what comes of it: in words for people, or with qmp as JSON. Returns 0; -EINVAL: it is no command;
 * -ECANCELED: QEMU refuses; or as life_open() and life_call(), after a message. */
int monitor_line(const char *sockets, const char *guest, const char *line, bool qmp);
