/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What has been found out about guests and machines, for who wants to know whether they will work: a verdict each, and a text that says
 * what is so or, where something is in the way, what to do. */

#include "json.h"
#include "util.h"

typedef enum FindingVerdict {
        FINDING_OK,
        FINDING_NOTE, /* works, but somebody may want to know */
        FINDING_NO,
} FindingVerdict;

typedef struct Finding {
        char *name;
        FindingVerdict verdict;
        char *text;
} Finding;

typedef struct Findings {
        Finding *items;
        size_t n;
        int first_error; /* of those that are in the way; 0: none is */
} Findings;

/* What the verdicts are called, 4 characters at most. */
extern const char *const finding_words[];

/* A question: returns 0 and what is so in *ret_text, or what the product returns, having logged why. -ENODATA: it does not arise. */
typedef int (*FindingQuestion)(void *userdata, FindingVerdict *verdict, char **ret_text);

/* Asks, and adds the answer: what has been logged meanwhile, else the text. Returns 0 or -ENOMEM. */
int findings_ask(Findings *l, const char *name, FindingQuestion question, void *userdata);

int findings_add(Findings *l, const char *name, FindingVerdict verdict, const char *text);

/* The worst of the verdicts. */
FindingVerdict findings_worst(const Findings *l);

/* One a line, in 80 columns, what is longer below its name. */
void findings_print(const Findings *l, FILE *f);

/* An array of {"name", "verdict", "text"}; NULL when out of memory. */
json_t *findings_json(const Findings *l);

void findings_done(Findings *l);
