/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a guest's sockets are opened to, and who may listen there. */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "exit-status.h"
#include "fixture.h"
#include "guest-socket.h"

/* An access list as the kernel has it in an attribute, acl(5): a header, then entries in this order. */
typedef struct Entry {
        uint16_t tag, permissions;
        uint32_t id;
} Entry;

static const struct {
        uint32_t version;
        Entry entries[5];
} list = { 2,
        {
                { 0x01, 07, UINT32_MAX }, /* the owner */
                { 0x04, 00, UINT32_MAX }, /* the group of the file */
                { 0x08, 07, 64321 },      /* a group by its number */
                { 0x10, 07, UINT32_MAX }, /* what all but the owner may at most */
                { 0x20, 00, UINT32_MAX }, /* all others */
        } };

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

static void test_share(void **state) {
        Fixture *f = *state;
        _cleanup_(closep) int qmp = -EBADF, other = -EBADF;

        if (setxattr(f->path, "system.posix_acl_default", &list, sizeof list, 0) < 0)
                skip(); /* a file system without lists */
        qmp = listen_at(f, "qmp");
        other = listen_at(f, "of-somebody-else");
        assert_int_equal(mode_of(f, "qmp"), 0700);
        assert_int_equal(guest_sockets_share(f->path), 0);
        assert_int_equal(mode_of(f, "qmp"), 0770);
        assert_int_equal(mode_of(f, "of-somebody-else"), 0700);
        assert_int_equal(guest_sockets_share(f->path), 0);
}

/* Without a list the permissions are those of the file's group, which is none of ours. */
static void test_no_list(void **state) {
        Fixture *f = *state;
        _cleanup_(closep) int qmp = listen_at(f, "qmp"), console = listen_at(f, "console");

        assert_int_equal(guest_sockets_share(f->path), 0);
        assert_int_equal(mode_of(f, "qmp"), 0700);
        assert_int_equal(mode_of(f, "console"), 0700);
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
                fixture_test(test_no_list),
                fixture_test(test_connect),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
