/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Whether a guest can have its disks and shares: images that are there and that nobody else writes to, block devices
 * that the host does not stand on, directories that the guest's user can read. Looks only. */

#include "disks-record.h"
#include "guest.h"

/* Judges all disks and shares. prepared: they have been judged and prepared before, and this is the guest's own user,
 * who is asked for its access instead. What is wrong is logged, with the next step. Returns 0; -E_CONFIG: the guest
 * file or an image needs a hand; -E_BUSY: another guest or program has a disk; -E_LACKS; -errno. */
int disks_check(int root, const Guest *g, bool prepared);

/* Whether the guest's user, or all others if that is not made yet, can open an image that is there, as far as owners and modes
 * tell. Returns as disks_check(). */
int disk_judge_access(int root, const Guest *g, const GuestDisk *d);

/* The block device that a disk's path leads to. In a captured tree the node is told by its name. Returns 0 and what a
 * record notes of it, and in *ret_fd an O_PATH descriptor of the node; -ENODEV: it leads to no block device; -errno. */
int disk_node_find(int root, const GuestDisk *d, DiskNode *ret, int *ret_fd);
void disk_node_done(DiskNode *node);

/* Refuses a block device that the host has in use, that another guest has, or that another disk of this one is a part
 * of. Returns as disks_check(). */
int disk_node_judge(int root, const Guest *g, const GuestDisk *d, const DiskNode *node);

/* The same for what lies on it and no file in /sys tells of: asks the kernel for it as a file system would when it is
 * mounted. To be called by root, who can open the node. */
int disk_node_claim(const Guest *g, const GuestDisk *d, int fd);
