/* SPDX-License-Identifier: BSD-3-Clause */
/* A QMP client for programs that ask one thing and end: it waits for each answer, but not for ever. */

#include <poll.h>
#include <sys/socket.h>

#include "exit-status.h"
#include "guest-socket.h"
#include "life-session.h"
#include "log.h"

#define SECOND UINT64_C(1000000)
#define GREETING_TIMEOUT (5 * SECOND) /* QEMU greets the next caller when the one before has gone */
#define CALL_TIMEOUT (20 * SECOND)    /* to stop a guest, QEMU waits for its disks */

enum {
        TEXT_MAX_BYTES = 300, /* of what QEMU says in a message of ours */
};

struct LifeSession {
        char *guest, *sockets;
        Qmp *qmp;
        pid_t pid;
        bool ready;
        LifeOnEvent on_event;
        void *userdata;
        /* the command under way */
        bool answered;
        bool broken; /* an answer has not come in time: it may come still, and is none to the next command */
        json_t *answer;
        char *refusal;
};

char *life_clean(const char *text) {
        char *copy = strdup(text);
        size_t n;

        if (!copy)
                return NULL;
        n = strlen(text_clean(copy));
        if (n > TEXT_MAX_BYTES) {
                n = TEXT_MAX_BYTES;
                while (n > 0 && ((unsigned char) copy[n] & 0xc0) == 0x80) /* not within a character */
                        n--;
                copy[n] = '\0';
        }
        /* Ours follows, with a full stop of its own. */
        while (n > 0 && (copy[n - 1] == '.' || copy[n - 1] == ' '))
                copy[--n] = '\0';
        return copy;
}

static void on_ready(Qmp *qmp, void *userdata) {
        LifeSession *s = userdata;

        (void) qmp;
        s->ready = true;
}

static void on_event(Qmp *qmp, const char *name, const json_t *data, void *userdata) {
        LifeSession *s = userdata;

        (void) qmp;
        if (s->on_event)
                s->on_event(name, data, s->userdata);
}

static void on_answer(Qmp *qmp, const json_t *reply, const char *error, void *userdata) {
        LifeSession *s = userdata;

        (void) qmp;
        s->answered = true;
        s->answer = reply ? json_incref((json_t *) reply) : NULL;
        s->refusal = error ? life_clean(error) : NULL;
}

/* Takes in what QEMU says until done, or the time is over. */
static int pump(LifeSession *s, uint64_t deadline, LifeIsDone done, void *userdata) {
        while (!done(userdata)) {
                struct pollfd p = { .fd = qmp_fd(s->qmp), .events = POLLIN };
                uint64_t now = now_usec(), left = deadline > now ? deadline - now : 0;
                struct timespec timeout = { (time_t) (left / SECOND), (long) (left % SECOND * 1000) };
                int r;

                if (left == 0) /* also when it has always something else to say */
                        return 0;
                r = ppoll(&p, 1, &timeout, NULL);
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0)
                        return 0;
                r = r < 0 ? 0 : qmp_process(s->qmp);
                if (r < 0)
                        return r;
        }
        return 1;
}

static bool is_ready(void *userdata) {
        return ((LifeSession *) userdata)->ready;
}

static bool is_answered(void *userdata) {
        return ((LifeSession *) userdata)->answered;
}

static int explain(const LifeSession *s, int r) {
        if (r != -EAGAIN && r != -E_BUSY)
                return guest_socket_explain(s->guest, s->sockets, "qmp", r);
        return log_error_errno(E_BUSY,
                "QEMU of guest %s does not answer: somebody else talks to it, or it is busy with a snapshot; "
                "try again when that is done.",
                s->guest);
}

static int greet(LifeSession *s) {
        static const QmpHandlers handlers = { .ready = on_ready, .event = on_event };
        int fd = guest_socket_connect(s->sockets, "qmp", 0, &s->pid), r;

        if (fd < 0)
                return fd;
        s->qmp = qmp_new(fd, &handlers, s);
        if (!s->qmp)
                return -ENOMEM;
        r = pump(s, now_usec() + GREETING_TIMEOUT, is_ready, s);
        return r < 0 ? r : r == 0 ? -E_BUSY : 0;
}

int life_open(const char *sockets, const char *guest, LifeSession **ret) {
        _cleanup_(life_closep) LifeSession *s = calloc(1, sizeof *s);
        int r;

        if (!s || free_and_strdup(&s->guest, guest) < 0 || free_and_strdup(&s->sockets, sockets) < 0)
                return log_oom();
        r = greet(s);
        if (r < 0)
                return explain(s, r);
        *ret = TAKE_PTR(s);
        return 0;
}

LifeSession *life_close(LifeSession *s) {
        if (!s)
                return NULL;
        qmp_free(s->qmp);
        json_decref(s->answer);
        free(s->refusal);
        free(s->sockets);
        free(s->guest);
        free(s);
        return NULL;
}

const char *life_guest(const LifeSession *s) {
        return s->guest;
}

const char *life_sockets(const LifeSession *s) {
        return s->sockets;
}

pid_t life_pid(const LifeSession *s) {
        return s->pid;
}

void life_listen(LifeSession *s, LifeOnEvent listener, void *userdata) {
        s->on_event = listener;
        s->userdata = userdata;
}

static int send_and_wait(LifeSession *s, const char *command, json_t *arguments) {
        int r;

        if (s->broken) {
                json_decref(arguments);
                return -E_BUSY;
        }
        json_decref(s->answer);
        free(s->refusal);
        s->answer = NULL;
        s->refusal = NULL;
        s->answered = false;
        r = qmp_send(s->qmp, command, arguments, on_answer, s);
        r = r < 0 ? r : pump(s, now_usec() + CALL_TIMEOUT, is_answered, s);
        s->broken = r == 0;
        return r < 0 ? r : r == 0 ? -E_BUSY : 0;
}

int life_call(LifeSession *s, const char *what, const char *command, json_t *arguments, json_t **ret) {
        int r = send_and_wait(s, command, arguments);

        if (r == -ECONNRESET)
                return log_error_errno(r, "%s: QEMU has ended; see systemctl status vxm-guest@%s.", what, s->guest);
        if (r < 0)
                return explain(s, r);
        if (!s->answer)
                return log_error_errno(ECANCELED, "%s: QEMU says: %s.", what, s->refusal ? s->refusal : "nothing");
        if (ret)
                *ret = json_incref(s->answer);
        return 0;
}

/* The space belongs to no command; QEMU keeps the descriptor that came with it for the next one that takes one. */
int life_send_fd(LifeSession *s, int fd) {
        char space = ' ';
        struct iovec iov = { &space, 1 };
        union {
                struct cmsghdr header;
                char buffer[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
        return sendmsg(qmp_fd(s->qmp), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int life_wait(LifeSession *s, uint64_t usec, LifeIsDone done, void *userdata) {
        return pump(s, now_usec() + usec, done, userdata);
}
