/* SPDX-License-Identifier: BSD-3-Clause */
/* The QMP client: one JSON object a line in either direction, commands matched to replies by number. */

#include <sys/socket.h>

#include "lines.h"
#include "log.h"
#include "qmp.h"

enum {
        LINE_MAX_BYTES = 1024 * 1024, /* query-qmp-schema, the longest reply there is, has about 200 kB */
        PENDING_MAX = 64,
        UNREADABLE_MAX = 16,
};

typedef struct Pending {
        json_int_t id;
        QmpReply on_reply;
        void *userdata;
} Pending;

struct Qmp {
        int fd;
        const QmpHandlers *handlers;
        void *userdata;
        LineBuffer lines;
        bool greeted;
        unsigned n_unreadable;
        bool refused; /* no capabilities, so no commands: nothing can come of this connection */
        json_int_t last_id;
        Pending pending[PENDING_MAX];
        size_t n_pending;
};

Qmp *qmp_new(int fd, const QmpHandlers *handlers, void *userdata) {
        Qmp *qmp = calloc(1, sizeof *qmp);

        if (!qmp) {
                close(fd);
                return NULL;
        }
        qmp->fd = fd;
        qmp->handlers = handlers;
        qmp->userdata = userdata;
        qmp->lines.max = LINE_MAX_BYTES;
        return qmp;
}

Qmp *qmp_free(Qmp *qmp) {
        if (!qmp)
                return NULL;
        lines_done(&qmp->lines);
        if (qmp->fd >= 0)
                close(qmp->fd);
        free(qmp);
        return NULL;
}

int qmp_fd(const Qmp *qmp) {
        return qmp->fd;
}

/* Commands are short; the socket's buffer takes them whole unless QEMU has stopped reading. */
static int send_line(int fd, const char *text) {
        _cleanup_(freep) char *line = NULL;
        ssize_t n;
        int r;

        r = format(&line, "%s\n", text);
        if (r < 0)
                return r;
        n = send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
                return -errno;
        return (size_t) n == strlen(line) ? 0 : -EAGAIN;
}

int qmp_send(Qmp *qmp, const char *command, json_t *arguments, QmpReply on_reply, void *userdata) {
        _cleanup_(json_decrefp) json_t *message = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        if (qmp->n_pending >= PENDING_MAX) {
                json_decref(arguments);
                return -EAGAIN;
        }
        message = json_pack("{s:s, s:I, s:o*}", "execute", command, "id", qmp->last_id + 1, "arguments", arguments);
        if (!message)
                return -ENOMEM;
        text = json_dumps(message, JSON_COMPACT);
        if (!text)
                return -ENOMEM;
        r = send_line(qmp->fd, text);
        if (r < 0)
                return r;

        qmp->pending[qmp->n_pending++] = (Pending){ ++qmp->last_id, on_reply, userdata };
        return 0;
}

static int take_reply(Qmp *qmp, const json_t *message) {
        const json_t *id = json_object_get(message, "id"), *reply = json_object_get(message, "return");
        const json_t *error = json_object_get(message, "error");
        const char *text = json_get_string(error, "desc");

        for (size_t i = 0; i < qmp->n_pending; i++) {
                Pending p = qmp->pending[i];

                if (!json_is_integer(id) || json_integer_value(id) != p.id)
                        continue;
                qmp->pending[i] = qmp->pending[--qmp->n_pending];
                if (p.on_reply)
                        p.on_reply(qmp, reply, reply ? NULL : text ? text : "no reason given", p.userdata);
                return qmp->refused ? -EPROTO : 0;
        }
        return -EPROTO;
}

static void on_capabilities(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        (void) error;
        qmp->refused = !reply;
        if (reply && qmp->handlers->ready)
                qmp->handlers->ready(qmp, userdata);
}

static int take_message(Qmp *qmp, const json_t *message) {
        const char *event = json_get_string(message, "event");

        if (!qmp->greeted) {
                if (!json_is_object(json_object_get(message, "QMP")))
                        return -EPROTO;
                qmp->greeted = true;
                return qmp_send(qmp, "qmp_capabilities", NULL, on_capabilities, qmp->userdata);
        }
        if (event) {
                if (qmp->handlers->event)
                        qmp->handlers->event(qmp, event, json_object_get(message, "data"), qmp->userdata);
                return 0;
        }
        return take_reply(qmp, message);
}

static int take_lines(Qmp *qmp) {
        char *next;
        size_t size;

        while ((next = lines_next(&qmp->lines, &size))) {
                _cleanup_(freep) char *line = next;
                _cleanup_(json_decrefp) json_t *message = json_loadb(line, size, JSON_UNTRUSTED, NULL);
                int r;

                /* QEMU may well say a number that jansson cannot hold (unsigned, 64 bits); that is no reason to end a guest. */
                if (!json_is_object(message) && qmp->greeted && qmp->n_unreadable++ < UNREADABLE_MAX) {
                        log_warning("Passing over a message of QEMU that cannot be read (%zu bytes).", size);
                        continue;
                }
                if (!json_is_object(message))
                        return -EPROTO;
                r = take_message(qmp, message);
                if (r < 0)
                        return r;
        }
        return 0;
}

int qmp_process(Qmp *qmp) {
        ssize_t n = lines_read(&qmp->lines, qmp->fd);
        int r;

        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                return n == 0 ? -ECONNRESET : n == -EMSGSIZE ? -EPROTO : (int) n;
        r = take_lines(qmp);
        return r < 0 ? r : 1;
}

int qmp_feed(Qmp *qmp, const void *data, size_t size) {
        int r = lines_feed(&qmp->lines, data, size);

        if (r < 0)
                return r == -EMSGSIZE ? -EPROTO : r;
        return take_lines(qmp);
}
