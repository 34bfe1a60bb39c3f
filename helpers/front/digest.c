/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks files against lists. */

#include <ctype.h>

#include "crypto-library.h"
#include "digest.h"
#include "late-signal.h"

enum {
        BLOCK = 1 << 20, /* bytes that are read at a time */
        FILE_NAME_MAX = 128,
};

static int add_file(const CryptoLibrary *crypto, EVP_MD_CTX *context, int fd) {
        _cleanup_(freep) char *block = malloc(BLOCK);
        off_t at = 0;

        if (!block)
                return -ENOMEM;
        for (;;) {
                ssize_t n = pread(fd, block, BLOCK, at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                if (late_signal_pending())
                        return -EINTR;
                if (crypto->digest_update(context, block, (size_t) n) != 1)
                        return -EIO;
                at += n;
        }
}

int digest_check(int fd, const char *digest) {
        const CryptoLibrary *crypto = crypto_library();
        unsigned char value[EVP_MAX_MD_SIZE];
        char text[2 * EVP_MAX_MD_SIZE + 1];
        unsigned size = 0;
        EVP_MD_CTX *context;
        int r;

        if (!crypto)
                return -ENOPKG;
        context = crypto->context_new();
        if (!context)
                return -ENOMEM;
        r = crypto->digest_init(context, strlen(digest) == DIGEST_SHA512 ? crypto->sha512() : crypto->sha256(), NULL) == 1 ? 0 : -EIO;
        r = r < 0 ? r : add_file(crypto, context, fd);
        if (r >= 0 && crypto->digest_final(context, value, &size) != 1)
                r = -EIO;
        crypto->context_free(context);
        for (unsigned i = 0; i < size; i++)
                (void) snprintf(text + 2 * i, 3, "%02x", value[i]);
        return r < 0 ? r : size * 2 == strlen(digest) && memcmp(text, digest, size * 2) == 0;
}

/* ---- lists ---- */

static size_t count_digits(const char *s) {
        size_t n = 0;

        while (isxdigit((unsigned char) s[n]))
                n++;
        return n == DIGEST_SHA256 || n == DIGEST_SHA512 ? n : 0;
}

/* Takes a line apart; *digits are not ended. Returns whether it is one of a file. */
static bool split_line(char *line, char **ret_name, const char **ret_digits, size_t *ret_n) {
        char *open = strchr(line, '('), *close = strrchr(line, ')');

        if (startswith(line, "SHA") && open && close && startswith(close, ") = ")) {
                *close = '\0';
                *ret_name = open + 1;
                *ret_digits = close + STRLEN(") = ");
                *ret_n = count_digits(*ret_digits);
                return *ret_n > 0;
        }
        *ret_digits = line;
        *ret_n = count_digits(line);
        if (*ret_n == 0 || line[*ret_n] != ' ')
                return false;
        *ret_name = line + *ret_n + 1;
        *ret_name += **ret_name == ' ' || **ret_name == '*';
        if (startswith(*ret_name, "./"))
                *ret_name += STRLEN("./");
        return true;
}

static bool fits(const char *name, const char *pattern) {
        const char *star = strchr(pattern, '*');
        size_t head, tail, n = strlen(name);

        if (!star)
                return streq(name, pattern);
        head = (size_t) (star - pattern);
        tail = strlen(star + 1);
        if (n > FILE_NAME_MAX || n < head + tail || memcmp(name, pattern, head) != 0 || !streq(name + n - tail, star + 1))
                return false;
        for (; *name; name++) /* it becomes part of a URL and of a path */
                if (!isalnum((unsigned char) *name) && !strchr("._-+~", *name))
                        return false;
        return true;
}

int digest_find(char *text, const char *pattern, char **ret_name, char ret_digest[static DIGEST_MAX]) {
        _cleanup_(freep) char *found = NULL;
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *digits;
                char *name;
                size_t n;

                if (!split_line(strstrip(line), &name, &digits, &n) || !fits(name, pattern))
                        continue;
                if (found && !streq(found, name))
                        return -ENOTUNIQ;
                if (found)
                        continue; /* once more, by another digest */
                for (size_t i = 0; i < n; i++)
                        ret_digest[i] = (char) tolower((unsigned char) digits[i]);
                ret_digest[n] = '\0';
                found = strdup(name);
                if (!found)
                        return -ENOMEM;
        }
        if (!found)
                return -ENOENT;
        *ret_name = TAKE_PTR(found);
        return 0;
}
