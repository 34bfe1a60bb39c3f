/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors go over the socket by name, are moved out of QEMU's way, and nothing else is taken for them. */

#include <fcntl.h>
#include <sys/socket.h>

#include "fixture.h"
#include "link-socket.h"

static void make_pair(int pair[static 2]) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

/* What is written at the one is read at the other. */
static void assert_connected(int writer, int reader) {
        char c = 0;

        assert_int_equal(write(writer, "x", 1), 1);
        assert_int_equal(read(reader, &c, 1), 1);
        assert_int_equal(c, 'x');
}

static void test_send_and_receive(void **state) {
        int pair[2], one[2], two[2];
        _cleanup_(freep) char *name = NULL;
        QemuLink received;

        (void) state;
        make_pair(pair);
        assert_int_equal(pipe2(one, O_CLOEXEC), 0);
        assert_int_equal(pipe2(two, O_CLOEXEC), 0);
        assert_int_equal(link_socket_send(pair[0], "lan", &(QemuLink){ .fd = one[1], .vhost_fd = two[1] }), 0);
        assert_int_equal(link_socket_send(pair[0], "out", &(QemuLink){ .fd = two[0], .vhost_fd = -EBADF }), 0);
        close(pair[0]);

        assert_int_equal(link_socket_receive(pair[1], &name, &received), 1);
        assert_string_equal(name, "lan");
        assert_true(received.fd >= 10 && received.vhost_fd >= 10);
        assert_int_equal(fcntl(received.fd, F_GETFD), 0); /* QEMU inherits it */
        assert_int_equal(fcntl(received.vhost_fd, F_GETFD), 0);
        assert_connected(received.fd, one[0]);
        assert_connected(received.vhost_fd, two[0]);
        close(received.fd);
        close(received.vhost_fd);

        assert_int_equal(link_socket_receive(pair[1], &name, &received), 1);
        assert_string_equal(name, "out");
        assert_true(received.vhost_fd < 0);
        assert_connected(two[1], received.fd);
        close(received.fd);

        assert_int_equal(link_socket_receive(pair[1], &name, &received), 0);
        close(pair[1]);
        for (int i = 0; i < 2; i++) {
                close(one[i]);
                close(two[i]);
        }
}

static void test_nonsense(void **state) {
        static const char *const texts[] = { "lan", "", "../x", "a name that is far too long to be one" };
        _cleanup_(freep) char *name = NULL;
        QemuLink received;
        int pair[2];

        (void) state;
        make_pair(pair);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                QemuLink l = { .fd = pair[0], .vhost_fd = -EBADF };

                if (i == 0) /* a good name without descriptors */
                        assert_int_equal(send(pair[0], texts[i], strlen(texts[i]), 0), 3);
                else if (*texts[i])
                        assert_int_equal(link_socket_send(pair[0], texts[i], &l), 0);
                else
                        continue;
                if (link_socket_receive(pair[1], &name, &received) != -EPROTO)
                        fail_msg("is taken: “%s”", texts[i]);
        }
        close(pair[0]);
        close(pair[1]);
}

static void test_path(void **state) {
        _cleanup_(freep) char *path = NULL, *made = NULL;
        Fixture *f = *state;
        int listener, client, server;

        assert_int_equal(link_socket_path("win11", &path), 0);
        assert_string_equal(path, "/run/vxm/link/win11/socket");

        assert_int_equal(format(&made, "%s/socket", f->path), 0);
        assert_int_equal(link_socket_connect(made), -ENOENT);
        for (int i = 0; i < 2; i++) { /* the second time one is left over */
                listener = link_socket_listen(made);
                assert_true(listener >= 0);
                client = link_socket_connect(made);
                assert_true(client >= 0);
                server = link_socket_accept(listener);
                assert_true(server >= 0);
                assert_connected(client, server);
                close(listener);
                close(client);
                close(server);
        }
        fixture_remove(f, "socket");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_send_and_receive),
                cmocka_unit_test(test_nonsense),
                fixture_test(test_path),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
