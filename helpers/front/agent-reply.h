/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What the QEMU guest agent answers (qemu-ga-ref(7)). The guest writes it, so it is judged as from an enemy: pure, bounded, and
 * what does not fit is an error. */

#include "json.h"
#include "util.h"

enum {
        AGENT_CAPTURE_MAX = 16 * 1024 * 1024, /* the agent keeps so much of what a command writes, and drops the rest */
        AGENT_READ_MAX = 1024 * 1024,         /* bytes of one guest-file-read of ours */
        AGENT_REFUSAL_MAX = 300,              /* bytes of what it has against something */
};

/* A line: {"return": …}, of which *ret_return is a new reference, or {"error": …}, of which *ret_refusal is the text, fit to be shown, to
 * be freed. Returns 1; 0: this is neither, such as an event; -EPROTO: it is no JSON object; -ENOMEM. */
int agent_reply_parse(const char *line, size_t size, json_t **ret_return, char **ret_refusal);

/* Whether the line is the answer to guest-sync-delimited with that id. */
bool agent_reply_answers_sync(const char *line, size_t size, int64_t id);

typedef enum AgentSystem {
        AGENT_SYSTEM_POSIX,
        AGENT_SYSTEM_WINDOWS,
} AgentSystem;

/* guest-get-osinfo; reply may be NULL: an agent that does not tell. */
AgentSystem agent_reply_system(const json_t *reply);

/* guest-exec. Returns 0 or -EPROTO. */
int agent_reply_pid(const json_t *reply, int64_t *ret);

/* guest-file-open. Returns 0 or -EPROTO. */
int agent_reply_handle(const json_t *reply, int64_t *ret);

/* guest-file-write: all of size must have been written. Returns 0, -ENOSPC or -EPROTO. */
int agent_reply_written(const json_t *reply, size_t size);

/* guest-file-read. Returns 0, -EPROTO or -ENOMEM; *ret has *ret_size bytes, 0 at the end of the file, and is to be freed. */
int agent_reply_read(const json_t *reply, char **ret, size_t *ret_size);

/* guest-file-seek. Returns 0 or -EPROTO. */
int agent_reply_position(const json_t *reply, uint64_t *ret);

typedef struct AgentStatus {
        bool exited;
        int status;      /* as a shell has it: what the process ended with, 128 and the signal's number when it was killed */
        char *out, *err; /* what it has written */
        size_t n_out, n_err;
        bool cut; /* it has written more than the agent keeps */
} AgentStatus;

/* guest-exec-status. Returns 0, -EPROTO or -ENOMEM. */
int agent_reply_status(const json_t *reply, AgentStatus *ret);
void agent_status_done(AgentStatus *s);

/* Why a program has failed, by what it has written itself, fit to be shown, at most AGENT_REFUSAL_MAX bytes; otherwise: when it does not say.
 * What it has written is changed. */
const char *agent_status_why(AgentStatus *s, const char *otherwise);
