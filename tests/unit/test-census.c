/* SPDX-License-Identifier: BSD-3-Clause */
/* Who keeps a guest from its devices, told from a captured /proc. */

#include <poll.h>
#include <sys/wait.h>

#include "census.h"
#include "exit-status.h"
#include "fixture.h"

#define GPU "sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/"

static const char machine[] =
        GPU "drm/card1/uevent = MAJOR=226\n"
        "proc/812/comm = kwin_wayland\n"
        "proc/812/cgroup = 0::/user.slice/user-1000.slice/session-2.scope\n"
        "proc/812/fd/7 -> /dev/dri/card1\n";

/* A machine with a process that has the second GPU open. */
static void lay_out(Fixture *f) {
        fixture_machine(f, "two-gpu");
        fixture_lines(f, machine);
        fixture_write(f, GPU "drm/card1/uevent", "MAJOR=226\nMINOR=1\nDEVNAME=dri/card1\nDEVTYPE=drm_minor\n");
}

static void hold(Fixture *f, const char *command, const char *cgroup) {
        fixture_write(f, "proc/812/comm", command);
        fixture_write(f, "proc/812/cgroup", cgroup);
}

static int check(Fixture *f, const Guest *guest, bool units_will_stop) {
        DeviceSpec spec = { .type = DEVICE_BY_ADDRESS, .text = (char *) "01:00.0", .address = { .bus = 1 } };
        GuestDevices section = { .gpu = true, .specs = &spec, .n_specs = 1 };
        _cleanup_(guest_functions_done) GuestFunctions functions = {};
        _cleanup_(host_console_done) HostConsole console = {};
        Guest g = *guest;

        g.name = (char *) "g";
        g.file = (char *) "/etc/vxm/guests/g.guest";
        g.devices = &section;
        g.n_devices = 1;
        assert_int_equal(guest_devices_find(f->root, &g, &functions), 0);
        assert_int_equal(guest_console_read(f->root, &functions, &console), 0);
        return census_check(f->root, &g, &functions, &console, units_will_stop);
}

static void assert_refused(Fixture *f, const Guest *g, bool units_will_stop, int error, const char *log) {
        int r;

        fixture_capture(f);
        r = check(f, g, units_will_stop);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -error);
}

static void test_nobody(void **state) {
        fixture_machine(*state, "two-gpu");
        assert_int_equal(check(*state, &(Guest){}, false), 0);
        assert_int_equal(census_check(((Fixture *) *state)->root, &(Guest){}, &(GuestFunctions){}, &(HostConsole){}, false), 0);
}

static void test_session(void **state) {
        static const char busy[] = "0000:01:00.0 is in use: kwin_wayland (pid 812, session 2) has /dev/dri/card1 open. Close these "
                                   "programs, or keep your desktop off this GPU (see vxm-bind(8)), or name the units that hold it in "
                                   "[GPU] StopUnits= of /etc/vxm/guests/g.guest.";
        char *units[] = { (char *) "other.service" };

        lay_out(*state);
        assert_refused(*state, &(Guest){}, false, E_BUSY, busy);
        /* Nothing stops that would end the session. */
        assert_refused(*state, &(Guest){}, true, E_BUSY, busy);
        assert_int_equal(check(*state, &(Guest){ .single_gpu = true }, true), 0);
        assert_int_equal(check(*state, &(Guest){ .stop_units = units, .n_stop_units = 1 }, true), 0);
}

static void test_units(void **state) {
        char *units[] = { (char *) "x.service", (char *) "ollama.service" };
        Guest stops = { .stop_units = units, .n_stop_units = 2 }, stops_other = { .stop_units = units, .n_stop_units = 1 };

        lay_out(*state);
        hold(*state, "ollama\n", "0::/system.slice/ollama.service\n");
        assert_refused(*state, &(Guest){}, false, E_BUSY,
                "ollama (pid 812, unit ollama.service) has /dev/dri/card1 open. Stop these first, or name");
        assert_refused(*state, &stops_other, true, E_BUSY, "unit ollama.service");
        assert_int_equal(check(*state, &stops, true), 0);
        /* Once it should have stopped, nobody waits for that. */
        assert_refused(*state, &stops, false, E_BUSY,
                "ollama (pid 812, unit ollama.service) has /dev/dri/card1 open. /etc/vxm/guests/g.guest has that unit stopped, which "
                "has not happened; run systemctl daemon-reload, then start the guest again.");
}

/* logind, and a sound server that only listens, close what goes away. */
static void test_yields(void **state) {
        lay_out(*state);
        hold(*state, "systemd-logind\n", "0::/system.slice/systemd-logind.service\n");
        assert_int_equal(check(*state, &(Guest){}, false), 0);

        fixture_write(*state, GPU "sound/card1/controlC1/uevent", "MAJOR=116\nMINOR=9\nDEVNAME=snd/controlC1\n");
        fixture_link(*state, "proc/812/fd/7", "/dev/snd/controlC1");
        hold(*state, "wireplumber\n", "0::/user.slice/user-1000.slice/session-2.scope\n");
        assert_int_equal(check(*state, &(Guest){}, false), 0);
        hold(*state, "alsamixer\n", "0::/user.slice/user-1000.slice/session-2.scope\n");
        assert_int_equal(check(*state, &(Guest){}, false), -E_BUSY);
}

/* Six are named, the rest is counted. */
static void test_many(void **state) {
        Fixture *f = *state;

        lay_out(f);
        for (int pid = 900; pid < 907; pid++) {
                _cleanup_(freep) char *comm = NULL, *fd = NULL;

                assert_int_equal(format(&comm, "proc/%d/comm", pid), 0);
                assert_int_equal(format(&fd, "proc/%d/fd/3", pid), 0);
                fixture_write(f, comm, "game\n");
                fixture_link(f, fd, "/dev/dri/card1");
        }
        assert_refused(f, &(Guest){}, false, E_BUSY, "game (pid 904) has /dev/dri/card1 open and 2 more. ");
}

/* After the units have been stopped, what they leave behind has a while to end; without any, nobody waits. */
static void test_waits(void **state) {
        _cleanup_(freep) char *fd = NULL, *comm = NULL;
        uint64_t start = now_usec();
        Fixture *f = *state;
        pid_t pid;

        lay_out(f);
        fixture_lines(f, "!proc/812/fd/7");
        pid = fork();
        assert_true(pid >= 0);
        assert_int_equal(format(&fd, "proc/%d/fd/7", pid > 0 ? pid : getpid()), 0);
        assert_int_equal(format(&comm, "proc/%d/comm", pid), 0);
        if (pid == 0) {
                (void) poll(NULL, 0, 300);
                _exit(unlinkat(f->root, fd, 0) < 0);
        }
        fixture_link(f, fd, "/dev/dri/card1");
        fixture_write(f, comm, "Xorg\n");
        assert_int_equal(check(f, &(Guest){}, false), -E_BUSY);
        assert_int_equal(check(f, &(Guest){ .single_gpu = true }, false), 0);
        assert_true(now_usec() - start >= 300000);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The only console of the host does not go dark unasked. */
static void test_console(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "two-gpu");
        fixture_lines(f, GPU "graphics/fb0/dev = 29:0\n"
                             "sys/class/graphics/fb0 -> ../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/graphics/fb0\n"
                             "sys/class/vtconsole/vtcon1 -> ../../devices/virtual/vtconsole/vtcon1\n"
                             "sys/devices/virtual/vtconsole/vtcon1/name = (M) frame buffer device\n"
                             "sys/devices/virtual/vtconsole/vtcon1/bind = 1\n");
        assert_refused(f, &(Guest){}, false, E_CONFIG, "0000:01:00.0 shows the host's only console, which would go dark; set "
                                                       "SingleGpu=yes in [GPU] of /etc/vxm/guests/g.guest");
        assert_int_equal(check(f, &(Guest){ .single_gpu = true }, false), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_nobody),
                fixture_test(test_session),
                fixture_test(test_units),
                fixture_test(test_yields),
                fixture_test(test_many),
                fixture_test(test_waits),
                fixture_test(test_console),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
