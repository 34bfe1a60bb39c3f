/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libcurl, in whichever of its builds there is: with OpenSSL, or with GnuTLS as Debian names it. */

#include "curl-library.h"
#include "library.h"
#include "util.h"

const CurlLibrary *curl_library(void) {
        static CurlLibrary curl;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(curl.global_init, curl_global_init),
                LIBRARY_FUNCTION(curl.easy_init, curl_easy_init),
                LIBRARY_FUNCTION(curl.easy_cleanup, curl_easy_cleanup),
                LIBRARY_FUNCTION(curl.easy_setopt, curl_easy_setopt),
                LIBRARY_FUNCTION(curl.easy_perform, curl_easy_perform),
                LIBRARY_FUNCTION(curl.easy_getinfo, curl_easy_getinfo),
                LIBRARY_FUNCTION(curl.easy_strerror, curl_easy_strerror),
                {},
        };
        static bool initialized;

        if (library_load("libcurl.so.4", functions) < 0 && library_load("libcurl-gnutls.so.4", functions) < 0)
                return NULL;
        if (!initialized && curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return NULL;
        initialized = true;
        return &curl;
}
