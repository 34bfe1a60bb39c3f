/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the disks and shares of a guest file mean together: defaults that depend on other keys, contradictions, and what
 * has to be prepared for them. Pure: nothing here has looked at the machine. */

#include "guest.h"

/* Fills in what the file leaves open: format by the path's name, path by the disk's name, tag by the share's. To be
 * called once. Returns 0 or -ENOMEM. */
int guest_disks_complete(Guest *g);

/* Returns 0, or -E_CONFIG, logged: something is missing, or two disks or shares get into each other's way, or
 * all devices together find no room in the guest's machine. */
int guest_disks_verify(const Guest *g);

/* Whether the disk is a block device of the host's. Everything in /dev is taken for one, but for files in /dev/shm. */
bool guest_disk_is_node(const GuestDisk *d);

/* Whether the guest makes the disk's image itself: one in its own directory, /var/lib/vxm/guests/GUEST. */
bool guest_disk_is_own(const Guest *g, const GuestDisk *d);

/* Whether root has something to do for the disk: a node to give, or an image to make where the guest cannot. */
bool guest_disk_needs_root(const Guest *g, const GuestDisk *d);
bool guest_disks_need_root(const Guest *g);

/* In the how-manieth place the guest tries the disk when it boots, from 1 on: first those with BootIndex=, by it, then
 * the others in the file's order. */
unsigned guest_disk_boot_place(const Guest *g, const GuestDisk *d);

/* “Disk” or “CDROM”: the section, without the name. */
const char *guest_disk_section(const GuestDisk *d);
