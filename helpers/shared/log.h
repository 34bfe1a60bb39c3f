/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* One line a message, to the journal with its fields when standard error is the journal, else to standard error.
 * An error is logged once, where its cause and the next step are known; callers pass the -errno on. */

#include <syslog.h>

#include "util.h"

/* Names the program, and the guest it works for (NULL: none). A guest's root helpers write into the guest's story too:
 * `journalctl -u vxm-guest@G` shows what carries OBJECT_SYSTEMD_UNIT= and comes from root, see journalctl(1). VXM_GUEST=
 * comes from the units' LogExtraFields=. */
void log_setup(const char *program, const char *guest);

/* Names the unit that messages belong to when they are for no guest. journald finds it out by itself, but not always when
 * the program ends at once, as it does early at boot. */
void log_set_unit(const char *unit);

/* Sends messages to the kernel's log instead, where journald picks them up: generators have no other way, as systemd runs
 * them with nothing behind standard error. */
void log_to_kmsg(void);

/* Collects messages in f instead, a line each, for who asks what would be said; NULL: no more. */
void log_to_stream(FILE *f);

/* Messages above this priority (LOG_ERR … LOG_DEBUG, LOG_INFO at first) are dropped; -1 drops all. SYSTEMD_LOG_LEVEL=debug in
 * the environment makes it LOG_DEBUG, as does DebugInvocation of systemd. */
void log_set_max_priority(int priority);
int log_get_max_priority(void);

/* Whether a message of LOG_ERR has been sent, so that who has called knows why it fails. */
bool log_has_told_error(void);

/* Returns -abs(error), so that `return log_error_errno(r, …)` reads well. message_id: one of messages.h or NULL; fields:
 * NULL or a NULL-terminated list of name, value, name, value … */
int log_full(int priority, int error, const char *message_id, const char *const fields[], const char *fmt, ...)
        _printf_(5, 6);

#define log_debug(...) log_full(LOG_DEBUG, 0, NULL, NULL, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, 0, NULL, NULL, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, 0, NULL, NULL, __VA_ARGS__)
#define log_error_errno(error, ...) log_full(LOG_ERR, error, NULL, NULL, __VA_ARGS__)
#define log_oom() log_full(LOG_ERR, ENOMEM, NULL, NULL, "Out of memory.")

/* A message with an ID, and fields given as FIELDS("NAME", value, …) or NULL. */
#define log_event(priority, id, fields, ...) log_full(priority, 0, id, fields, __VA_ARGS__)
#define log_event_errno(error, id, fields, ...) log_full(LOG_ERR, error, id, fields, __VA_ARGS__)
#define FIELDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
