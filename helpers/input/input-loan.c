/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes are looked at and changed by O_PATH descriptors: they are the device's own, whatever happens to the name. */

#include <fcntl.h>
#include <sys/stat.h>

#include "input-loan.h"
#include "node-access.h"
#include "root.h"

/* A captured tree has plain files. Returns the descriptor, -ENOENT or -errno. */
static int open_node(int root, unsigned number, dev_t device, struct stat *ret) {
        char name[INPUT_NODE_SIZE], path[sizeof INPUT_NODES + INPUT_NODE_SIZE];
        _cleanup_(closep) int fd = -EBADF;

        (void) snprintf(path, sizeof path, INPUT_NODES "/%s", input_node_print(number, name));
        fd = root_openat(root, path, O_PATH | O_NOFOLLOW);
        if (fd < 0)
                return fd;
        if (fstat(fd, ret) < 0)
                return -errno;
        if (root_is_this_machine(root) && (!S_ISCHR(ret->st_mode) || ret->st_rdev != device))
                return -ENOENT;
        return TAKE_FD(fd);
}

static int open_loan(int root, const InputLoan *loan) {
        struct stat st;
        _cleanup_(closep) int fd = open_node(root, loan->number, loan->device, &st);

        if (fd < 0)
                return fd;
        return st.st_ino == loan->inode ? TAKE_FD(fd) : -ENOENT;
}

int input_loan_note(int root, const InputDevice *d, InputLoan *ret) {
        struct stat st;
        _cleanup_(closep) int fd = open_node(root, d->number, d->device, &st);

        if (fd < 0)
                return fd;
        *ret = (InputLoan){ d->kind, d->number, d->device, st.st_ino, false };
        return 0;
}

int input_loan_note_user(int root, const InputDevice *d, uid_t uid, InputLoan *ret) {
        int r = input_loan_note(root, d, ret);

        r = r < 0 ? r : input_loan_is_held(root, ret, uid);
        if (r > 0)
                ret->before = true;
        return r < 0 ? r : 0;
}

int input_loan_give(int root, const InputLoan *loan, uid_t uid) {
        _cleanup_(closep) int fd = open_loan(root, loan);

        return fd < 0 ? fd : node_let_in(fd, uid);
}

int input_loan_return(int root, const InputLoan *loan, uid_t uid) {
        _cleanup_(closep) int fd = open_loan(root, loan);

        return fd < 0 ? fd : loan->before ? 0 : node_shut_out(fd, uid);
}

int input_loan_is_held(int root, const InputLoan *loan, uid_t uid) {
        _cleanup_(closep) int fd = open_loan(root, loan);

        return fd == -ENOENT ? 0 : fd < 0 ? fd : node_lets_in(fd, uid);
}
