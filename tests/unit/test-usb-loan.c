/* SPDX-License-Identifier: BSD-3-Clause */
/* How a device is noted, and given back: mode and drivers, in a tree where nodes are plain files. */

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fixture.h"
#include "root.h"
#include "usb-loan.h"

#define NODE "dev/bus/usb/001/007"
#define RECEIVER "sys/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4.2/"

static void note(Fixture *f, UsbLoan *ret) {
        _cleanup_(usb_devices_done) UsbDevices l = {};

        assert_int_equal(usb_devices_read(f->root, &l), 0);
        assert_int_equal(usb_loan_note(f->root, usb_devices_find(&l, (UsbAddress){ 1, 7 }), ret), 0);
}

static void test_note(void **state) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        Fixture *f = *state;

        fixture_machine(f, "usb");
        assert_int_equal(fchmodat(f->root, NODE, 0664, 0), 0);
        note(f, &loan);
        assert_string_equal(loan.port, "1-4.2");
        assert_true(loan.vendor == 0x46d && loan.product == 0xc52b && loan.mode == 0664 && loan.uid == getuid());
        assert_true(loan.configuration == 1 && !loan.acl);
        assert_int_equal(loan.n_interfaces, 2); /* the third has no driver */
        assert_string_equal(loan.interfaces[0].name, "1-4.2:1.0");
        assert_string_equal(loan.interfaces[0].driver, "usbhid");
}

/* The tree's drivers_probe binds nothing, which has to be noticed. */
static void test_return(void **state) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        _cleanup_(freep) char *probed = NULL, *event = NULL;
        const char *step = "";
        Fixture *f = *state;
        struct stat st;

        fixture_machine(f, "usb");
        assert_int_equal(fchmodat(f->root, NODE, 0664, 0), 0);
        note(f, &loan);
        assert_int_equal(usb_loan_give(f->root, &loan, getuid()), 0);
        assert_int_equal(fstatat(f->root, NODE, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(fchmodat(f->root, NODE, 0777, 0), 0); /* as the guest's user could */
        assert_int_equal(usb_loan_return(f->root, &loan, &step), 1);
        assert_int_equal(usb_loan_return(f->root, &loan, &step), 1);
        assert_int_equal(fstatat(f->root, NODE, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0664);
        assert_int_equal(root_read(f->root, RECEIVER "uevent", &event), 0);
        assert_true(startswith(event, "change ") && strlen(event) == STRLEN("change ") + 36); /* the kernel takes no other */

        fixture_remove(f, RECEIVER "1-4.2:1.1/driver");
        assert_int_equal(usb_loan_return(f->root, &loan, &step), -ENXIO);
        assert_string_equal(step, "have its driver bound again");
        assert_int_equal(root_read(f->root, "sys/bus/usb/drivers_probe", &probed), 0);
        assert_string_equal(probed, "1-4.2:1.1");
}

/* The guest has chosen another configuration. */
static void test_configuration(void **state) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        _cleanup_(freep) char *value = NULL;
        const char *step = "";
        Fixture *f = *state;

        fixture_machine(f, "usb");
        note(f, &loan);
        fixture_remove(f, RECEIVER "bConfigurationValue");
        fixture_write(f, RECEIVER "bConfigurationValue", "2\n");
        assert_int_equal(usb_loan_return(f->root, &loan, &step), 1);
        assert_int_equal(root_read(f->root, RECEIVER "bConfigurationValue", &value), 0);
        assert_int_equal(value[0], '1');
}

/* Whether one of a process's descriptors is of a file below the root. */
static bool has_open(Fixture *f, pid_t pid, const char *file) {
        char path[64], wanted[PATH_MAX], target[PATH_MAX];
        bool found = false;

        (void) snprintf(wanted, sizeof wanted, "%s/%s", f->path, file);
        for (int fd = 0; fd < 64 && !found; fd++) {
                ssize_t n;

                (void) snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
                n = readlink(path, target, sizeof target - 1);
                target[n > 0 ? n : 0] = '\0';
                found = streq(target, wanted);
        }
        return found;
}

static pid_t child_of(pid_t pid) {
        char path[64];
        pid_t child = 0;
        FILE *file;

        (void) snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
        file = fopen(path, "re");
        if (!file || fscanf(file, "%d", &child) != 1)
                child = 0;
        if (file)
                fclose(file);
        return child;
}

static void return_locked(Fixture *f, const UsbLoan *loan) {
        const char *step;

        (void) root_openat(f->root, "lock", O_RDONLY);
        _exit(usb_loan_return(f->root, loan, &step) < 0);
}

/* A write that does not come back: to a pipe that is full. Whoever is lost in it must not have the records' lock with it. */
static void test_stuck(void **state) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        const char *attribute = "sys/bus/usb/drivers_probe";
        _cleanup_(closep) int pipe = -EBADF;
        Fixture *f = *state;
        char block[4096] = {};
        pid_t parent, child;

        fixture_machine(f, "usb");
        fixture_write(f, "lock", "");
        note(f, &loan);
        fixture_remove(f, RECEIVER "1-4.2:1.0/driver");
        fixture_remove(f, attribute);
        assert_int_equal(mkfifoat(f->root, attribute, 0600), 0);
        pipe = openat(f->root, attribute, O_RDWR | O_NONBLOCK);
        while (write(pipe, block, sizeof block) > 0)
                ;
        parent = fork();
        if (parent == 0) {
                closep(&pipe); /* a child that has the pipe open has opened it itself, and closed the rest before */
                return_locked(f, &loan);
        }
        while ((child = child_of(parent)) == 0 || !has_open(f, child, attribute))
                assert_true(poll(NULL, 0, 1) == 0 && waitpid(parent, NULL, WNOHANG) == 0);
        assert_true(has_open(f, parent, "lock"));
        assert_false(has_open(f, child, "lock"));
        assert_int_equal(kill(parent, SIGKILL), 0);
        assert_int_equal(waitpid(parent, NULL, 0), parent);
}

/* Unplugged, or come back as another one: there is nothing to be given back. */
static void test_gone(void **state) {
        _cleanup_(usb_loan_done) UsbLoan loan = {};
        const char *step = "";
        Fixture *f = *state;
        struct stat st;

        fixture_machine(f, "usb");
        note(f, &loan);
        assert_int_equal(fchmodat(f->root, NODE, 0600, 0), 0);
        fixture_remove(f, RECEIVER "idProduct");
        fixture_write(f, RECEIVER "idProduct", "c31c\n");
        assert_int_equal(usb_loan_return(f->root, &loan, &step), 0);
        assert_int_equal(fstatat(f->root, NODE, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        fixture_remove(f, NODE);
        assert_int_equal(usb_loan_give(f->root, &loan, getuid()), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_note),
                fixture_test(test_return),
                fixture_test(test_configuration),
                fixture_test(test_stuck),
                fixture_test(test_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
