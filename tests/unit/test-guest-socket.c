/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a guest's sockets are opened to, and who may listen there. */

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest-socket.h"

static int listen_at(const Fixture *f, const char *name) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        mode_t before = umask(0077);

        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", f->path, name);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(listen(fd, 4), 0);
        (void) umask(before);
        return fd;
}

static mode_t mode_of(const Fixture *f, const char *name) {
        struct stat st;

        assert_int_equal(fstatat(f->root, name, &st, AT_SYMLINK_NOFOLLOW), 0);
        return st.st_mode & 07777;
}

enum {
        GUEST = 5001,
        OTHER_GUEST = 5002,
        SOMEBODY = 6000,
        GROUP = 64321,
        USERS = 64322, /* the guest's own group, that others are in, too */
};

typedef enum Try {
        TALK,
        REMOVE,
        ADD,
        LIST,
} Try;

static int attempt(const Fixture *f, Try what) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", f->path, what == ADD ? "added" : "qmp");
        switch (what) {
        case TALK:
                return connect(fd, (struct sockaddr *) &address, sizeof address);
        case ADD:
                return bind(fd, (struct sockaddr *) &address, sizeof address);
        case REMOVE:
                return unlink(address.sun_path);
        case LIST:
        default:
                return open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
}

/* Whether a user with these groups may; the rest is another process's. */
static bool may(const Fixture *f, uid_t uid, gid_t own, gid_t more, Try what) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                if (setgroups(1, &more) < 0 || setgid(own) < 0 || setuid(uid) < 0)
                        _exit(2);
                _exit(attempt(f, what) < 0 ? 1 : 0);
        }
        assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) < 2);
        return WEXITSTATUS(status) == 0;
}

static void test_share(void **state) {
        static const struct {
                const char *who;
                uid_t uid;
                gid_t own, more;
                Try what;
                bool may;
        } rows[] = {
                { "a member talks to a guest", SOMEBODY, SOMEBODY, GROUP, TALK, true },
                { "a guest's user talks to it", GUEST, USERS, USERS, TALK, true },
                { "another guest's user talks to it", OTHER_GUEST, USERS, USERS, TALK, false },
                { "a stranger talks to it", SOMEBODY, SOMEBODY, SOMEBODY, TALK, false },
                { "a member adds to its directory", SOMEBODY, SOMEBODY, GROUP, ADD, false },
                { "a member lists its directory", SOMEBODY, SOMEBODY, GROUP, LIST, false },
                { "a member removes a socket", SOMEBODY, SOMEBODY, GROUP, REMOVE, false },
        };
        Fixture *f = *state;
        _cleanup_(closep) int qmp = -EBADF, other = -EBADF;
        int r;

        if (geteuid() != 0)
                skip(); /* only root can be somebody else */
        qmp = listen_at(f, "qmp");
        other = listen_at(f, "of-somebody-else");
        assert_int_equal(fchownat(f->root, "qmp", GUEST, USERS, 0), 0);
        assert_int_equal(chown(f->path, GUEST, USERS), 0);
        assert_int_equal(chmod(f->path, 0700), 0);
        assert_false(may(f, SOMEBODY, SOMEBODY, GROUP, TALK));
        r = guest_sockets_share(f->path, GROUP);
        if (r == -EOPNOTSUPP)
                skip(); /* a file system without lists */
        assert_int_equal(r, 0);
        assert_int_equal(guest_sockets_share(f->path, GROUP), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (may(f, rows[i].uid, rows[i].own, rows[i].more, rows[i].what) != rows[i].may)
                        fail_msg("%s: %s", rows[i].who, rows[i].may ? "cannot" : "can");
        assert_int_equal(mode_of(f, "of-somebody-else"), 0700);
}

static void test_connect(void **state) {
        Fixture *f = *state;
        _cleanup_(closep) int qmp = listen_at(f, "qmp"), fd = -EBADF;
        _cleanup_(freep) char *missing = NULL;
        pid_t pid = 0;

        fd = guest_socket_connect(f->path, "qmp", 0, &pid);
        assert_true(fd >= 0);
        assert_int_equal(pid, getpid());
        assert_int_equal(guest_socket_connect(f->path, "console", 0, NULL), -ENOENT);
        fixture_capture(f);
        assert_int_equal(guest_socket_explain("g", f->path, "console", -ENOENT), -ENOTCONN);
        assert_int_equal(guest_socket_explain("g", f->path, "console", -EAGAIN), -E_BUSY);
        assert_int_equal(guest_socket_explain("g", f->path, "console", -EACCES), -EACCES);
        missing = fixture_log(f);
        assert_non_null(strstr(missing, "Guest g does not run"));
        assert_non_null(strstr(missing, "others wait there already"));
        assert_non_null(strstr(missing, "members of the group vxm"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_share),
                fixture_test(test_connect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
