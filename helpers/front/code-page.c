/* SPDX-License-Identifier: BSD-3-Clause */
/* Code pages, by iconv(3). */

#include <iconv.h>

#include "code-page.h"

#define REPLACEMENT "\xef\xbf\xbd"

unsigned code_page_parse(const char *text, size_t size) {
        unsigned number = 0, last = 0;
        bool within = false;

        for (size_t i = 0; i < size; i++) {
                bool digit = text[i] >= '0' && text[i] <= '9';

                if (digit && !within)
                        number = 0;
                if (digit)
                        number = number < 100000 ? number * 10 + (unsigned) (text[i] - '0') : number;
                within = digit;
                last = digit ? number : last;
        }
        return last < 100000 ? last : 0;
}

static int open_page(unsigned page, bool encode, iconv_t *ret) {
        char name[16];

        if (page == CODE_PAGE_UTF8)
                strcpy(name, "UTF-8");
        else
                (void) snprintf(name, sizeof name, "CP%u", page);
        *ret = encode ? iconv_open(name, "UTF-8") : iconv_open("UTF-8", name);
        return *ret == (iconv_t) -1 ? -ENOPKG : 0;
}

/* Some pages keep back a character that the next one may change; here it is written. */
static bool flush(iconv_t converter, char **out, size_t *room) {
        return iconv(converter, NULL, NULL, out, room) != (size_t) -1;
}

/* Three bytes are the most that a byte of a code page becomes; a replacement has three. */
int code_page_decode(unsigned page, const char *data, size_t size, char **ret, size_t *ret_size) {
        char *in = (char *) data, *text, *out;
        size_t left = size, room;
        iconv_t converter;
        int r;

        *ret = NULL;
        if (page == 0 || page == CODE_PAGE_UTF8 || size == 0 || memchr(data, 0, size))
                return 0;
        r = open_page(page, false, &converter);
        if (r < 0)
                return r;
        room = size * 4 + 4;
        out = text = malloc(room + 1);
        while (text && left > 0 && iconv(converter, &in, &left, &out, &room) == (size_t) -1) {
                if ((errno != EILSEQ && errno != EINVAL) || !flush(converter, &out, &room) || room < STRLEN(REPLACEMENT))
                        break;
                out = mempcpy(out, REPLACEMENT, STRLEN(REPLACEMENT));
                room -= STRLEN(REPLACEMENT);
                in++;
                left--;
        }
        if (text)
                (void) flush(converter, &out, &room);
        iconv_close(converter);
        if (!text)
                return -ENOMEM;
        *out = '\0';
        *ret = text;
        *ret_size = (size_t) (out - text);
        return 1;
}

bool text_is_ascii(const char *text) {
        while (*text && !(*text & 0x80))
                text++;
        return *text == '\0';
}

int code_page_encode(unsigned page, const char *text, char **ret, size_t *ret_size) {
        char *in = (char *) text, *bytes, *out;
        size_t left = strlen(text), room = left * 2 + 4, done;
        iconv_t converter;
        int r;

        if (text_is_ascii(text)) {
                *ret = strdup(text);
                *ret_size = left;
                return *ret ? 0 : -ENOMEM;
        }
        r = open_page(page != 0 ? page : CODE_PAGE_UTF8, true, &converter);
        if (r < 0)
                return r;
        out = bytes = malloc(room + 1);
        done = bytes ? iconv(converter, &in, &left, &out, &room) : (size_t) -1;
        if (done != (size_t) -1 && !flush(converter, &out, &room))
                done = (size_t) -1;
        iconv_close(converter);
        if (!bytes)
                return -ENOMEM;
        if (done == (size_t) -1 || left > 0) {
                free(bytes);
                return -EILSEQ;
        }
        *out = '\0';
        *ret = bytes;
        *ret_size = (size_t) (out - bytes);
        return 0;
}
