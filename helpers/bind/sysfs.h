/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Small things that all readers of the host's state need: where a link in /sys leads, which PCI function a device hangs on,
 * foreign text that may be shown. */

#include "pci.h"

/* Where the symbolic link at path (“sys/class/net/eth0”) leads, as a path below /sys: “devices/pci0000:00/…”. Resolved by
 * its text: in /sys only the last component of such a path is a link. -EINVAL when it is none, or leads elsewhere. */
int sysfs_resolve(int root, const char *path, char **ret);

/* Reads sys/DIRECTORY/NAME, directory being a path below /sys. */
int sysfs_read(int root, const char *directory, const char *name, char **ret);

/* Lists sys/DIRECTORY/NAME (NULL: the directory itself); what is not there has no entries. */
int sysfs_list(int root, const char *directory, const char *name, char ***ret, size_t *ret_n);

/* Whether path is directory, or lies below it. */
bool path_is_within(const char *path, const char *directory);

/* The last component of path. */
const char *path_name(const char *path);

/* The length of the first n components of path. */
size_t path_front(const char *path, unsigned n);

/* Whether a name is a PCI address just as the kernel writes it. */
bool is_pci_name(const char *name, size_t length);

/* The length of the front part of path (below /sys) that is the directory of the PCI function the device hangs on; 0: on
 * none. Behind several bridges that is the last one. */
size_t pci_part_of(const char *path);

/* Appends a copy of s. Returns 0 or -ENOMEM. */
int strings_add(char ***strings, size_t *n, const char *s);
bool strings_contain(char *const *strings, size_t n, const char *s);
