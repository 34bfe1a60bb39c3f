/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What programs in a Windows guest write is in the code page of their console. Here it becomes UTF-8. */

#include "util.h"

enum {
        CODE_PAGE_UTF8 = 65001,
};

/* The number in what “chcp” has said, whatever the language: the last one. Returns 0 when there is none. */
unsigned code_page_parse(const char *text, size_t size);

/* Turns text of a code page into UTF-8; what is no character becomes U+FFFD. What has a NUL byte is no text, and stays as it is. Returns
 * 1; 0: nothing is to be turned, and *ret is NULL; -ENOPKG: iconv(3) does not know the page; -ENOMEM. */
int code_page_decode(unsigned page, const char *data, size_t size, char **ret, size_t *ret_size);

/* What is the same in all code pages. */
bool text_is_ascii(const char *text);

/* Turns UTF-8 into a code page. Returns 0; -EILSEQ: it has characters that the page has not; -ENOPKG; -ENOMEM. */
int code_page_encode(unsigned page, const char *text, char **ret, size_t *ret_size);
