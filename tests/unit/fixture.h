/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the unit tests stand on: cmocka with all it wants included before it, a root directory of the test's own with
 * machines from tests/machines in it, and what was logged. Failing here fails the test at once. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util.h"

typedef struct Fixture {
        char path[64]; /* a temporary directory */
        int root;      /* the same as a root handle, see root.h */
        int log;       /* takes standard error while a capture is on, else -EBADF */
        int saved_stderr;
} Fixture;

/* For cmocka: *state becomes a Fixture with an empty root, and messages are silent unless captured. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define fixture_test(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

/* Lays tests/machines/NAME.tree, or lines in the same format (tests/machines/tree.py tells it), into the root. */
void fixture_machine(Fixture *f, const char *name);
void fixture_lines(Fixture *f, const char *lines);

/* A file with just this content, and what directories it needs; paths are below the root without a leading slash. */
void fixture_write(Fixture *f, const char *path, const char *content);
void fixture_link(Fixture *f, const char *path, const char *target);
void fixture_directory(Fixture *f, const char *path);
void fixture_remove(Fixture *f, const char *path);

/* From here on messages up to LOG_DEBUG are collected; fixture_log() stops that and returns them, to be freed. */
void fixture_capture(Fixture *f);
char *fixture_log(Fixture *f);

/* Stops the capture and fails unless the log contains this text. */
void fixture_assert_logged(Fixture *f, const char *text);
