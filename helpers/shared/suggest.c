/* SPDX-License-Identifier: BSD-3-Clause */
/* The distance of Damerau and Levenshtein, in its form that swaps neighbours only. */

#include "suggest.h"

static size_t least(size_t a, size_t b) {
        return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b) {
        size_t rows[3][SUGGEST_WORD_MAX + 1], n = strlen(a), m = strlen(b);

        if (n > SUGGEST_WORD_MAX || m > SUGGEST_WORD_MAX)
                return SIZE_MAX;
        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                row[j] = least(row[j], before[j - 2] + 1);
                }
        }
        return rows[n % 3][m];
}

void suggest(const char *typed, const char *word, Suggestion *best) {
        size_t n = strlen(typed), distance = suggest_distance(typed, word);

        if (n > 0 && startswith(word, typed))
                distance = 0;
        /* Of a short word little may be wrong, or it is another one. */
        if (distance > n / 3 + (n > 1) || (best->word && distance >= best->distance))
                return;
        *best = (Suggestion){ word, distance };
}
