/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that answers anything to what its agent has been asked: a line an answer, and each is taken for an answer to all. */

#include "agent-reply.h"
#include "code-page.h"
#include "fuzz.h"

static void judge(const json_t *reply) {
        _cleanup_(agent_status_done) AgentStatus status = {};
        _cleanup_(freep) char *data = NULL;
        int64_t number;
        size_t size;

        (void) agent_reply_system(reply);
        (void) agent_reply_pid(reply, &number);
        (void) agent_reply_handle(reply, &number);
        (void) agent_reply_written(reply, 5);
        (void) agent_reply_read(reply, &data, &size);
        if (agent_reply_status(reply, &status) >= 0 && status.out) {
                _cleanup_(freep) char *text = NULL;

                (void) code_page_decode(code_page_parse(status.out, status.n_out), status.out, status.n_out, &text, &size);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        for (const uint8_t *end; size > 0; size -= (size_t) (end - data), data = end) {
                _cleanup_(json_decrefp) json_t *reply = NULL;
                _cleanup_(freep) char *refusal = NULL;
                const uint8_t *newline = memchr(data, '\n', size);
                size_t n = newline ? (size_t) (newline - data) : size;

                end = data + n + (newline ? 1 : 0);
                (void) agent_reply_answers_sync((const char *) data, n, 42);
                if (agent_reply_parse((const char *) data, n, &reply, &refusal) > 0 && reply)
                        judge(reply);
        }
        return 0;
}
