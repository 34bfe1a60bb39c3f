/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The record of vxm-input: what a guest wants, and which nodes its user has been let at. */

#include <sys/types.h>

#include "guest.h"
#include "input-plug.h"

/* A node that somebody has been let at. The number in its name is given to another device as soon as it is free: its file tells. */
typedef struct InputLoan {
        InputKind kind;
        unsigned number; /* of /dev/input/event12 */
        dev_t device;
        ino_t inode;
        bool before; /* the user was let in already, and stays so */
} InputLoan;

typedef struct InputRecord {
        uid_t user; /* who the guest runs as; 0: not noted */
        InputSpec *wants;
        size_t n_wants;
        InputLoan *loans;
        size_t n_loans;
} InputRecord;

void input_record_done(InputRecord *record);

/* Adds a loan, unless it is noted already. Returns 0, -E2BIG or -ENOMEM. */
int input_record_add(InputRecord *record, const InputLoan *loan);

/* The loan of the node of that number and file; NULL: there is none. */
const InputLoan *input_record_find(const InputRecord *record, const InputLoan *loan);

/* Removes a loan by its index. */
void input_record_remove(InputRecord *record, size_t index);

/* Has the record want the same as the guest does. Returns 0 or -ENOMEM. */
int input_record_want(InputRecord *record, const Guest *g);

/* Reads a record's text (changed in place). Returns 0, -EBADMSG when it is none, -ENOMEM. */
int input_record_parse(char *text, InputRecord *ret);

/* As in record-file.h. */
int input_record_save(int root, const char *guest, const InputRecord *record);
int input_record_load(int root, const char *guest, InputRecord *ret);
int input_record_forget(int root, const char *guest);
int input_record_guests(int root, char ***ret, size_t *ret_n);

/* Whether another guest has the node. Returns as record_file_holder(). */
int input_record_holder(int root, const char *guest, const InputLoan *loan, char **ret_holder);
