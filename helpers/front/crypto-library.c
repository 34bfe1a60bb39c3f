/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads libcrypto. */

#include "crypto-library.h"
#include "library.h"
#include "util.h"

const CryptoLibrary *crypto_library(void) {
        static CryptoLibrary crypto;
        static const LibraryFunction functions[] = {
                LIBRARY_FUNCTION(crypto.context_new, EVP_MD_CTX_new),
                LIBRARY_FUNCTION(crypto.context_free, EVP_MD_CTX_free),
                LIBRARY_FUNCTION(crypto.sha256, EVP_sha256),
                LIBRARY_FUNCTION(crypto.sha512, EVP_sha512),
                LIBRARY_FUNCTION(crypto.digest_init, EVP_DigestInit_ex),
                LIBRARY_FUNCTION(crypto.digest_update, EVP_DigestUpdate),
                LIBRARY_FUNCTION(crypto.digest_final, EVP_DigestFinal_ex),
                {},
        };

        return library_load("libcrypto.so.3", functions) < 0 ? NULL : &crypto;
}
