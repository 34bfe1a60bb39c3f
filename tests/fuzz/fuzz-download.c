/* SPDX-License-Identifier: BSD-3-Clause */
/* URLs and lists of checksums of any bytes: refused, or of the form that paths and other URLs are made of. */

#include "digest.h"
#include "fuzz.h"
#include "guest-downloads.h"

static void check_url(const char *text) {
        const char *name;

        if (!url_is_clean(text))
                return;
        name = url_file_name(text);
        if (!*name || *name == '.' || strchr(name, '/') || strpbrk(text, " \n\"'\\@?#"))
                abort();
}

static void check_list(char *text) {
        _cleanup_(freep) char *name = NULL;
        char digest[DIGEST_MAX];

        if (digest_find(text, "a*.img", &name, digest) < 0)
                return;
        if (strchr(name, '/') || (strlen(digest) != DIGEST_SHA256 && strlen(digest) != DIGEST_SHA512))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        check_url(text);
        check_list(text);
        return 0;
}
