/* SPDX-License-Identifier: BSD-3-Clause */
/* Judges what the guest agent answers. */

#include "agent-reply.h"
#include "base64.h"

enum {
        PARTS_MAX = 1000, /* in a line; each may cost fifty times the memory of its bytes, and true answers have a dozen */
};

/* Ours follows, with a full stop of its own. */
static char *clean(char *text) {
        size_t n = strnlen(text, AGENT_REFUSAL_MAX);

        while (n > 0 && text[n] != '\0' && ((unsigned char) text[n] & 0xc0) == 0x80) /* characters stay whole */
                n--;
        text[n] = '\0';
        text = strstrip(text);
        n = strlen(text_clean(text));
        while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ' '))
                text[--n] = '\0';
        return text;
}

static int clean_refusal(const char *text, char **ret) {
        _cleanup_(freep) char *copy = strndup(text, AGENT_REFUSAL_MAX + 1);

        *ret = copy ? strdup(clean(copy)) : NULL;
        return *ret ? 0 : -ENOMEM;
}

static json_t *parse_line(const char *line, size_t size) {
        size_t parts = 0;

        for (size_t i = 0; i < size; i++)
                parts += line[i] == '[' || line[i] == '{' || line[i] == ',';
        return parts <= PARTS_MAX ? json_loadb(line, size, JSON_UNTRUSTED, NULL) : NULL;
}

int agent_reply_parse(const char *line, size_t size, json_t **ret_return, char **ret_refusal) {
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const json_t *error;
        json_t *value;
        const char *text;
        int r;

        reply = parse_line(line, size);
        if (!json_is_object(reply))
                return -EPROTO;
        value = json_object_get(reply, "return");
        error = json_object_get(reply, "error");
        if (!value && !error)
                return 0;
        if (value && error)
                return -EPROTO;
        if (value) {
                *ret_return = json_incref(value);
                return 1;
        }
        text = json_get_string(error, "desc");
        r = clean_refusal(text ? text : "it cannot", ret_refusal);
        return r < 0 ? r : 1;
}

/* Such an answer starts with the byte 0xff; what stands before it was meant for somebody else. */
bool agent_reply_answers_sync(const char *line, size_t size, int64_t id) {
        const char *delimiter = size > 0 ? memrchr(line, 0xff, size) : NULL;
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const json_t *value;

        if (!delimiter)
                return false;
        delimiter++;
        reply = parse_line(delimiter, size - (size_t) (delimiter - line));
        value = json_object_get(reply, "return");
        return json_is_integer(value) && json_integer_value(value) == id;
}

AgentSystem agent_reply_system(const json_t *reply) {
        const char *id = json_get_string(reply, "id");

        return id && streq(id, "mswindows") ? AGENT_SYSTEM_WINDOWS : AGENT_SYSTEM_POSIX;
}

static int get_number(const json_t *value, int64_t min, int64_t max, int64_t *ret) {
        if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
                return -EPROTO;
        *ret = json_integer_value(value);
        return 0;
}

int agent_reply_pid(const json_t *reply, int64_t *ret) {
        return get_number(json_object_get(reply, "pid"), 1, UINT32_MAX, ret); /* Windows' have 32 bits */
}

int agent_reply_handle(const json_t *reply, int64_t *ret) {
        return get_number(reply, 0, INT64_MAX, ret);
}

int agent_reply_written(const json_t *reply, size_t size) {
        int64_t count;
        int r = get_number(json_object_get(reply, "count"), 0, (int64_t) size, &count);

        return r < 0 ? r : (size_t) count == size ? 0 : -ENOSPC;
}

static int decode(const json_t *value, size_t max, char **ret, size_t *ret_size) {
        int r = json_is_string(value) ? base64_decode(json_string_value(value), json_string_length(value), max, ret, ret_size) : -EPROTO;

        return r == -EINVAL || r == -EFBIG ? -EPROTO : r;
}

int agent_reply_read(const json_t *reply, char **ret, size_t *ret_size) {
        char *data;
        int64_t count;
        size_t size;
        int r;

        r = get_number(json_object_get(reply, "count"), 0, AGENT_READ_MAX, &count);
        r = r < 0 ? r : decode(json_object_get(reply, "buf-b64"), AGENT_READ_MAX, &data, &size);
        if (r < 0)
                return r;
        if ((size_t) count != size) {
                free(data);
                return -EPROTO;
        }
        *ret = data;
        *ret_size = size;
        return 0;
}

int agent_reply_position(const json_t *reply, uint64_t *ret) {
        int64_t position;
        int r = get_number(json_object_get(reply, "position"), 0, INT64_MAX, &position);

        if (r >= 0)
                *ret = (uint64_t) position;
        return r;
}

void agent_status_done(AgentStatus *s) {
        free(s->out);
        free(s->err);
        *s = (AgentStatus){};
}

const char *agent_status_why(AgentStatus *s, const char *otherwise) {
        const char *text = s->err ? clean(s->err) : "";

        text = isempty(text) && s->out ? clean(s->out) : text;
        return isempty(text) ? otherwise : text;
}

/* Windows' statuses have 32 bits; what is no success must not become one. */
static int get_exit(const json_t *reply, int *ret) {
        const json_t *code = json_object_get(reply, "exitcode"), *signal = json_object_get(reply, "signal");
        int64_t number = 0;
        int r;

        if (!code && !signal)
                return -EPROTO;
        if (!code) {
                r = get_number(signal, 1, INT32_MAX, &number);
                *ret = number < 128 ? 128 + (int) number : 255; /* Windows calls its exceptions so */
                return r;
        }
        r = get_number(code, INT32_MIN, UINT32_MAX, &number);
        *ret = (number & 0xff) != 0 ? (int) (number & 0xff) : number != 0;
        return r;
}

static int get_output(const json_t *reply, const char *key, char **ret, size_t *ret_size) {
        const json_t *value = json_object_get(reply, key);

        return value ? decode(value, AGENT_CAPTURE_MAX, ret, ret_size) : 0;
}

int agent_reply_status(const json_t *reply, AgentStatus *ret) {
        _cleanup_(agent_status_done) AgentStatus s = {};
        const json_t *exited = json_object_get(reply, "exited");
        int r;

        if (!json_is_boolean(exited))
                return -EPROTO;
        s.exited = json_is_true(exited);
        r = s.exited ? get_exit(reply, &s.status) : 0;
        r = r < 0 ? r : get_output(reply, "out-data", &s.out, &s.n_out);
        r = r < 0 ? r : get_output(reply, "err-data", &s.err, &s.n_err);
        if (r < 0)
                return r;
        s.cut = json_is_true(json_object_get(reply, "out-truncated")) || json_is_true(json_object_get(reply, "err-truncated"));
        *ret = s;
        s = (AgentStatus){};
        return 0;
}
