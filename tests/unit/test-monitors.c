/* SPDX-License-Identifier: BSD-3-Clause */
/* Connectors: which of them have a monitor, and which I²C bus leads there. */

#include <fcntl.h>

#include "fake-edid.h"
#include "fixture.h"
#include "monitors.h"

static void connect_monitor(Fixture *f, const char *connector, const char *name) {
        _cleanup_(freep) char *path = NULL;
        uint8_t data[EDID_SIZE];
        int fd;

        fake_edid(data, "DEL", 1, 1, name, NULL);
        assert_int_equal(format(&path, "sys/class/drm/%s/edid", connector), 0);
        fixture_write(f, path, "");
        fd = openat(f->root, path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write_full(fd, data, sizeof data), 0);
        close(fd);
}

static void test_connectors(void **state) {
        _cleanup_(freep) char *what = NULL;
        _cleanup_(monitors_done) Monitors l = {};
        Fixture *f = *state;

        assert_int_equal(monitors_read(f->root, &l), 0);
        assert_int_equal(l.n, 0);
        fixture_lines(f, "sys/class/drm/card0/device -> ../../../0000:00:02.0\n"
                         "sys/class/drm/card1/device -> ../../../0000:01:00.0\n"
                         "sys/class/drm/card0-HDMI-A-1/ddc -> ../../../i2c-3\n"
                         "sys/class/drm/card1-DP-1/i2c-11/name = AUX\n"
                         "sys/class/drm/card1-DP-1/ddc -> ../../../i2c-4\n"
                         "sys/class/drm/card1-HDMI-A-2/edid =\n"
                         "sys/class/drm/renderD128/dev = 226:128\n");
        connect_monitor(f, "card0-HDMI-A-1", "A");
        connect_monitor(f, "card0-eDP-1", "Panel");
        connect_monitor(f, "card1-DP-1", "B");
        connect_monitor(f, "card1-Virtual-1", "C");
        connect_monitor(f, "card-Virtual-1", "D");
        connect_monitor(f, "cardx-DP-1", "E");
        fixture_write(f, "sys/class/drm/card1-DP-3/edid", "no EDID");
        assert_int_equal(monitors_read(f->root, &l), 0);
        assert_int_equal(l.n, 3);
        assert_string_equal(l.items[0].connector, "card0-HDMI-A-1");
        assert_string_equal(l.items[0].pci, "0000:00:02.0");
        assert_int_equal(l.items[0].bus, 3);
        assert_string_equal(l.items[1].connector, "card1-DP-1");
        assert_int_equal(l.items[1].bus, 11); /* the AUX channel's, not that of the pins */
        assert_int_equal(l.items[2].bus, BUS_UNKNOWN);
        assert_int_equal(l.items[2].quirk.feature, 0x60);
        assert_int_equal(monitor_describe(&l.items[2], &what), 0);
        assert_string_equal(what, "C (card1-Virtual-1)");
}

static void test_buses_of_card(void **state) {
        _cleanup_(freep) int *buses = NULL;
        Fixture *f = *state;
        size_t n;

        assert_int_equal(monitors_buses_of_card(f->root, "0000:01:00.0", &buses, &n), 0);
        assert_int_equal(n, 0);
        fixture_lines(f, "sys/devices/0000:01:00.0/i2c-7/name = a\nsys/devices/0000:01:00.0/i2c-12/name = b\n"
                         "sys/devices/0000:01:00.0/i2c-x/name = c\nsys/devices/0000:01:00.0/drm/card0/dev = 1\n"
                         "sys/bus/pci/devices/0000:01:00.0 -> ../../../devices/0000:01:00.0\n");
        assert_int_equal(monitors_buses_of_card(f->root, "0000:01:00.0", &buses, &n), 0);
        assert_int_equal(n, 2);
        assert_int_equal(buses[0] + buses[1], 19);
}

static void test_buses(void **state) {
        static const char *const bad[] = { "", "i2c-", "i2c-a", "i2c--1", "i2c-1048576", "5" };

        (void) state;
        assert_int_equal(bus_parse("i2c-0"), 0);
        assert_int_equal(bus_parse("i2c-23"), 23);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(bus_parse(bad[i]), BUS_UNKNOWN);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_connectors),
                fixture_test(test_buses_of_card),
                cmocka_unit_test(test_buses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
