/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A QMP client (QEMU: docs/interop/qmp-spec.rst) on a connected socket, driven by its owner's event loop. QEMU is not
 * trusted: lines are bounded, and what does not fit the protocol ends the connection. */

#include "json.h"
#include "util.h"

typedef struct Qmp Qmp;

/* The reply to one command: reply is its "return" member, or NULL, and error then says why. Borrowed. */
typedef void (*QmpReply)(Qmp *qmp, const json_t *reply, const char *error, void *userdata);

typedef struct QmpHandlers {
        void (*ready)(Qmp *qmp, void *userdata); /* greeting and capabilities are through: commands are taken now */
        void (*event)(Qmp *qmp, const char *name, const json_t *data, void *userdata); /* data may be NULL */
} QmpHandlers;

/* Takes over fd, a connected stream socket in non-blocking mode. handlers must outlive the client. Returns NULL when out
 * of memory; fd is closed then. */
Qmp *qmp_new(int fd, const QmpHandlers *handlers, void *userdata);
Qmp *qmp_free(Qmp *qmp);
static inline void qmp_freep(Qmp **q) {
        qmp_free(*q);
}

int qmp_fd(const Qmp *qmp);

/* Sends a command; arguments (or NULL) is taken over. on_reply may be NULL. Returns 0; -EAGAIN when QEMU does not read;
 * -errno. */
int qmp_send(Qmp *qmp, const char *command, json_t *arguments, QmpReply on_reply, void *userdata);

/* To be called when fd is readable: reads once, so that a flood keeps nobody from other work, and calls back. Returns 1;
 * 0 when there was nothing to read; -ECONNRESET when QEMU has closed; -EPROTO when it said what is not QMP, or too much
 * that cannot be read; -errno. */
int qmp_process(Qmp *qmp);

/* Takes in bytes as if they had been read from fd; for tests and fuzzing. Returns 0 or as qmp_process(). */
int qmp_feed(Qmp *qmp, const void *data, size_t size);
