/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* The exit statuses are API: units, scripts and tests rely on them. Inside, functions return -errno; here is the one
 * place where that becomes a status. */

#include <errno.h>

enum {
        STATUS_DONE = 0,    /* done, or already so */
        STATUS_FAILED = 1,  /* unexpected system error */
        STATUS_USAGE = 64,  /* wrong command line */
        STATUS_LACKS = 69,  /* hardware or kernel feature absent */
        STATUS_BUSY = 75,   /* busy; a retry may help */
        STATUS_CONFIG = 78, /* a file needs editing */
};

/* The errno values our own code gives the three expected failures; the kernel's own errors never pass for them unless
 * they mean the same. */
enum {
        E_LACKS = ENOPKG,
        E_BUSY = EBUSY,
        E_CONFIG = EBADMSG,
};

static inline int exit_status(int r) {
        if (r >= 0)
                return STATUS_DONE;

        switch (-r) {
        case E_LACKS:
                return STATUS_LACKS;
        case E_BUSY:
                return STATUS_BUSY;
        case E_CONFIG:
                return STATUS_CONFIG;
        default:
                return STATUS_FAILED;
        }
}
