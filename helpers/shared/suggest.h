/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What somebody may have meant who has mistyped a word. */

#include "util.h"

/* How many characters have to be put in, left out, changed, or swapped with the next one to make a of b, bytes for
 * characters. What differs in more than SUGGEST_WORD_MAX bytes of either is not looked at: SIZE_MAX then. */
enum {
        SUGGEST_WORD_MAX = 64,
};
size_t suggest_distance(const char *a, const char *b);

/* A word that may be meant by what was typed. */
typedef struct Suggestion {
        const char *word; /* NULL: none is near enough; borrowed */
        size_t distance;
} Suggestion;

/* Looks whether word is nearer to what was typed than what *best has so far, which starts as {}; words that have it as
 * their beginning are near in any case. */
void suggest(const char *typed, const char *word, Suggestion *best);
