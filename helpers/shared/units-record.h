/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The undo record of vxm-units: which units ran, and are stopped for one guest. It is written whole before the first of
 * them is stopped, and taken away once they have been started again. What several guests have stopped stands in the
 * records of them all: the last one that ends starts it. */

#include "util.h"

typedef struct UnitNames {
        char **names; /* systemd's own names, no aliases; none twice */
        size_t n;
} UnitNames;

/* Adds a copy of name, unless it is there. Returns 0; -E2BIG: there are too many; -ENOMEM. */
int unit_names_add(UnitNames *names, const char *name);
bool unit_names_have(const UnitNames *names, const char *name);
void unit_names_done(UnitNames *names);

/* Reads a record's text (changed in place), one name a line. Returns 0, -EBADMSG when it is none, -ENOMEM. */
int units_record_parse(char *text, UnitNames *ret);

/* Keeps the record as run/vxm/units/GUEST below root: all of it, or -errno and nothing. */
int units_record_save(int root, const char *guest, const UnitNames *record);

/* Returns 0; -ENOENT: there is none; -EBADMSG: it is damaged; -errno. */
int units_record_load(int root, const char *guest, UnitNames *ret);

/* Keeps other runs from reading and writing records until *ret_fd is closed. Waits for them; they are short. */

/* Whether a guest other than this one has the unit in its record, that is, wants it stopped. To be called under the
 * lock. Returns 1 and the guest's name in *ret_holder; 0: none has; -errno, and in *ret_holder whose record cannot be
 * read, if it is that. */
int units_record_holder(int root, const char *guest, const char *unit, char **ret_holder);

/* Removes the record. Returns 0, also when there is none, or -errno. */
int units_record_forget(int root, const char *guest);
