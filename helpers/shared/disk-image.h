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

/* What a new disk begins as. */
typedef struct DiskSource {
        int fd;            /* an image, which nobody else changes */
        DiskFormat format; /* as its maker says: an image's own word is not taken, as it could name files of the host */
        const char *name;  /* for messages */
} DiskSource;

/* Makes it as a copy of the source, converted to its format and grown to its size. What is in the way of that is told before anything is
 * made. Returns as disk_image_make(); -EEXIST: there is something of that name; -E_CONFIG: the source is larger, or not what it should be. */
int disk_image_make_from(int root, const Guest *g, const GuestDisk *d, const DiskSource *source);

/* Makes those that are missing in the guest's own directory; for the guest's own user. Returns 0 or -errno, logged. */
int disk_images_make_own(int root, const Guest *g);
