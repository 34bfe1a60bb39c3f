/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Unpacks one file by libarchive, as it may come from anywhere: bounded, and only ever into a descriptor. */

#include "guest.h"
#include "progress.h"

/* Writes what is packed in source to target, which is empty, with holes where there are zeroes: of a tar the first file in it. name: the
 * source's, for messages. Returns 0; -E_CONFIG: it is not packed so; -ENOSPC; -EINTR, not logged; -errno. Logged. */
int unpack(int source, const char *name, DownloadUnpack how, int target);
