/* SPDX-License-Identifier: BSD-3-Clause */
/* Base64, three bytes and four characters at a time. */

#include "base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(const void *data, size_t size, char **ret) {
        const uint8_t *in = data;
        char *text, *out;

        if (size > SIZE_MAX / 4 * 3 - 8)
                return -ENOMEM;
        out = text = malloc((size + 2) / 3 * 4 + 1);
        if (!text)
                return -ENOMEM;
        for (; size > 0; in += 3, out += 4) {
                size_t n = size < 3 ? size : 3;
                uint32_t bits = (uint32_t) in[0] << 16 | (n > 1 ? (uint32_t) in[1] << 8 : 0) | (n > 2 ? in[2] : 0);

                out[0] = digits[bits >> 18];
                out[1] = digits[bits >> 12 & 63];
                out[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
                out[3] = n > 2 ? digits[bits & 63] : '=';
                size -= n;
        }
        *out = '\0';
        *ret = text;
        return 0;
}

static int value_of(char c) {
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, of which the last ones are “=” when fewer than three bytes are meant. */
static int decode_group(const char *text, size_t n, uint8_t out[static 3]) {
        uint32_t bits = 0;

        for (size_t i = 0; i < 4; i++) {
                int value = i <= n ? value_of(text[i]) : text[i] == '=' ? 0 : -1;

                if (value < 0)
                        return -EINVAL;
                bits = bits << 6 | (uint32_t) value;
        }
        out[0] = (uint8_t) (bits >> 16);
        out[1] = (uint8_t) (bits >> 8);
        out[2] = (uint8_t) bits;
        return (n < 3 && out[2] != 0) || (n < 2 && out[1] != 0) ? -EINVAL : 0;
}

int base64_decode(const char *text, size_t length, size_t max, char **ret, size_t *ret_size) {
        _cleanup_(freep) char *data = NULL;
        size_t size = length / 4 * 3;

        if (length % 4 != 0)
                return -EINVAL;
        if (length > 0)
                size -= (size_t) (text[length - 1] == '=') + (text[length - 2] == '=');
        if (size > max)
                return -EFBIG;
        data = malloc(size + 1);
        if (!data)
                return -ENOMEM;
        for (size_t done = 0; done < size; text += 4) {
                size_t n = size - done < 3 ? size - done : 3;
                uint8_t group[3];

                if (decode_group(text, n, group) < 0)
                        return -EINVAL;
                memcpy(data + done, group, n);
                done += n;
        }
        data[size] = '\0';
        *ret = TAKE_PTR(data);
        *ret_size = size;
        return 0;
}
