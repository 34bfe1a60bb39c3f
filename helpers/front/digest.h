/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Checksums: of files, and in the lists that distributions publish beside their images. */

#include "util.h"

enum {
        DIGEST_MAX = 129, /* SHA-512 in hexadecimal digits, and NUL; SHA-256 has half of them */
        DIGEST_SHA256 = 64,
        DIGEST_SHA512 = 128,
};

/* Whether all of the file is what the digest says, which is SHA-256 or SHA-512 by its length. Reads from the beginning; ends early with
 * -EINTR, see late-signal.h. Returns 1; 0: it is not; -ENOPKG: this machine has no libcrypto; -errno. */
int digest_check(int fd, const char *digest);

/* Finds a file in a list: lines such as “DIGITS  NAME”, “DIGITS *NAME” and “SHA256 (NAME) = DIGITS”; all others are passed over, such as
 * those of a signature around it. pattern: the name, in which one “*” stands for anything. text is changed. Returns 0, with the name
 * and the digits in small letters; -ENOENT: none fits; -ENOTUNIQ: several do; -ENOMEM. Pure. */
int digest_find(char *text, const char *pattern, char **ret_name, char ret_digest[static DIGEST_MAX]);
