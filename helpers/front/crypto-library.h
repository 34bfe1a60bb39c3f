/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What of libcrypto, OpenSSL's, is used, see library.h. It is there wherever libcurl in its usual build is, and has code for processors
 * that have instructions for hashes, which matters for files of gigabytes. (The kernel's AF_ALG would need a module that not every
 * kernel has, and libgcrypt would be one more library.) */

#include <openssl/evp.h>

typedef struct CryptoLibrary {
        __typeof__(EVP_MD_CTX_new) *context_new;
        __typeof__(EVP_MD_CTX_free) *context_free;
        __typeof__(EVP_sha256) *sha256;
        __typeof__(EVP_sha512) *sha512;
        __typeof__(EVP_DigestInit_ex) *digest_init;
        __typeof__(EVP_DigestUpdate) *digest_update;
        __typeof__(EVP_DigestFinal_ex) *digest_final;
} CryptoLibrary;

/* Returns NULL where there is none. */
const CryptoLibrary *crypto_library(void);
