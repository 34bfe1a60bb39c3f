/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libcurl is used, see library.h. Only who fetches something needs it. */

#include <curl/curl.h>

/* Its functions with “...” have macros of their names. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

typedef struct CurlLibrary {
        __typeof__(curl_global_init) *global_init;
        __typeof__(curl_easy_init) *easy_init;
        __typeof__(curl_easy_cleanup) *easy_cleanup;
        __typeof__(curl_easy_setopt) *easy_setopt;
        __typeof__(curl_easy_perform) *easy_perform;
        __typeof__(curl_easy_getinfo) *easy_getinfo;
        __typeof__(curl_easy_strerror) *easy_strerror;
} CurlLibrary;

/* Returns NULL where there is none. */
const CurlLibrary *curl_library(void);
