/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers of /proc's texts: what is well-formed is taken apart, what is not is refused as a whole. */

#include "fixture.h"
#include "proc-text.h"
#include "root.h"
#include "sysfs.h"

static void test_mountinfo(void **state) {
        _cleanup_(mounts_done) Mounts l = {};

        (void) state;
        assert_int_equal(mountinfo_parse("21 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
                                         "36 21 0:32 /@ /home\\040of\\134all rw - btrfs /dev/mapper/vg-home rw,subvol=/@\n"
                                         "37 21 0:33 / /proc rw shared:2 master:1 propagate_from:3 - proc  rw\n", &l),
                0);
        assert_int_equal(l.n, 3);
        assert_int_equal(l.items[0].major, 8);
        assert_int_equal(l.items[0].minor, 2);
        assert_string_equal(l.items[0].point, "/");
        assert_string_equal(l.items[0].source, "/dev/sda2");
        assert_string_equal(l.items[1].point, "/home of\\all");
        assert_string_equal(l.items[1].type, "btrfs");
        assert_string_equal(l.items[2].source, "");
}

static void test_mountinfo_malformed(void **state) {
        static const char *const rows[] = { "x", "21 1 8:2 / /", "21 1 8:2 / / rw ext4 /dev/sda2 rw", "21 1 8 / / rw - ext4 /dev/sda2 rw",
                "21 1 8:x / / rw - ext4 s rw", "21 1 -8:2 / / rw - ext4 s rw", "21 1 8:2 / / rw -", "21 1 8:2 / / rw - ext4",
                "21 1 99999999999:2 / / rw - ext4 s rw" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(mounts_done) Mounts l = {};

                if (mountinfo_parse(rows[i], &l) != -EINVAL)
                        fail_msg("taken: %s", rows[i]);
        }
}

static void test_swaps(void **state) {
        char **names = NULL;
        size_t n = 0;

        (void) state;
        assert_int_equal(swaps_parse("Filename\t\t\t\tType\t\tSize\n/dev/dm-1                               partition\t1\n"
                                     "/swap\\040file file\t 1\n", &names, &n),
                0);
        assert_int_equal(n, 2);
        assert_string_equal(names[0], "/dev/dm-1");
        assert_string_equal(names[1], "/swap file");
        assert_int_equal(swaps_parse("/dev/sda3 partition", &names, &n), -EINVAL); /* no header */
        strings_free(names, n);
}

static void test_routes(void **state) {
        char **names = NULL;
        size_t n = 0;

        (void) state;
        assert_int_equal(routes_parse("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n"
                                      "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
                                      "eth0\t00000000\t0102A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
                                      "eth1\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
                                      "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
                                      "eth2\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n"
                                      "eth3\t00000000\t00000000\t0002\t0\t0\t0\t00000000\t0\t0\t0\n", &names, &n),
                0);
        assert_int_equal(n, 1);
        assert_string_equal(names[0], "eth0");
        assert_int_equal(routes_parse("eth0 0", &names, &n), -EINVAL);
        assert_int_equal(routes_parse("Iface\neth0 00000000 x 0003 0 0 0", &names, &n), -EINVAL);

        assert_int_equal(ipv6_routes_parse(
                                 "20010db8000000000000000000000000 40 0 00 0 00000400 00000001 00000000 00000001     eth5\n"
                                 "00000000000000000000000000000000 00 0 00 fe800000000000000000000000000001 00000400 1 0 00000003 wlan0\n"
                                 "00000000000000000000000000000000 00 0 00 0 ffffffff 1 0 00200200       lo\n", &names, &n),
                0);
        assert_int_equal(n, 2);
        assert_string_equal(names[1], "wlan0");
        assert_int_equal(ipv6_routes_parse("0 00 0", &names, &n), -EINVAL);
        strings_free(names, n);
}

static void test_iomem(void **state) {
        _cleanup_(io_ranges_done) IoRanges l = {};

        (void) state;
        assert_int_equal(iomem_parse("80000000-8fffffff : PCI Bus 0000:c3\n  80000000-8fffffff : 0000:c3:00.0\n"
                                     "    80000000-807e8fff : BOOTFB\n", &l),
                0);
        assert_int_equal(l.n, 3);
        assert_int_equal(l.items[2].depth, 2);
        assert_int_equal(l.items[2].start, 0x80000000);
        assert_int_equal(l.items[2].end, 0x807e8fff);
        assert_string_equal(l.items[1].name, "0000:c3:00.0");
}

static void test_iomem_malformed(void **state) {
        static const char *const rows[] = { "x", "0-", "0-1", "0-1 :", "2-1 : x", "-1-2 : x", "0-1ffffffffffffffff : x" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                IoRanges l;

                if (iomem_parse(rows[i], &l) != -EINVAL)
                        fail_msg("taken: %s", rows[i]);
        }
}

static void test_cgroup(void **state) {
        static const struct {
                const char *text, *unit, *user_unit, *session;
        } rows[] = {
                { "0::/system.slice/gdm.service\n", "gdm.service", NULL, NULL },
                { "0::/user.slice/user-1000.slice/session-2.scope\n", "session-2.scope", NULL, "2" },
                { "0::/user.slice/user-1000.slice/user@1000.service/session.slice/plasma-kwin_wayland.service\n", "user@1000.service",
                        "plasma-kwin_wayland.service", NULL },
                { "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x\\x2dy.scope/deeper.service", "user@1000.service",
                        "app-x\\x2dy.scope", NULL },
                { "0::/system.slice/docker-1.scope/system.slice/nginx.service\n", "docker-1.scope", NULL, NULL },
                { "0::/system.slice/_cgroup.service\n", "cgroup.service", NULL, NULL },
                { "12:cpu:/x.service\n1:name=systemd:/user.slice/y.service\n0::/init.scope\n", "init.scope", NULL, NULL },
                { "0::/\n", NULL, NULL, NULL },
                { "0::/../../x.scope", "x.scope", NULL, NULL },
                { "", NULL, NULL, NULL },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(cgroup_units_done) CgroupUnits u = {};

                assert_int_equal(cgroup_parse(rows[i].text, &u), 0);
                if (!streq_ptr(u.unit, rows[i].unit) || !streq_ptr(u.user_unit, rows[i].user_unit) ||
                    !streq_ptr(u.session, rows[i].session))
                        fail_msg("%s: %s, %s, %s", rows[i].text, u.unit, u.user_unit, u.session);
        }
}

static void test_text_clean(void **state) {
        static const struct {
                const char *text, *clean;
        } rows[] = {
                { "K120", "K120" },
                { "Tastatur für „Zoë“", "Tastatur für „Zoë“" },
                { "a\nb\tc\033[31m\177", "a?b?c?[31m?" },
                { "cut \xc3", "cut ?" },
                { "\xc2\x9b" "31m", "??31m" },
                { "", "" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *s = strdup(rows[i].text);

                assert_string_equal(text_clean(s), rows[i].clean);
        }
}

static void test_pci_part(void **state) {
        static const char part[] = "devices/pci0000:00/0000:00:1c.0/0000:01:00.0";

        (void) state;
        assert_int_equal(pci_part_of("devices/pci0000:00/0000:00:1c.0/0000:01:00.0/usb1/1-1/1-1:1.0/0003:046D:C31C.0001/input/input3"),
                strlen(part));
        assert_int_equal(pci_part_of("devices/pci0000:00/0000:00:1c.0/0000:01:00.0/ata1/host0/target0:0:0/0:0:0:0/block/sda"),
                strlen(part));
        assert_int_equal(pci_part_of(part), strlen(part));
        assert_int_equal(pci_part_of("devices/platform/i8042/serio0"), 0);
        assert_int_equal(pci_part_of(""), 0);
}

static void test_resolve(void **state) {
        Fixture *f = *state;
        char *path = NULL;

        fixture_lines(f, "sys/class/net/eth0 -> ../../devices/pci0000:00/./0000:00:1f.6//net/eth0\n"
                         "sys/class/net/evil -> ../../../../etc/passwd\n"
                         "sys/class/net/absolute -> /sys/devices/x\n"
                         "sys/class/net/bonding_masters =");
        assert_int_equal(sysfs_resolve(f->root, "sys/class/net/eth0", &path), 0);
        assert_string_equal(path, "devices/pci0000:00/0000:00:1f.6/net/eth0");
        free(path);
        assert_int_equal(sysfs_resolve(f->root, "sys/class/net/evil", &path), -EINVAL);
        assert_int_equal(sysfs_resolve(f->root, "sys/class/net/absolute", &path), -EINVAL);
        assert_int_equal(sysfs_resolve(f->root, "sys/class/net/bonding_masters", &path), -EINVAL);
        assert_int_equal(sysfs_resolve(f->root, "sys/class/net/none", &path), -ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mountinfo),
                cmocka_unit_test(test_mountinfo_malformed),
                cmocka_unit_test(test_swaps),
                cmocka_unit_test(test_routes),
                cmocka_unit_test(test_iomem),
                cmocka_unit_test(test_iomem_malformed),
                cmocka_unit_test(test_cgroup),
                cmocka_unit_test(test_text_clean),
                cmocka_unit_test(test_pci_part),
                fixture_test(test_resolve),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
