/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks the guest's agent to shut down. */

#include <sys/socket.h>
#include <sys/un.h>

#include "agent.h"
#include "json.h"

enum {
        LINE_MAX_BYTES = 64 * 1024, /* a guest may have talked to nobody for long; its backlog is not worth more */
};

static int agent_write(Agent *agent, const char *text) {
        ssize_t n = send(agent->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);

        return n < 0 ? -errno : (size_t) n == strlen(text) ? 0 : -EAGAIN;
}

int agent_connect(const char *path, unsigned id, Agent *ret) {
        _cleanup_(agent_done) Agent agent = { .fd = -EBADF, .sync_id = id, .lines.max = LINE_MAX_BYTES };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        char text[128];
        int r;

        if (strlen(path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);

        agent.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (agent.fd < 0)
                return -errno;
        if (connect(agent.fd, (struct sockaddr *) &address, sizeof address) < 0)
                return -errno;

        /* The byte 0xff makes the agent drop what a caller before us may have left half-said. */
        (void) snprintf(text, sizeof text,
                "\xff{\"execute\": \"guest-sync-delimited\", \"arguments\": {\"id\": %u}}\n", id);
        r = agent_write(&agent, text);
        if (r < 0)
                return r;

        *ret = agent;
        agent = (Agent){ .fd = -EBADF };
        return 0;
}

/* A reply to guest-sync-delimited starts with 0xff; what stands before it was meant for somebody else. */
static bool answers_sync(const Agent *agent, const char *line, size_t size) {
        const char *delimiter = memrchr(line, 0xff, size);
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const json_t *id;

        if (!delimiter)
                return false;
        delimiter++;
        reply = json_loadb(delimiter, size - (size_t) (delimiter - line), JSON_UNTRUSTED, NULL);
        id = json_object_get(reply, "return");
        return json_is_integer(id) && json_integer_value(id) == agent->sync_id;
}

static int take_lines(Agent *agent) {
        char *next;
        size_t size;

        while ((next = lines_next(&agent->lines, &size))) {
                _cleanup_(freep) char *line = next;

                if (answers_sync(agent, line, size))
                        return 1;
        }
        return 0;
}

int agent_process(Agent *agent) {
        ssize_t n = lines_read(&agent->lines, agent->fd);

        if (n == -EAGAIN)
                return 0;
        if (n <= 0)
                return n == 0 ? -ECONNRESET : n == -EMSGSIZE ? -EPROTO : (int) n;
        return take_lines(agent);
}

int agent_feed(Agent *agent, const void *data, size_t size) {
        int r = lines_feed(&agent->lines, data, size);

        return r < 0 ? (r == -EMSGSIZE ? -EPROTO : r) : take_lines(agent);
}

int agent_shutdown(Agent *agent) {
        return agent_write(agent, "{\"execute\": \"guest-shutdown\", \"arguments\": {\"mode\": \"powerdown\"}}\n");
}

int agent_reboot(Agent *agent) {
        return agent_write(agent, "{\"execute\": \"guest-shutdown\", \"arguments\": {\"mode\": \"reboot\"}}\n");
}

void agent_done(Agent *agent) {
        lines_done(&agent->lines);
        if (agent->fd >= 0)
                close(agent->fd);
        agent->fd = -EBADF;
}
