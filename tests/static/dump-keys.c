/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the table of guest file keys, a row a line: SECTION<TAB>KEY<TAB>DEFAULT, empty where there is none. For test-keys, which compares it with the manual. Touches nothing. */

#include "guest-keys.h"

int main(void) {
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];

                printf("%s\t%s\t%s\n", k->section, k->key, k->initial ? k->initial : "");
        }
        return fflush(stdout) != 0;
}
