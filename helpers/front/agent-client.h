/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A client of the QEMU guest agent's protocol (qemu-ga-ref(7)) for programs that ask and wait. The socket takes one caller at a time, so
 * nobody keeps it: who waits for anything but the agent lets go of it, and who uses it for long lets others in between. What has to be
 * kept from one connection to the next, open files and processes, lives in the agent. */

#include "agent-reply.h"

typedef struct AgentClient AgentClient;

/* One command, and what came of it: reply is its "return" member, or NULL, and refusal then says why. */
typedef struct AgentCall {
        const char *command;
        json_t *arguments; /* or NULL; taken over by agent_client_calls() */
        json_t *reply;
        char *refusal;
} AgentCall;

void agent_calls_done(AgentCall calls[], size_t n);

/* sockets: the guest's directory of sockets. Connects to nothing yet. Returns NULL when out of memory. */
AgentClient *agent_client_new(const char *sockets, const char *guest);
AgentClient *agent_client_free(AgentClient *c);
static inline void agent_client_freep(AgentClient **c) {
        agent_client_free(*c);
}

const char *agent_client_guest(const AgentClient *c);

/* Waits for no answer longer than so many µs, if that is less than what is usual. */
void agent_client_set_patience(AgentClient *c, uint64_t usec);

/* Whether signals end the waiting for an answer, see interrupt.h; so they do at first, but for one that comes at once. */
void agent_client_set_interruptible(AgentClient *c, bool interruptible);

/* Sends all commands at once, and waits for all answers; connects before if need be. What the agent has against a command is in that
 * call; all else is logged. Returns 0; -EINTR: a signal has come, and no answer, which is not logged; -E_CONFIG: there is no such guest; -ENOTCONN: it does not run;
 * -E_LACKS: no agent runs in it; -E_BUSY: no answer in time; -EACCES, -EPERM; -EPROTO: what came is no answer; -ECONNRESET; -errno. */
int agent_client_calls(AgentClient *c, AgentCall calls[], size_t n);

/* One command; arguments are taken over. A refusal is logged after what, which says what could not be done. *ret is a new
 * reference to the answer; ret may be NULL. Returns as agent_client_calls(), and -ECANCELED: the agent refuses. */
int agent_client_call(AgentClient *c, const char *what, const char *command, json_t *arguments, json_t **ret);

/* Logs that an answer does not fit its command, or what else r says of it, and returns r. */
int agent_client_misfit(AgentClient *c, int r, const char *command);

/* Lets others talk to the agent, until the next call. */
void agent_client_release(AgentClient *c);

/* What a file, process or script in the guest is done to with. All log what fails and return as agent_client_call(). */
int agent_open(AgentClient *c, const char *path, const char *mode, int64_t *ret_handle);
int agent_read(AgentClient *c, int64_t handle, char **ret, size_t *ret_size);
int agent_write(AgentClient *c, int64_t handle, const void *data, size_t size);
int agent_close(AgentClient *c, int64_t handle); /* also writes out what the agent may have kept back */

/* Arguments for guest-exec: words are the program and its arguments, up to NULL; input may be NULL. Returns NULL when out of memory, or
 * when a word is not UTF-8. */
json_t *agent_exec_arguments(const char *const words[], const void *input, size_t input_size);

/* Runs a program, waits for its end, and returns what it has written and ended with in *ret. A signal ends the waiting, not the program. */
int agent_exec(AgentClient *c, const char *what, const char *const words[], AgentStatus *ret);
