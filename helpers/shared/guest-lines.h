/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The lines of guest files and presets, read one after the other. What they mean is the caller's. */

#include "conf.h"
#include "guest-files.h"
#include "guest.h"

/* Has the handler take in all lines of the files, in their order. draft: stands for the file of its path; NULL: none does. All files
 * are looked at even after an error. Returns 0, or the first error, logged. */
int guest_lines_read(int root, const GuestFiles *f, const GuestDraft *draft, ConfHandler handler, void *userdata);

/* The preset that a guest's files name; NULL: none. Whatever else is wrong with them is passed over. Returns 0 or -ENOMEM. */
int guest_lines_preset(int root, const GuestFiles *f, const GuestDraft *draft, char **ret);
