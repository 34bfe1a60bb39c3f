/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Undo records as files: run/vxm/KIND/GUEST below the root. A record is written whole before the first change and taken away
 * after the last of the undo, so that a kill at any instant leaves either no change or a record of all that may have
 * changed. What a record says is its kind's business. */

#include "util.h"

/* Writes the record to f. Returns 0 or -errno. */
typedef int (*RecordPrint)(FILE *f, const void *record);

/* Keeps what print writes: all of it, or -errno and nothing. */
int record_file_save(int root, const char *kind, const char *guest, RecordPrint print, const void *record);

/* Returns 0 and the text; -ENOENT: there is none; -errno. */
int record_file_read(int root, const char *kind, const char *guest, char **ret);

/* Opens the record for reading. Returns the descriptor, -ENOENT or -errno. */
int record_file_open(int root, const char *kind, const char *guest);

/* Removes the record, and what a kill has left of one. Returns 0, also when there is none, or -errno. */
int record_file_forget(int root, const char *kind, const char *guest);

/* Keeps other runs from reading and writing records of this kind until *ret_fd is closed. Waits for them; they are short. */
int record_file_lock(int root, const char *kind, int *ret_fd);

/* The guests that have a record of this kind. Returns 0 or -errno; there may be none. */
int record_file_guests(int root, const char *kind, char ***ret, size_t *ret_n);

/* Whether the record of a guest has something. Returns 1, 0 or -errno. */
typedef int (*RecordHas)(int root, const char *guest, const void *something);

/* The first guest other than this one whose record has it. To be called under the lock. Returns 1 and the guest's name in
 * *ret_holder; 0: none has; -errno, and in *ret_holder whose record cannot be read, if it is that. */
int record_file_holder(int root, const char *kind, const char *guest, RecordHas has, const void *something, char **ret_holder);
