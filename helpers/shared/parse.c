/* SPDX-License-Identifier: BSD-3-Clause */
/* Value parsers. Locale-independent: nothing here looks at LC_*. */

#include <ctype.h>
#include <limits.h>
#include <strings.h>

#include "parse.h"

int parse_boolean(const char *s, bool *ret) {
        static const char *const yes[] = { "yes", "true", "on", "1" }, *const no[] = { "no", "false", "off", "0" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                if (strcasecmp(s, yes[i]) == 0) {
                        *ret = true;
                        return 0;
                }
                if (strcasecmp(s, no[i]) == 0) {
                        *ret = false;
                        return 0;
                }
        }
        return -EINVAL;
}

/* Reads digits at *s and moves *s behind them. */
static int read_digits(const char **s, uint64_t *ret) {
        const char *p = *s;
        uint64_t value = 0;

        if (!isdigit((unsigned char) *p))
                return -EINVAL;
        for (; isdigit((unsigned char) *p); p++) {
                if (__builtin_mul_overflow(value, 10, &value) ||
                        __builtin_add_overflow(value, (uint64_t) (*p - '0'), &value))
                        return -ERANGE;
        }
        *s = p;
        *ret = value;
        return 0;
}

int parse_number(const char *s, uint64_t min, uint64_t max, uint64_t *ret) {
        uint64_t value;
        int r;

        r = read_digits(&s, &value);
        if (r < 0)
                return r;
        if (*s != '\0')
                return -EINVAL;
        if (value < min || value > max)
                return -ERANGE;
        *ret = value;
        return 0;
}

int parse_mode(const char *s, mode_t *ret) {
        size_t n = strspn(s, "01234567");

        if (n == 0 || n > 4 || s[n] != '\0')
                return -EINVAL;
        *ret = (mode_t) strtoul(s, NULL, 8);
        return 0;
}

int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret) {
        static const char suffixes[] = "KMGT";
        uint64_t value;
        const char *suffix;
        int r;

        r = read_digits(&s, &value);
        if (r < 0)
                return r;

        if (*s != '\0') {
                suffix = strchr(suffixes, *s);
                if (!suffix || s[1] != '\0')
                        return -EINVAL;
                if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (suffix - suffixes + 1)), &value))
                        return -ERANGE;
        }
        if (value < min || value > max)
                return -ERANGE;
        *ret = value;
        return 0;
}

int parse_time(const char *s, uint64_t *ret) {
        static const struct {
                const char *unit;
                uint64_t usec;
        } units[] = {
                { "ms", 1000 },
                { "min", UINT64_C(60000000) },
                { "m", UINT64_C(60000000) },
                { "s", 1000000 },
                { "h", UINT64_C(3600000000) },
        };
        uint64_t total = 0;

        do {
                uint64_t value, factor = 1000000;
                int r;

                r = read_digits(&s, &value);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                        const char *rest = startswith(s, units[i].unit);

                        if (rest && !isalpha((unsigned char) *rest)) {
                                factor = units[i].usec;
                                s = rest;
                                break;
                        }
                }
                if (__builtin_mul_overflow(value, factor, &value) || __builtin_add_overflow(total, value, &total))
                        return -ERANGE;
                s += strspn(s, " ");
        } while (*s != '\0');

        *ret = total;
        return 0;
}

bool path_is_clean(const char *s) {
        if (*s != '/' || strlen(s) >= PATH_MAX)
                return false;

        for (const char *p = s; *p; p++)
                if (iscntrl((unsigned char) *p))
                        return false;
        if (s[strlen(s) - 1] == '\\')
                return false;

        while (*s == '/') {
                size_t n = strcspn(++s, "/");

                if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
                        return false;
                s += n;
        }
        return true;
}

bool guest_name_is_valid(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return n > 0 && n <= GUEST_NAME_MAX && s[n] == '\0' && s[0] >= 'a' && s[0] <= 'z';
}

bool unit_name_is_valid(const char *s) {
        static const char *const types[] = { ".service", ".socket", ".target", ".timer", ".path", ".mount",
                ".automount", ".swap", ".device", ".scope", ".slice" };
        const char *dot = strrchr(s, '.');
        bool known = false;

        if (!dot || dot == s || *s == '@' || dot[-1] == '@' || strlen(s) > UNIT_NAME_LIMIT ||
                s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")] != '\0')
                return false;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                known |= streq(dot, types[i]);
        return known;
}
