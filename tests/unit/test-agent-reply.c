/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest agent may answer, and what it may not. */

#include "agent-reply.h"
#include "fixture.h"

static json_t *parse_good(const char *line) {
        json_t *reply = NULL;
        char *refusal = NULL;

        if (agent_reply_parse(line, strlen(line), &reply, &refusal) != 1 || !reply || refusal)
                fail_msg("no answer: %s", line);
        return reply;
}

static void test_lines(void **state) {
        static const char *const wrong[] = { "", "{", "[]", "5", "\"return\"", "{\"return\": 1, \"return\": 2}", "{\"return\": 1, \"error\": {}}",
                "{\"return\": 1} x", "{\"return\": \"\xff\"}", "\xff{\"return\": 1}" };
        json_t *reply = NULL;
        char *refusal = NULL;

        (void) state;
        json_decref(parse_good("{\"return\": {}}"));
        json_decref(parse_good("{\"return\": 5}\r"));
        assert_int_equal(agent_reply_parse("{\"event\": 1}", 12, &reply, &refusal), 0);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (agent_reply_parse(wrong[i], strlen(wrong[i]), &reply, &refusal) != -EPROTO)
                        fail_msg("taken: %s", wrong[i]);
}

static void test_refusals(void **state) {
        static const char bad[] = "{\"error\": {\"class\": \"GenericError\", \"desc\": \"a\\u001b[2J\\nb. \"}}";
        static const char none[] = "{\"error\": 5}";
        char longest[2000] = "{\"error\": {\"desc\": \"";
        json_t *reply = NULL;
        char *refusal = NULL;

        (void) state;
        assert_int_equal(agent_reply_parse(bad, strlen(bad), &reply, &refusal), 1);
        assert_null(reply);
        assert_string_equal(refusal, "a?[2J?b");
        free(refusal);
        assert_int_equal(agent_reply_parse(none, strlen(none), &reply, &refusal), 1);
        assert_string_equal(refusal, "it cannot");
        free(refusal);
        memset(longest + strlen(longest), 'x', 1900);
        strcpy(longest + 1920, "\"}}");
        assert_int_equal(agent_reply_parse(longest, strlen(longest), &reply, &refusal), 1);
        assert_int_equal(strlen(refusal), AGENT_REFUSAL_MAX);
        free(refusal);
}

/* A line of 2 MB that would become 90 MB. */
static void test_many_parts(void **state) {
        const size_t n = 700 * 1000;
        _cleanup_(freep) char *line = malloc(n * 3 + 32);
        char *refusal = NULL, *end = stpcpy(line, "{\"return\": [0");
        json_t *reply = NULL;

        (void) state;
        for (size_t i = 0; i < n; i++)
                end = stpcpy(end, ",[]");
        end = stpcpy(end, "]}");
        assert_int_equal(agent_reply_parse(line, (size_t) (end - line), &reply, &refusal), -EPROTO);
}

static void test_why(void **state) {
        char text[1000], out[] = " on output.\r\n", blank[] = "\n";
        AgentStatus s = { .err = text };

        (void) state;
        strcpy(text, "\n a\x1b[2J b.\n");
        assert_string_equal(agent_status_why(&s, "?"), "a?[2J b");
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        memcpy(text + AGENT_REFUSAL_MAX - 3, "\xc3\xbc\xc3\xbc", 4);
        assert_int_equal(strlen(agent_status_why(&s, "?")), AGENT_REFUSAL_MAX - 1);
        assert_memory_equal(text + AGENT_REFUSAL_MAX - 3, "\xc3\xbc", 3);
        s = (AgentStatus){ .err = blank, .out = out };
        assert_string_equal(agent_status_why(&s, "?"), "on output");
        s = (AgentStatus){};
        assert_string_equal(agent_status_why(&s, "?"), "?");
}

static void test_sync(void **state) {
        static const char good[] = "{\"half\xff{\"return\": 42}";

        (void) state;
        assert_true(agent_reply_answers_sync(good, strlen(good), 42));
        assert_false(agent_reply_answers_sync(good, strlen(good), 41));
        assert_false(agent_reply_answers_sync("", 0, 0));
        assert_false(agent_reply_answers_sync("{\"return\": 42}", 14, 42));
        assert_false(agent_reply_answers_sync("\xff{\"return\": \"42\"}", 17, 42));
}

static int status_of(const char *members, AgentStatus *ret) {
        _cleanup_(freep) char *line = NULL;
        _cleanup_(json_decrefp) json_t *reply = NULL;

        assert_int_equal(format(&line, "{\"return\": {%s}}", members), 0);
        reply = parse_good(line);
        return agent_reply_status(reply, ret);
}

static void test_status(void **state) {
        static const struct {
                const char *members;
                int status;
        } good[] = {
                { "\"exited\": true, \"exitcode\": 0", 0 },
                { "\"exited\": true, \"exitcode\": 3", 3 },
                { "\"exited\": true, \"exitcode\": 256", 1 }, /* what is no success must not become one */
                { "\"exited\": true, \"exitcode\": 3221225786", 0x3a }, /* Windows: ended by Ctrl-C */
                { "\"exited\": true, \"exitcode\": -1", 255 },
                { "\"exited\": true, \"signal\": 9", 137 },
                { "\"exited\": true, \"signal\": 1073741845", 255 },
        };
        static const char *const wrong[] = { "", "\"exited\": 1", "\"exited\": \"true\"", "\"exited\": true", "\"exited\": true, \"exitcode\": \"0\"",
                "\"exited\": true, \"exitcode\": 4294967296", "\"exited\": true, \"exitcode\": 0.0", "\"exited\": true, \"signal\": 0",
                "\"exited\": true, \"exitcode\": 0, \"out-data\": \"x\"", "\"exited\": true, \"exitcode\": 0, \"err-data\": [\"\"]",
                "\"exited\": true, \"exitcode\": null" };
        AgentStatus s = {};

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                assert_int_equal(status_of(good[i].members, &s), 0);
                assert_true(s.exited);
                assert_int_equal(s.status, good[i].status);
        }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                if (status_of(wrong[i], &s) != -EPROTO)
                        fail_msg("taken: %s", wrong[i]);
        assert_int_equal(status_of("\"exited\": false", &s), 0);
        assert_false(s.exited);
        assert_int_equal(status_of("\"exited\": true, \"exitcode\": 0, \"out-data\": \"AGE=\", \"err-data\": \"Yg==\", \"err-truncated\": true", &s), 0);
        assert_int_equal(s.n_out, 2);
        assert_memory_equal(s.out, "\0a", 2);
        assert_string_equal(s.err, "b");
        assert_true(s.cut);
        agent_status_done(&s);
        assert_null(s.out);
}

static void test_numbers(void **state) {
        static const char *const pids[] = { "{}", "{\"pid\": 0}", "{\"pid\": -5}", "{\"pid\": 4294967296}", "{\"pid\": 1.0}", "5" };
        int64_t n;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                _cleanup_(json_decrefp) json_t *reply = json_loads(pids[i], JSON_DECODE_ANY, NULL);

                assert_int_equal(agent_reply_pid(reply, &n), -EPROTO);
        }
        {
                _cleanup_(json_decrefp) json_t *pid = json_pack("{s:i}", "pid", 77), *handle = json_integer(1000), *bad = json_integer(-1);

                assert_int_equal(agent_reply_pid(pid, &n), 0);
                assert_int_equal(n, 77);
                assert_int_equal(agent_reply_handle(handle, &n), 0);
                assert_int_equal(n, 1000);
                assert_int_equal(agent_reply_handle(bad, &n), -EPROTO);
                assert_int_equal(agent_reply_handle(NULL, &n), -EPROTO);
        }
}

static void test_files(void **state) {
        _cleanup_(json_decrefp) json_t *good = json_pack("{s:i,s:s,s:b}", "count", 2, "buf-b64", "AGE=", "eof", 0),
                *more = json_pack("{s:i,s:s}", "count", 3, "buf-b64", "AGE="), *huge = json_pack("{s:i,s:s}", "count", AGENT_READ_MAX + 1, "buf-b64", "AGE="),
                *written = json_pack("{s:i}", "count", 5);
        _cleanup_(json_decrefp) json_t *there = json_pack("{s:I}", "position", (json_int_t) 1 << 40), *nowhere = json_pack("{s:i}", "position", -1);
        uint64_t position;
        char *data;
        size_t size;

        (void) state;
        assert_int_equal(agent_reply_position(there, &position), 0);
        assert_int_equal(position, UINT64_C(1) << 40);
        assert_int_equal(agent_reply_position(nowhere, &position), -EPROTO);
        assert_int_equal(agent_reply_position(NULL, &position), -EPROTO);
        assert_int_equal(agent_reply_read(good, &data, &size), 0);
        assert_int_equal(size, 2);
        assert_memory_equal(data, "\0a", 2);
        free(data);
        assert_int_equal(agent_reply_read(more, &data, &size), -EPROTO);
        assert_int_equal(agent_reply_read(huge, &data, &size), -EPROTO);
        assert_int_equal(agent_reply_read(NULL, &data, &size), -EPROTO);
        assert_int_equal(agent_reply_written(written, 5), 0);
        assert_int_equal(agent_reply_written(written, 6), -ENOSPC);
        assert_int_equal(agent_reply_written(written, 4), -EPROTO);
}

static void test_system(void **state) {
        _cleanup_(json_decrefp) json_t *windows = json_pack("{s:s}", "id", "mswindows"), *debian = json_pack("{s:s}", "id", "debian"),
                *none = json_pack("{s:i}", "id", 5);

        (void) state;
        assert_int_equal(agent_reply_system(windows), AGENT_SYSTEM_WINDOWS);
        assert_int_equal(agent_reply_system(debian), AGENT_SYSTEM_POSIX);
        assert_int_equal(agent_reply_system(none), AGENT_SYSTEM_POSIX);
        assert_int_equal(agent_reply_system(NULL), AGENT_SYSTEM_POSIX);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_many_parts),
                cmocka_unit_test(test_why),
                cmocka_unit_test(test_sync),
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_system),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
