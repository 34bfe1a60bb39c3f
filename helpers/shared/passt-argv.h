/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The command line of passt(1), which speaks on the host's network for a guest: data in, data out. */

#include "argv.h"
#include "guest.h"

/* The name servers that a guest has to be told, because passt itself would tell it none: when all that /etc/resolv.conf
 * names are addresses of the host's own (127.0.0.53, of systemd-resolved), those of resolved stand in
 * /run/systemd/resolve/resolv.conf. Of addresses of the host's own none is taken. Appends to *servers. Returns 0;
 * 1: there is a resolv.conf, and none in it or of resolved leads off the host; -ENOMEM. */
int name_servers_find(int root, char ***servers, size_t *n);

/* The addresses of a text like resolv.conf(5) that lead off the host are appended. Pure. Returns 0 or -ENOMEM. */
int name_servers_parse(const char *text, char ***servers, size_t *n);

/* fd: passt's end of the socket to QEMU. Returns 0 or -ENOMEM. */
int passt_argv_build(const GuestNetwork *n, char *const servers[], size_t n_servers, int fd, Argv *ret);
