/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects findings, and shows them. */

#include "findings.h"
#include "log.h"

enum {
        WIDTH = 80,
        INDENT = 22, /* verdict and name come before */
        WORD = 5,
};

const char *const finding_words[] = { "ok", "warn", "fail" };

void findings_done(Findings *l) {
        for (size_t i = 0; i < l->n; i++) {
                free(l->items[i].name);
                free(l->items[i].text);
        }
        free(l->items);
        *l = (Findings){};
}

int findings_add(Findings *l, const char *name, FindingVerdict verdict, const char *text) {
        Finding *item = ARRAY_GROW(l->items, l->n);

        if (!item)
                return -ENOMEM;
        item->verdict = verdict;
        l->n++;
        return free_and_strdup(&item->name, name) < 0 ? -ENOMEM : free_and_strdup(&item->text, text);
}

int findings_ask(Findings *l, const char *name, FindingQuestion question, void *userdata) {
        _cleanup_(freep) char *text = NULL, *logged = NULL;
        FindingVerdict verdict = FINDING_OK;
        size_t size;
        FILE *f;
        int r;

        f = open_memstream(&logged, &size);
        if (!f)
                return -ENOMEM;
        log_to_stream(f);
        r = question(userdata, &verdict, &text);
        log_to_stream(NULL);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (r == -ENODATA)
                return 0;

        if (r < 0 && l->first_error == 0)
                l->first_error = r;
        /* What went well may have warned all the same. */
        if (r >= 0 && !isempty(logged))
                verdict = FINDING_NOTE;
        strstrip(logged);
        return findings_add(l, name, r < 0 ? FINDING_NO : verdict, isempty(logged) ? text ? text : strerror(-r) : logged);
}

FindingVerdict findings_worst(const Findings *l) {
        FindingVerdict worst = FINDING_OK;

        for (size_t i = 0; i < l->n; i++)
                worst = l->items[i].verdict > worst ? l->items[i].verdict : worst;
        return worst;
}

/* Prints text from column INDENT on, broken between words before WIDTH, and where it breaks itself. */
static void print_wrapped(const char *text, FILE *f) {
        size_t column = INDENT;

        while (*text) {
                size_t word = strcspn(text, " \n");

                if (column > INDENT && column + 1 + word > WIDTH)
                        column = (size_t) fprintf(f, "\n%*s", INDENT, "") - 1;
                else if (column > INDENT)
                        column += (size_t) fprintf(f, " ");
                column += fwrite(text, 1, word, f);
                text += word;
                if (*text == '\n')
                        column = (size_t) fprintf(f, "\n%*s", INDENT, "") - 1;
                text += *text != '\0';
        }
        fputc('\n', f);
}

void findings_print(const Findings *l, FILE *f) {
        for (size_t i = 0; i < l->n; i++) {
                fprintf(f, "%-*s%-*s", WORD, finding_words[l->items[i].verdict], INDENT - WORD, l->items[i].name);
                print_wrapped(l->items[i].text, f);
        }
}

json_t *findings_json(const Findings *l) {
        json_t *array = json_array();

        for (size_t i = 0; array && i < l->n; i++)
                if (json_array_append_new(array, json_pack("{s:s, s:s, s:s}", "name", l->items[i].name, "verdict",
                                                         finding_words[l->items[i].verdict], "text", l->items[i].text)) < 0)
                        return json_decref(array), NULL;
        return array;
}
