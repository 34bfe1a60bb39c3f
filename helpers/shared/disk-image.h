/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Makes the images that Size= in a guest file asks for. An image is made whole under no name at all, and only then gets
 * its own: whatever happens on the way, nothing is left behind, and what has the name already is not touched. */

#include "guest.h"

/* Whether the image could be made: the directory is there and is the guest's own or root's alone, there is room, and
 * qemu-img for what needs it. Looks only. Returns 0; -E_CONFIG, -E_LACKS; logged. */
int disk_image_judge(int root, const Guest *g, const GuestDisk *d);

/* Makes it, for whoever runs this, or for uid and gid unless these are -1. Returns 1: made; 0: there is something of
 * that name already; -errno, logged. */
int disk_image_make(int root, const Guest *g, const GuestDisk *d, uid_t uid, gid_t gid);

/* Makes those that are missing in the guest's own directory; for the guest's own user. Returns 0 or -errno, logged. */
int disk_images_make_own(int root, const Guest *g);
