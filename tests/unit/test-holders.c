/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which device open: in captured trees by the links' text, on a live machine by device number. */

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "device-nodes.h"
#include "fixture.h"
#include "holders.h"
#include "root.h"

static void read_slot(Fixture *f, const char *address, PciFunctions *ret) {
        PciAddress a;

        assert_int_equal(pci_address_parse(address, &a), 0);
        assert_int_equal(pci_read_slot(f->root, a, ret), 0);
        assert_true(ret->n > 0);
}

static void find(Fixture *f, const char *address, Holders *ret) {
        _cleanup_(pci_functions_done) PciFunctions slot = {};

        read_slot(f, address, &slot);
        assert_int_equal(holders_find(f->root, slot.items, slot.n, ret), 0);
}

static void assert_described(const Holder *h, const char *wanted) {
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(holder_describe(h, &text), 0);
        assert_string_equal(text, wanted);
}

static void assert_nodes(Fixture *f, const char *address, const char *wanted) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = {};
        _cleanup_(pci_functions_done) PciFunctions slot = {};
        size_t n = 0;

        read_slot(f, address, &slot);
        assert_int_equal(device_nodes_find(f->root, slot.items, slot.n, &nodes), 0);
        for (size_t i = 0; i < nodes.n; i++) {
                n += strlen(nodes.items[i].path) + 1;
                if (!strstr(wanted, nodes.items[i].path))
                        fail_msg("%s is none of %s", nodes.items[i].path, wanted);
        }
        assert_int_equal(n, strlen(wanted));
}

static void test_nodes(void **state) {
        fixture_machine(*state, "b550");
        assert_nodes(*state, "2b:00.0", "/dev/dri/card1 /dev/dri/renderD129 /dev/snd/controlC1 /dev/snd/hwC1D0 /dev/snd/pcmC1D3p ");
        assert_nodes(*state, "00:01.2", ""); /* of what is behind a bridge, none */
}

static void test_nodes_nvidia(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "bmc");
        assert_nodes(f, "65:00.0", "/dev/dri/card1 /dev/dri/renderD128 /dev/snd/controlC0 /dev/snd/hwC0D0 /dev/snd/pcmC0D3p "
                                   "/dev/nvidia0 /dev/nvidiactl /dev/nvidia-modeset /dev/nvidia-uvm ");
        /* The other card needs the shared nodes, too. */
        fixture_lines(f, "sys/bus/pci/drivers/nvidia/0000:17:00.0 -> ../../../../devices/pci0000:16/0000:16:00.0/0000:17:00.0");
        assert_nodes(f, "65:00.0", "/dev/dri/card1 /dev/dri/renderD128 /dev/snd/controlC0 /dev/snd/hwC0D0 /dev/snd/pcmC0D3p "
                                   "/dev/nvidia0 ");
        /* Which one is ours, nobody tells. */
        fixture_lines(f, "!proc/driver/nvidia/gpus/0000:65:00.0/information\ndev/nvidia0 =\ndev/nvidia11 =\ndev/nvidia-x =");
        assert_nodes(f, "65:00.0", "/dev/dri/card1 /dev/dri/renderD128 /dev/snd/controlC0 /dev/snd/hwC0D0 /dev/snd/pcmC0D3p "
                                   "/dev/nvidia0 /dev/nvidia11 ");
}

static void test_nodes_vfio(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "bmc");
        assert_nodes(f, "17:00.0", "/dev/vfio/41 ");
}

static void test_compositor(void **state) {
        _cleanup_(holders_done) Holders l = {};

        fixture_machine(*state, "i5");
        find(*state, "01:00.0", &l);
        assert_int_equal(l.n, 4);
        assert_int_equal(l.n_unseen, 0);
        assert_described(&l.items[0], "systemd-logind (pid 702, unit systemd-logind.service) has /dev/dri/card1 open");
        assert_described(&l.items[1], "gnome-shell (pid 1490, unit org.gnome.Shell@wayland.service) has /dev/dri/card1 open");
        assert_string_equal(l.items[1].unit, "user@1000.service");
        assert_string_equal(l.items[2].node, "/dev/dri/renderD129");
        assert_described(&l.items[3], "wireplumber (pid 1533, unit wireplumber.service) has /dev/snd/controlC1 open");
        assert_true(l.items[0].yields);
        assert_false(l.items[1].yields);
        assert_true(l.items[3].yields);
}

static void test_none(void **state) {
        _cleanup_(holders_done) Holders l = {};

        fixture_machine(*state, "bmc");
        find(*state, "17:00.0", &l);
        assert_int_equal(l.n, 0);
}

static void test_session(void **state) {
        _cleanup_(holders_done) Holders l = {};
        Fixture *f = *state;

        fixture_machine(f, "b550");
        fixture_lines(f, "proc/99/comm = Xorg\nproc/99/cgroup = 0::/user.slice/user-1000.slice/session-c2.scope\n"
                         "proc/99/fd/9 -> /dev/dri/card1\nproc/99/fd/10 -> /dev/dri/card1\nproc/99/fd/1 -> socket:[12]\n"
                         "proc/7/comm = bad\033name\nproc/7/fd/3 -> /dev/dri/card1\n"
                         "proc/8/fd/3 -> /dev/dri/card1\n" /* ended meanwhile: its name is gone */
                         "proc/9/comm = other\nproc/9/fd/3 -> /dev/dri/card11");
        find(f, "2b:00.0", &l);
        assert_int_equal(l.n, 3);
        assert_described(&l.items[0], "bad?name (pid 7) has /dev/dri/card1 open");
        assert_described(&l.items[1], "Xorg (pid 99, session c2) has /dev/dri/card1 open");
        assert_int_equal(l.items[2].pid, 845);
}

/* A sound server that plays, or a mixer that is no sound server, does not let go. */
static void test_yields(void **state) {
        static const struct {
                const char *command, *node;
                bool yields;
        } rows[] = {
                { "wireplumber", "/dev/snd/controlC1", true },
                { "pipewire", "/dev/snd/pcmC1D3p", false },
                { "alsamixer", "/dev/snd/controlC1", false },
        };
        Fixture *f = *state;

        fixture_machine(f, "b550");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *lines = NULL;
                _cleanup_(holders_done) Holders l = {};

                assert_int_equal(format(&lines, "proc/845/comm = %s\nproc/845/fd/21 -> %s\nproc/845/fd/20 -> /dev/snd/controlC1",
                                         rows[i].command, rows[i].node),
                        0);
                fixture_lines(f, lines);
                find(f, "2b:00.0", &l);
                assert_true(l.n > 0);
                assert_true(l.items[0].yields == rows[i].yields);
        }
}

static void test_deep(void **state) {
        Fixture *f = *state;
        _cleanup_(holders_done) Holders l = {};
        PciFunction function = { .path = (char *) "devices/x", .group = -1 };
        char path[256] = "sys/devices/x";

        for (unsigned i = 0; i < 30; i++)
                strcat(path, "/a");
        fixture_directory(f, path);
        assert_int_equal(holders_find(f->root, &function, 1, &l), -ELOOP);
}

/* On the machine itself: a child of ours has /dev/full open, which is made to look like a function's node by number alone; and
 * another child has nothing open at all, as threads of the kernel. */
static void test_live(void **state) {
        _cleanup_(holders_done) Holders l = {};
        _cleanup_(device_nodes_done) DeviceNodes nodes = {};
        _cleanup_(closep) int machine = root_open("/");
        _cleanup_(closep) int full = open("/dev/full", O_RDONLY | O_CLOEXEC);
        Fixture *f = *state;
        PciFunction function = { .path = (char *) "devices/gpu", .group = -1 };
        pid_t children[2]; /* with it alone, with nothing */
        bool found = false;
        int ready[2], status;
        char c;

        if (full < 0 || pipe(ready) < 0)
                skip();
        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                children[i] = fork();
                assert_true(children[i] >= 0);
                if (children[i] == 0) {
                        (void) dup2(full, 0);
                        (void) close_range(i == 0 ? 1 : 0, UINT_MAX, 0); /* and of the pipe, too */
                        for (;;)
                                pause();
                }
        }
        close(ready[1]);
        assert_int_equal(read(ready[0], &c, 1), 0);
        close(ready[0]);
        fixture_lines(f, "sys/devices/gpu/mem/full/uevent = MAJOR=1\nsys/devices/gpu/mem/full/uevent += MINOR=7\n"
                         "sys/devices/gpu/mem/full/uevent += DEVNAME=gpu0");

        assert_int_equal(device_nodes_find(f->root, &function, 1, &nodes), 0);
        assert_int_equal(nodes.n, 1);
        assert_int_equal(holders_of_nodes(machine, &nodes, &l), 0);
        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                assert_int_equal(kill(children[i], SIGKILL), 0);
                assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        }
        for (size_t i = 0; i < l.n; i++) {
                assert_int_not_equal(l.items[i].pid, getpid());
                assert_int_not_equal(l.items[i].pid, children[1]);
                found |= l.items[i].pid == children[0] && streq(l.items[i].node, "/dev/gpu0");
        }
        assert_true(found);
}

/* logind opens a GPU for a session, and systemd keeps a copy of the descriptor for it. */
static void test_session_keepers(void **state) {
        _cleanup_(holders_done) Holders l = {};
        Fixture *f = *state;

        fixture_machine(f, "b550");
        fixture_lines(f, "proc/1/comm = systemd\nproc/1/cgroup = 0::/init.scope\nproc/1/fd/77 -> /dev/dri/card1\n"
                         "proc/2/comm = systemd\nproc/2/cgroup = 0::/init.scope\nproc/2/fd/77 -> /dev/dri/card1");
        find(f, "2b:00.0", &l);
        assert_int_equal(l.items[0].pid, 1);
        assert_true(l.items[0].yields);
        assert_false(l.items[1].yields);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_nodes),
                fixture_test(test_nodes_nvidia),
                fixture_test(test_nodes_vfio),
                fixture_test(test_compositor),
                fixture_test(test_none),
                fixture_test(test_session),
                fixture_test(test_yields),
                fixture_test(test_session_keepers),
                fixture_test(test_deep),
                fixture_test(test_live),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
