/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What [Download] sections say, and what no single line of them can tell. Pure: nothing here fetches anything. */

#include "guest.h"

/* Whether s is an http or https URL of a file, without user, query and fragment, and of characters that need no care anywhere. Its file
 * name, the last part of the path, may have one “*”. */
bool url_is_clean(const char *s);

/* The file name in a URL that is clean. */
const char *url_file_name(const char *url);

/* Whether it is fetched such that nobody on the way can change it: by https, or from this machine. */
bool url_is_safe(const char *url);

/* Returns 0, or -E_CONFIG, logged: something is missing, or nothing tells whether what comes is what was meant. */
int guest_downloads_verify(const Guest *g);
