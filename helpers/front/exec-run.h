/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Runs a command in a guest by its agent, as if it ran here: its input, output, errors, end, and what ends it. */

#include "util.h"

typedef struct ExecJob {
        const char *sockets;   /* the guest's directory of sockets */
        const char *guest;
        const char *const *words; /* up to NULL */
        bool exact;            /* the words are a program and its arguments; else they become a line for the guest's shell */
        const char *tmp;       /* in the guest, where files can be written; NULL: /tmp */
        bool raw;              /* what Windows writes stays in its code page */
        int in, out, err;      /* descriptors; in may be -1: the command gets no input */
        uint64_t timeout;      /* µs until the command is ended; 0: none */
} ExecJob;

enum {
        EXEC_STATUS_TIMEOUT = 124, /* as timeout(1) has it */
};

/* Returns the command's status, 128 and the number of the signal that has ended it or vxm, or EXEC_STATUS_TIMEOUT; or what
 * agent_client_calls() returns, logged. */
int exec_run(const ExecJob *job);

/* The directory of a guest's sockets. Returns 0; -E_CONFIG: that is no guest's name; -ENOMEM; logged. */
int exec_sockets(const char *root, const char *guest, char **ret);
