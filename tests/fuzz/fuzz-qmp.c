/* SPDX-License-Identifier: BSD-3-Clause */
/* A QEMU that says anything, to a client that has commands under way. */

#include <sys/socket.h>

#include "fuzz.h"
#include "qmp.h"

static void on_reply(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        (void) qmp;
        (void) userdata;
        if (!reply == !error)
                abort(); /* one of the two, always */
}

static void on_ready(Qmp *qmp, void *userdata) {
        (void) qmp_send(qmp, "query-kvm", NULL, on_reply, userdata);
        (void) qmp_send(qmp, "cont", NULL, on_reply, userdata);
}

static void on_event(Qmp *qmp, const char *name, const json_t *data, void *userdata) {
        (void) data;
        if (*name == 'S')
                (void) qmp_send(qmp, "query-status", NULL, on_reply, userdata);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const QmpHandlers handlers = { on_ready, on_event };
        _cleanup_(qmp_freep) Qmp *qmp = NULL;
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return 0;
        qmp = qmp_new(pair[0], &handlers, NULL);
        /* In portions that the input itself chooses, as a socket may hand them out. */
        while (qmp && size > 0) {
                size_t n = data[0] % 61U + 1 < size ? data[0] % 61U + 1 : size;

                if (qmp_feed(qmp, data, n) < 0)
                        break;
                data += n;
                size -= n;
        }
        close(pair[1]);
        return 0;
}
