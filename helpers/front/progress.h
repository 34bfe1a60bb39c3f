/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* How far something is that takes long: a bar that moves on a terminal, a line a quarter elsewhere. */

#include "util.h"

typedef struct Progress {
        const char *what; /* “debian-13-genericcloud-amd64.qcow2” */
        FILE *stream;
        bool terminal;
        int shown;      /* percent; -1: nothing yet */
        uint64_t since; /* µs, monotonic: when that was */
} Progress;

/* stream: standard error, say. what is borrowed. */
void progress_begin(Progress *p, const char *what, FILE *stream);

/* done of total bytes; total 0: nobody knows, then the bytes are shown. */
void progress_show(Progress *p, uint64_t done, uint64_t total);

/* Ends the line that the bar stands in. */
void progress_end(Progress *p);
