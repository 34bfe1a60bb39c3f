/* SPDX-License-Identifier: BSD-3-Clause */
/* One value of any bytes, read by each reader that the table of keys has, and by those in parse.c. */

#include "fuzz.h"
#include "guest-keys.h"
#include "log.h"
#include "parse.h"

enum {
        NUMBER_MIN = 3,
        NUMBER_MAX = 70000,
};

static bool is_own(const GuestKey *k) {
        for (size_t i = 0; i < n_guest_sections; i++)
                if (streq(guest_sections[i].name, k->section))
                        return k->of_guest || guest_sections[i].size == 0;
        abort(); /* a key of no section */
}

/* As a guest file would have it: [SECTION x] and KEY=, twice, the second time over what the first one has left. */
static void check_key(const GuestKey *k, const char *value) {
        _cleanup_(guest_freep) Guest *g = calloc(1, sizeof *g);
        _cleanup_(freep) char *section = NULL;
        ConfLine line = { "/fuzz", 1, NULL, NULL, NULL };
        int first, second;

        if (!g || guest_apply_initial(g) < 0)
                return;
        if (is_own(k) ? !(section = strdup(k->section)) : format(&section, "%s x", k->section) < 0)
                return;
        line.section = section;
        if (guest_assign(&line, g) < 0)
                return;
        line.key = k->key;
        line.value = value;
        first = guest_assign(&line, g);
        second = guest_assign(&line, g);
        if (first < 0 && second >= 0 && !k->reset)
                abort(); /* what is wrong once is wrong again */
}

static void check_numbers(const char *value) {
        uint64_t number = NUMBER_MIN;

        if (parse_number(value, NUMBER_MIN, NUMBER_MAX, &number) >= 0 && (number < NUMBER_MIN || number > NUMBER_MAX))
                abort();
        if (parse_size(value, NUMBER_MIN, NUMBER_MAX, &number) >= 0 && (number < NUMBER_MIN || number > NUMBER_MAX))
                abort();
        number = 42;
        if (parse_time(value, &number) < 0 && number != 42)
                abort();
}

static void check_names(const char *value) {
        bool yes;

        (void) parse_boolean(value, &yes);
        if (path_is_clean(value) && (*value != '/' || strstr(value, "//") || strstr(value, "/../") || strpbrk(value, "\n\t")))
                abort();
        if (guest_name_is_valid(value) && (strlen(value) > GUEST_NAME_MAX || strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
                                                                                   strlen(value)))
                abort();
        if (unit_name_is_valid(value) && (strlen(value) > UNIT_NAME_LIMIT || strpbrk(value, "/ \n")))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *value = malloc(size + 1);

        log_set_max_priority(-1);
        if (!value)
                return 0;
        if (size > 0)
                memcpy(value, data, size);
        value[size] = '\0';
        for (size_t i = 0; i < n_guest_keys; i++)
                check_key(&guest_keys[i], value);
        check_numbers(value);
        check_names(value);
        return 0;
}
