/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What an image for clouds asks for when it starts for the first time: cloud-init's data source NoCloud, a small ISO 9660 image with the
 * label “cidata”. */

#include "util.h"

typedef struct Seed {
        const char *guest; /* becomes the host name, too */
        const char *user;  /* who is made there, may become root there, and comes in by … */
        const char *key;   /* … this public key of SSH, a line */
} Seed;

/* Whether a line is a public key as ssh-keygen(1) writes them. Pure. */
bool seed_key_is_valid(const char *key);

/* Whether it can be the name of a user in any Linux. Pure. */
bool seed_user_is_valid(const char *user);

/* The text of the two files. Returns 0 or -ENOMEM. Pure. */
int seed_user_data(const Seed *seed, char **ret);
int seed_meta_data(const Seed *seed, char **ret);

/* Writes the image into an empty file. Returns 0, -E_LACKS or -errno, logged. */
int seed_write(const Seed *seed, int fd);
