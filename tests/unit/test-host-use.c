/* SPDX-License-Identifier: BSD-3-Clause */
/* What the host would lose with a device, through whatever lies between. */

#include "fixture.h"
#include "host-use.h"

#define SATA "devices/pci0000:00/0000:00:17.0"
#define NVME "devices/pci0000:00/0000:00:1d.0/0000:02:00.0"
#define NIC "devices/pci0000:00/0000:00:1f.6"
#define USB "devices/pci0000:00/0000:00:14.0"

static const char disks[] =
        "sys/class/block/sda -> ../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda\n"
        "sys/class/block/sda1 -> ../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1\n"
        "sys/class/block/sda2 -> ../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2\n"
        "sys/dev/block/8:0 -> ../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda\n"
        "sys/dev/block/8:1 -> ../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1\n"
        "sys/dev/block/8:2 -> ../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2\n"
        "sys/class/block/nvme0n1p1 -> ../../" NVME "/nvme/nvme0/nvme0n1/nvme0n1p1\n"
        "sys/dev/block/259:1 -> ../../" NVME "/nvme/nvme0/nvme0n1/nvme0n1p1\n"
        /* LUKS on a RAID of both disks */
        "sys/class/block/md0 -> ../../devices/virtual/block/md0\n"
        "sys/dev/block/9:0 -> ../../devices/virtual/block/md0\n"
        "sys/devices/virtual/block/md0/slaves/sda2 -> ../../../../../" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2\n"
        "sys/devices/virtual/block/md0/slaves/nvme0n1p1 -> ../../../../../" NVME "/nvme/nvme0/nvme0n1/nvme0n1p1\n"
        "sys/class/block/dm-0 -> ../../devices/virtual/block/dm-0\n"
        "sys/dev/block/253:0 -> ../../devices/virtual/block/dm-0\n"
        "sys/devices/virtual/block/dm-0/dm/name = secret\n"
        "sys/devices/virtual/block/dm-0/slaves/md0 -> ../../md0\n"
        "sys/class/block/zram0 -> ../../devices/virtual/block/zram0\n";

/* What is lost with the function at path. */
static char *lost(Fixture *fixture, const char *path) {
        _cleanup_(host_uses_done) HostUses l = {};
        PciFunction f = { .path = (char *) path, .class_code = 0x010601 };
        char *text = NULL;

        assert_int_equal(host_uses_read(fixture->root, &l), 0);
        assert_int_equal(host_uses_of(&l, &f, &text), 0);
        return text;
}

static void assert_lost(Fixture *f, const char *path, const char *wanted) {
        _cleanup_(freep) char *text = lost(f, path);

        if (!streq_ptr(text, wanted))
                fail_msg("%s: “%s”, not “%s”", path, text ? text : "nothing", wanted ? wanted : "nothing");
}

static void test_nothing(void **state) {
        assert_lost(*state, SATA, NULL);
}

static void test_partition(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 8:1 /var /var rw - ext4 /dev/sda1 rw\n"
                         "proc/self/mountinfo += 1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                         "proc/self/mountinfo += 1 1 8:2 / /srv/a\\040b rw - ext4 /dev/sda2 rw\n"
                         "proc/self/mountinfo += 1 1 0:9 / /proc rw - proc proc rw\n"
                         "proc/self/mountinfo += 1 1 8:99 / /gone rw - vfat /dev/sdz rw");
        assert_lost(f, SATA, "the root file system (sda1), the file system on /srv/a b (sda2)");
        assert_lost(f, NVME, NULL);
}

/* In a sandbox, less is mounted than PID 1 sees. */
static void test_mounts_of_pid1(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo =\nproc/1/mountinfo = 1 1 259:1 / /home rw - ext4 /dev/nvme0n1p1 rw");
        assert_lost(f, NVME, "the file system on /home (nvme0n1p1)");
}

static void test_stacked(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 253:0 / / rw - ext4 /dev/mapper/secret rw");
        assert_lost(f, SATA, "the root file system (sda2)");
        assert_lost(f, NVME, "the root file system (nvme0n1p1)");
        assert_lost(f, "devices/pci0000:00/0000:00:1d.0", "the root file system (nvme0n1p1)"); /* no bridge: all behind it */
}

static void test_stacked_knot(void **state) {
        Fixture *f = *state;

        fixture_lines(f, "sys/dev/block/253:0 -> ../../devices/virtual/block/dm-0\n"
                         "sys/devices/virtual/block/dm-0/slaves/dm-0 -> ../../dm-0\n"
                         "proc/self/mountinfo = 1 1 253:0 / / rw - ext4 x rw");
        assert_int_equal(host_uses_read(f->root, &(HostUses){}), -ELOOP);
}

static void test_nvme_multipath(void **state) {
        Fixture *f = *state;

        fixture_lines(f, "sys/dev/block/259:2 -> ../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p2\n"
                         "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0 -> ../../../../" NVME "/nvme/nvme0\n"
                         "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/size = 1\n"
                         "proc/self/mountinfo = 1 1 259:2 / / rw - ext4 x rw");
        assert_lost(f, NVME, "the root file system (nvme0)");
}

/* The mount names one device; the file system knows of the other. */
static void test_btrfs(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 0:30 /@ / rw - btrfs /dev/sda1 rw\n"
                         "proc/self/mountinfo += 1 1 0:30 /@home /home rw - btrfs /dev/sda1 rw\n"
                         "sys/fs/btrfs/0b5/devices/sda1/\nsys/fs/btrfs/0b5/devices/nvme0n1p1/\nsys/fs/btrfs/features/");
        assert_lost(f, SATA, "the root file system (sda1)");
        assert_lost(f, NVME, "the root file system (nvme0n1p1)");
}

static void test_btrfs_mapped(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 0:30 /@ / rw - btrfs /dev/mapper/secret rw");
        assert_lost(f, SATA, "the root file system (sda2)");
        fixture_lines(f, "proc/self/mountinfo = 1 1 0:30 /@ / rw - btrfs /dev/disk/by-id/x rw\n"
                         "dev/disk/by-id/x -> ../../nvme0n1p1");
        assert_lost(f, NVME, "the root file system (nvme0n1p1)");
        assert_lost(f, SATA, NULL);
}

static void test_bcachefs(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 0:30 / / rw - bcachefs /dev/sda1:/dev/nvme0n1p1 rw");
        assert_lost(f, SATA, "the root file system (sda1)");
        assert_lost(f, NVME, "the root file system (nvme0n1p1)");
}

static void test_zfs(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 0:30 / / rw - zfs rpool/ROOT/debian rw");
        assert_lost(f, SATA, "the root file system (sda2), the root file system (sda), the root file system (sda1)");
        assert_lost(f, NVME, "the root file system (nvme0n1p1)"); /* nobody knows: it may be this one, too */

        fixture_lines(f, "sys/" SATA "/ata1/host0/target0:0:0/0:0:0:0/block/sda/sda2/dev = 8:2\n"
                         "run/udev/data/b8:2 = S:disk/by-id/x\n"
                         "run/udev/data/b8:2 += E:ID_FS_LABEL=rpool\n"
                         "run/udev/data/b8:2 += E:ID_FS_TYPE=zfs_member\n"
                         "run/udev/data/b8:2 += G:systemd");
        assert_lost(f, SATA, "the root file system (sda2)");
        assert_lost(f, NVME, NULL);
}

/* Mounted where we cannot see it. */
static void test_other_namespace(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                         "sys/fs/ext4/sda1/\nsys/fs/ext4/features/\nsys/fs/xfs/dm-0/");
        assert_lost(f, SATA, "the root file system (sda1), a mounted file system (sda2)");
        assert_lost(f, NVME, "a mounted file system (nvme0n1p1)");
}

static void test_swap(void **state) {
        Fixture *f = *state;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/swaps = Filename Type Size Used Priority\nproc/swaps += /dev/zram0 partition 1 0 100\n"
                         "proc/swaps += /dev/nvme0n1p1 partition 1 0 -2");
        assert_lost(f, NVME, "swap (nvme0n1p1)");
        assert_lost(f, SATA, NULL);

        fixture_lines(f, "proc/swaps = Filename Type Size Used Priority\nproc/swaps += /var/swapfile file 1 0 -2\n"
                         "proc/self/mountinfo = 1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                         "proc/self/mountinfo += 1 1 259:1 / /var rw - ext4 /dev/nvme0n1p1 rw");
        assert_lost(f, NVME, "the file system on /var (nvme0n1p1), swap (nvme0n1p1)");
        assert_lost(f, SATA, "the root file system (sda1)");
}

static void test_network(void **state) {
        Fixture *f = *state;

        fixture_lines(f, "sys/class/net/bonding_masters = bond0\n"
                         "sys/class/net/enp0s31f6 -> ../../" NIC "/net/enp0s31f6\n"
                         "sys/" NIC "/net/enp0s31f6/operstate = up\n"
                         "sys/" NIC "/net/enp0s31f6/flags = 0x1003\n"
                         "sys/class/net/wlan0 -> ../../" USB "/usb1/1-4/net/wlan0\n"
                         "sys/" USB "/usb1/1-4/net/wlan0/operstate = down");
        assert_lost(f, NIC, "network enp0s31f6 (up)");
        assert_lost(f, USB, NULL);

        fixture_lines(f, "proc/net/route = Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
                         "proc/net/route += enp0s31f6 00000000 0102A8C0 0003 0 0 0 00000000");
        assert_lost(f, NIC, "the default route (enp0s31f6)");

        fixture_lines(f, "sys/" USB "/usb1/1-4/net/wlan0/operstate = unknown\nsys/" USB "/usb1/1-4/net/wlan0/flags = 0x1003");
        assert_lost(f, USB, "network wlan0 (up)");
}

static void test_network_stacked(void **state) {
        Fixture *f = *state;

        fixture_lines(f, "proc/net/ipv6_route = 00000000000000000000000000000000 00 0 00 0 00000400 1 0 00000003 br0\n"
                         "sys/class/net/br0 -> ../../devices/virtual/net/br0\n"
                         "sys/class/net/vlan7 -> ../../devices/virtual/net/vlan7\n"
                         "sys/class/net/enp0s31f6 -> ../../" NIC "/net/enp0s31f6\n"
                         "sys/" NIC "/net/enp0s31f6/operstate = up\n"
                         "sys/devices/virtual/net/br0/operstate = up\n"
                         "sys/devices/virtual/net/br0/lower_vlan7 -> ../vlan7\n"
                         "sys/devices/virtual/net/vlan7/lower_enp0s31f6 -> ../../../../" NIC "/net/enp0s31f6");
        assert_lost(f, NIC, "the default route (br0 on enp0s31f6)");
}

/* A sandbox hides the interface that the route needs: no device may look harmless then. */
static void test_network_hidden(void **state) {
        Fixture *f = *state;

        fixture_lines(f, "proc/1/net/route = Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
                         "proc/1/net/route += eth9 00000000 0102A8C0 0003 0 0 0 00000000");
        fixture_capture(f);
        assert_int_equal(host_uses_read(f->root, &(HostUses){}), -ENOENT);
        fixture_assert_logged(f, "default route by eth9");
}

static void lay_input(Fixture *f, const char *path, const char *name, const char *key, const char *rel, const char *abs) {
        _cleanup_(freep) char *lines = NULL;

        assert_int_equal(format(&lines,
                                 "sys/class/input/%s -> ../../%s\n"
                                 "sys/%s/name = %s\nsys/%s/capabilities/key = %s\nsys/%s/capabilities/rel = %s\n"
                                 "sys/%s/capabilities/abs = %s",
                                 strrchr(path, '/') + 1, path, path, name, path, key, path, rel, path, abs),
                0);
        fixture_lines(f, lines);
}

#define KEYBOARD "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"

static void test_input(void **state) {
        static const struct {
                const char *key, *rel, *abs, *wanted;
        } rows[] = {
                { KEYBOARD, "0", "0", "keyboard “X”" },
                { "1f0000 0 0 0 0", "903", "0", "mouse “X”" },
                { "70000 0 0 0 0", "0", "3", "mouse “X”" }, /* QEMU's tablet */
                { "e520 10000 0 0 0 0", "0", "260800000000003", "touchpad “X”" },
                { "400 0 0 0 0 0", "0", "3", "touch screen “X”" },
                { "7fdb000000000000 0 0 0 0", "0", "3003f", NULL }, /* a gamepad */
                { "10000000000000 0", "0", "0", NULL },             /* the power button */
                { "0", "0", "0", NULL },                            /* a headphone jack */
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                lay_input(f, USB "/usb1/1-1/1-1:1.0/0003:046D:C31C.0001/input/input3", "X", rows[i].key, rows[i].rel, rows[i].abs);
                assert_lost(f, USB, rows[i].wanted);
        }
}

static void test_input_bluetooth(void **state) {
        Fixture *f = *state;

        lay_input(f, "devices/virtual/misc/uhid/0005:046D:B342.0004/input/input9", "K380", KEYBOARD, "0", "0");
        fixture_lines(f, "sys/devices/virtual/misc/uhid/0005:046D:B342.0004/input/input9/id/bustype = 0005\n"
                         "sys/class/bluetooth/hci0 -> ../../" USB "/usb1/1-9/1-9:1.0/bluetooth/hci0");
        assert_lost(f, USB, "keyboard “K380” (Bluetooth)");
}

static void test_display(void **state) {
        static const struct {
                const char *lines;
                bool lit;
        } rows[] = {
                { "status = connected|enabled = enabled|dpms = On", true },
                { "status = connected|enabled = enabled|dpms = Off", true }, /* blanked */
                { "status = unknown|enabled = enabled|dpms = On", true },
                { "status = connected|enabled = disabled|dpms = Off", false },
                { "status = disconnected|enabled = enabled|dpms = On", false },
        };
        Fixture *f = *state;

        fixture_lines(f, "sys/class/drm/card0 -> ../../" NVME "/drm/card0\nsys/class/drm/version = drm\n"
                         "sys/class/drm/card0-DP-1 -> ../../" NVME "/drm/card0/card0-DP-1");
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *lines = strdup(rows[i].lines);

                for (char *rest = lines, *line; (line = strsep(&rest, "|"));) {
                        _cleanup_(freep) char *full = NULL;

                        assert_int_equal(format(&full, "sys/" NVME "/drm/card0/card0-DP-1/%s", line), 0);
                        fixture_lines(f, full);
                }
                assert_lost(f, NVME, rows[i].lit ? "the display on DP-1" : NULL);
        }
}

/* With a physical function go the virtual ones. */
static void test_virtual_function(void **state) {
        Fixture *f = *state;

        fixture_lines(f, "sys/class/net/vf0 -> ../../" NVME "/net/vf0\nsys/" NVME "/net/vf0/operstate = up\n"
                         "sys/" NVME "/physfn -> ../../0000:00:1f.6");
        assert_lost(f, NVME, "network vf0 (up)");
        assert_lost(f, NIC, "network vf0 (up)");
}

static void test_bridge(void **state) {
        _cleanup_(host_uses_done) HostUses l = {};
        Fixture *f = *state;
        PciFunction bridge = { .path = (char *) "devices/pci0000:00/0000:00:1d.0", .class_code = 0x060400 };
        char *text = NULL;

        fixture_lines(f, disks);
        fixture_lines(f, "proc/self/mountinfo = 1 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw");
        assert_int_equal(host_uses_read(f->root, &l), 0);
        assert_int_equal(host_uses_of(&l, &bridge, &text), 0);
        assert_null(text);
}

static void test_machine(void **state) {
        Fixture *f = *state;

        fixture_machine(f, "b550");
        assert_lost(f, "devices/pci0000:00/0000:00:01.2/0000:02:00.1",
                "the root file system (sda2), the file system on /boot/efi (sda1), swap (sda3)");
        assert_lost(f, "devices/pci0000:00/0000:00:01.2/0000:02:00.0",
                "keyboard “Logitech USB Keyboard”, mouse “Logitech USB Optical Mouse”");
        assert_lost(f, "devices/pci0000:00/0000:00:01.2/0000:02:00.2/0000:03:09.0/0000:2a:00.0", "the default route (enp42s0)");
        assert_lost(f, "devices/pci0000:00/0000:00:01.2/0000:02:00.2/0000:03:00.0/0000:04:00.0", "the display on HDMI-A-1");
        assert_lost(f, "devices/pci0000:00/0000:00:03.1/0000:2b:00.0", NULL);
        assert_lost(f, "devices/pci0000:00/0000:00:03.1/0000:2b:00.2", NULL);
}

/* Half a fact is none. */
static void test_damaged(void **state) {
        static const char *const rows[] = {
                "proc/self/mountinfo = not a mount",
                "proc/swaps = /dev/sda3",
                "proc/net/route = x",
                "proc/net/ipv6_route = x",
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(freep) char *path = strndup(rows[i], strcspn(rows[i], " "));

                fixture_lines(f, rows[i]);
                if (host_uses_read(f->root, &(HostUses){}) != -EINVAL)
                        fail_msg("taken: %s", rows[i]);
                fixture_remove(f, path);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_nothing),
                fixture_test(test_partition),
                fixture_test(test_mounts_of_pid1),
                fixture_test(test_stacked),
                fixture_test(test_stacked_knot),
                fixture_test(test_nvme_multipath),
                fixture_test(test_btrfs),
                fixture_test(test_btrfs_mapped),
                fixture_test(test_bcachefs),
                fixture_test(test_zfs),
                fixture_test(test_other_namespace),
                fixture_test(test_swap),
                fixture_test(test_network),
                fixture_test(test_network_stacked),
                fixture_test(test_network_hidden),
                fixture_test(test_input),
                fixture_test(test_input_bluetooth),
                fixture_test(test_display),
                fixture_test(test_virtual_function),
                fixture_test(test_bridge),
                fixture_test(test_machine),
                fixture_test(test_damaged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
