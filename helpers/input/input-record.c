/* SPDX-License-Identifier: BSD-3-Clause */
/* The record, a thing a line: “user 988”, “want auto”, “want /dev/input/by-id/…”, and “have keyboard-12 13:76 241”: kind and number,
 * the node's device, and its inode; “before” at the end: the user was let in already. */

#include <inttypes.h>
#include <sys/sysmacros.h>

#include "input-record.h"
#include "parse.h"
#include "record-file.h"

#define RECORD_KIND "input"

enum {
        LOANS_MAX = 64, /* as many as the supervisor looks at */
};

static void wants_done(InputRecord *record) {
        for (size_t i = 0; i < record->n_wants; i++)
                input_spec_done(&record->wants[i]);
        free(record->wants);
        record->wants = NULL;
        record->n_wants = 0;
}

void input_record_done(InputRecord *record) {
        wants_done(record);
        free(record->loans);
        *record = (InputRecord){};
}

static bool is_same(const InputLoan *a, const InputLoan *b) {
        return a->number == b->number && a->device == b->device && a->inode == b->inode;
}

const InputLoan *input_record_find(const InputRecord *record, const InputLoan *loan) {
        for (size_t i = 0; i < record->n_loans; i++)
                if (is_same(&record->loans[i], loan))
                        return &record->loans[i];
        return NULL;
}

int input_record_add(InputRecord *record, const InputLoan *loan) {
        InputLoan *slot;

        if (input_record_find(record, loan))
                return 0;
        if (record->n_loans >= LOANS_MAX)
                return -E2BIG;
        slot = ARRAY_GROW(record->loans, record->n_loans);
        if (!slot)
                return -ENOMEM;
        *slot = *loan;
        record->n_loans++;
        return 0;
}

void input_record_remove(InputRecord *record, size_t index) {
        record->n_loans--;
        memmove(&record->loans[index], &record->loans[index + 1], (record->n_loans - index) * sizeof record->loans[0]);
}

static int want(InputRecord *record, const char *text) {
        InputSpec *slot, spec = {};
        int r = record->n_wants >= GUEST_INPUTS_MAX ? -E2BIG : input_spec_parse(text, &spec);

        slot = r < 0 ? NULL : ARRAY_GROW(record->wants, record->n_wants);
        if (!slot) {
                input_spec_done(&spec);
                return r < 0 ? r : -ENOMEM;
        }
        *slot = spec;
        record->n_wants++;
        return 0;
}

int input_record_want(InputRecord *record, const Guest *g) {
        int r = 0;

        wants_done(record);
        for (size_t i = 0; r >= 0 && i < g->n_inputs; i++)
                r = want(record, input_spec_print(&g->inputs[i]));
        return r;
}

/* ---- reading ---- */

static int parse_loan(char *s, InputRecord *record) {
        char *entry = strsep(&s, " "), *numbers = s ? strsep(&s, " ") : NULL, *file = s ? strsep(&s, " ") : NULL, *low;
        uint64_t high, minor_number, inode;
        InputLoan loan = {};

        if (!file || (s && !streq(s, "before")) || input_entry_parse(entry, &loan.kind, &loan.number) < 0)
                return -EBADMSG;
        low = strchr(numbers, ':');
        if (!low)
                return -EBADMSG;
        *low++ = '\0';
        if (parse_number(numbers, 0, UINT32_MAX, &high) < 0 || parse_number(low, 0, UINT32_MAX, &minor_number) < 0 ||
            parse_number(file, 1, UINT64_MAX, &inode) < 0)
                return -EBADMSG;
        loan.device = makedev((unsigned) high, (unsigned) minor_number);
        loan.inode = (ino_t) inode;
        loan.before = s != NULL;
        return input_record_find(record, &loan) ? -EBADMSG : input_record_add(record, &loan);
}

/* Never root. */
static int parse_user(const char *s, InputRecord *record) {
        uint64_t uid;

        if (record->user != 0 || parse_number(s, 1, UINT32_MAX - 1, &uid) < 0)
                return -EBADMSG;
        record->user = (uid_t) uid;
        return 0;
}

static int parse_line(char *line, InputRecord *record) {
        char *verb = strsep(&line, " ");
        int r = -EBADMSG;

        if (!line)
                return -EBADMSG;
        if (streq(verb, "user"))
                r = parse_user(line, record);
        else if (streq(verb, "want"))
                r = want(record, line);
        else if (streq(verb, "have"))
                r = parse_loan(line, record);
        return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

int input_record_parse(char *text, InputRecord *ret) {
        _cleanup_(input_record_done) InputRecord record = {};
        char *state;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                int r = parse_line(line, &record);

                if (r < 0)
                        return r;
        }
        *ret = record;
        record = (InputRecord){};
        return 0;
}

/* ---- the file ---- */

static int record_print(FILE *f, const void *userdata) {
        const InputRecord *record = userdata;
        char entry[INPUT_ENTRY_SIZE];

        if (record->user != 0)
                fprintf(f, "user %u\n", record->user);
        for (size_t i = 0; i < record->n_wants; i++)
                fprintf(f, "want %s\n", input_spec_print(&record->wants[i]));
        for (size_t i = 0; i < record->n_loans; i++) {
                const InputLoan *l = &record->loans[i];

                fprintf(f, "have %s %u:%u %" PRIu64 "%s\n", input_entry_print(l->kind, l->number, entry), major(l->device),
                        minor(l->device), (uint64_t) l->inode, l->before ? " before" : "");
        }
        return 0;
}

int input_record_save(int root, const char *guest, const InputRecord *record) {
        return record_file_save(root, RECORD_KIND, guest, record_print, record);
}

int input_record_load(int root, const char *guest, InputRecord *ret) {
        _cleanup_(freep) char *text = NULL;
        int r = record_file_read(root, RECORD_KIND, guest, &text);

        return r < 0 ? r : input_record_parse(text, ret);
}

int input_record_forget(int root, const char *guest) {
        return record_file_forget(root, RECORD_KIND, guest);
}

int input_record_guests(int root, char ***ret, size_t *ret_n) {
        return record_file_guests(root, RECORD_KIND, ret, ret_n);
}

static int record_has(int root, const char *guest, const void *loan) {
        _cleanup_(input_record_done) InputRecord record = {};
        int r = input_record_load(root, guest, &record);

        return r < 0 ? r : input_record_find(&record, loan) != NULL;
}

int input_record_holder(int root, const char *guest, const InputLoan *loan, char **ret_holder) {
        return record_file_holder(root, RECORD_KIND, guest, record_has, loan, ret_holder);
}
