/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* One conversation with the QEMU of a running guest, over the monitor that is there for callers from outside. QEMU is
 * not trusted: it has to be the guest's own, each answer has its time, and what is shown of it is cleaned. */

#include <sys/types.h>

#include "qmp.h"

typedef struct LifeSession LifeSession;

/* An event of QEMU; data may be NULL. Borrowed. */
typedef void (*LifeOnEvent)(const char *name, const json_t *data, void *userdata);

/* Whether what is waited for has come. */
typedef bool (*LifeIsDone)(void *userdata);

/* Connects to the socket “qmp” in a guest's directory of sockets, and waits until QEMU takes commands. That the guest does
 * not run, or that QEMU is busy with another caller, is logged with the next step. Returns 0; -ENOTCONN: it does not run;
 * -E_BUSY: no answer in time; -EPERM: somebody else's QEMU answers; -EACCES: not for this user; -errno. */
int life_open(const char *sockets, const char *guest, LifeSession **ret);
LifeSession *life_close(LifeSession *s);
static inline void life_closep(LifeSession **s) {
        life_close(*s);
}

/* The guest's name, its directory of sockets, and QEMU's process as the kernel tells it. */
const char *life_guest(const LifeSession *s);
const char *life_sockets(const LifeSession *s);
pid_t life_pid(const LifeSession *s);

/* Whom events are told from now on, while answers and events are waited for; NULL: nobody. */
void life_listen(LifeSession *s, LifeOnEvent on_event, void *userdata);

/* Sends a command and waits for its answer; arguments (or NULL) are taken over. ret may be NULL; else *ret is a new reference
 * to the answer. What QEMU has against it is logged after what, which says what could not be done. Returns 0; -ECANCELED: QEMU
 * refuses; -E_BUSY: no answer in time; -ECONNRESET: QEMU has ended; -errno. */
int life_call(LifeSession *s, const char *what, const char *command, json_t *arguments, json_t **ret);

/* Hands an open descriptor to QEMU with the next command. Returns 0 or -errno. */
int life_send_fd(LifeSession *s, int fd);

/* Waits for events until done(userdata), for at most so many µs. Returns 1; 0: the time is over; -ECONNRESET; -errno. */
int life_wait(LifeSession *s, uint64_t usec, LifeIsDone done, void *userdata);

/* Copies text that QEMU wrote, fit for a terminal: no control characters, valid UTF-8, and not too long. Returns NULL when
 * out of memory. */
char *life_clean(const char *text);
