/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a guest can have its disks: images that somebody uses, block devices that the host stands on. */

#include <fcntl.h>

#include "disk-check.h"
#include "exit-status.h"
#include "fixture.h"
#include "root.h"

#define SATA "devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block"

/* sda is the host's, with a partition to spare; sdb is free but for what a test adds; dm-0 stands on sdc1. */
static const char machine[] = "sys/class/block/sda -> ../../" SATA "/sda\n"
                              "sys/class/block/sda1 -> ../../" SATA "/sda/sda1\n"
                              "sys/class/block/sda2 -> ../../" SATA "/sda/sda2\n"
                              "sys/class/block/sdb -> ../../" SATA "/sdb\n"
                              "sys/class/block/sdb1 -> ../../" SATA "/sdb/sdb1\n"
                              "sys/class/block/sdc -> ../../" SATA "/sdc\n"
                              "sys/class/block/sdc1 -> ../../" SATA "/sdc/sdc1\n"
                              "sys/class/block/dm-0 -> ../../devices/virtual/block/dm-0\n"
                              "sys/dev/block/8:1 -> ../../" SATA "/sda/sda1\n"
                              "sys/" SATA "/sda/sda1/\n"
                              "sys/" SATA "/sda/sda2/\n"
                              "sys/" SATA "/sdb/sdb1/\n"
                              "sys/" SATA "/sdb/ro = 0\n"
                              "sys/" SATA "/sdc/sdc1/holders/dm-0/\n"
                              "sys/devices/virtual/block/dm-0/dm/name = vg-windows\n"
        "sys/devices/virtual/block/dm-0/dev = 253:0\n"
                              "proc/self/mountinfo = 1 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                              "dev/sda =\ndev/sda1 =\ndev/sda2 =\ndev/sdb =\ndev/sdb1 =\ndev/sdc =\ndev/dm-0 =\n"
                              "dev/disk/by-id/ata-HOST -> ../../sda\n"
                              "dev/disk/by-id/ata-HOST-part1 -> ../../sda1\n"
                              "dev/disk/by-id/ata-HOST-part2 -> ../../sda2\n"
                              "dev/disk/by-id/ata-FREE -> ../../sdb\n"
                              "dev/disk/by-id/ata-FREE-part1 -> ../../sdb1\n"
                              "dev/disk/by-id/ata-LVM -> ../../sdc\n"
                              "dev/mapper/vg-windows -> ../dm-0\n";

static int check(Fixture *f, const char *text, bool prepared) {
        _cleanup_(guest_freep) Guest *g = NULL;

        fixture_write(f, "etc/vxm/guests/g.guest", text);
        assert_int_equal(guest_load(f->root, "g", &g), 0);
        return disks_check(f->root, g, prepared);
}

static void assert_refused(Fixture *f, const char *text, int error, const char *says) {
        fixture_capture(f);
        assert_int_equal(check(f, text, false), error);
        fixture_assert_logged(f, says);
}

static void test_nodes(void **state) {
        static const struct {
                const char *path;
                int result;
                const char *says;
        } cases[] = {
                { "/dev/disk/by-id/ata-FREE", 0, NULL },
                { "/dev/disk/by-id/ata-FREE-part1", 0, NULL },
                { "/dev/disk/by-id/ata-HOST-part2", 0, NULL }, /* another system's, beside the host's */
                { "/dev/mapper/vg-windows", 0, NULL },
                { "/dev/dm-0", 0, NULL },
                { "/dev/disk/by-id/ata-HOST", -E_CONFIG,
                        "is in use by the host: the root file system (sda1); unmount it, or name another" },
                { "/dev/disk/by-id/ata-HOST-part1", -E_CONFIG, "is in use by the host: the root file system (sda1)" },
                { "/dev/disk/by-id/ata-LVM", -E_CONFIG,
                        "is in use by the host: dm-0 stands on sdc1; name another disk." },
                { "/dev/sdb", -E_CONFIG,
                        ": another disk may have this name after the next boot; write Path=/dev/disk/by-id/ata-FREE" },
                { "/dev/disk/by-id/ata-NONE", -E_CONFIG, "No such file or directory" },
        };
        Fixture *f = *state;

        fixture_lines(f, machine);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(format(&text, "[Disk d]\nPath=%s\n", cases[i].path), 0);
                if (cases[i].says)
                        assert_refused(f, text, cases[i].result, cases[i].says);
                else
                        assert_int_equal(check(f, text, false), 0);
        }
}

/* What no partition carries itself. */
static void test_volumes(void **state) {
        Fixture *f = *state;

        fixture_lines(f, machine);
        fixture_lines(f, "proc/swaps = Filename Type Size Used Priority\nproc/swaps += /dev/dm-0 partition 1 0 -2\n");
        assert_refused(f, "[Disk d]\nPath=/dev/mapper/vg-windows\n", -E_CONFIG, "is in use by the host: swap; unmount it");
        fixture_lines(f, "proc/1/mountinfo = 1 1 253:0 / /srv/w rw - ext4 /dev/mapper/vg-windows rw\n");
        assert_refused(f, "[Disk d]\nPath=/dev/mapper/vg-windows\n", -E_CONFIG,
                "is in use by the host: the file system on /srv/w; unmount it, or name another disk.");
}

static void test_nodes_of_others(void **state) {
        Fixture *f = *state;

        fixture_lines(f, machine);
        fixture_write(f, "run/vxm/disks/other", "8:16 0 /dev/sdb " SATA "/sdb\n");
        assert_refused(f, "[Disk d]\nPath=/dev/disk/by-id/ata-FREE-part1\n", -E_BUSY,
                "is in use by guest other; stop that first (systemctl stop vxm-guest@other)");
        fixture_remove(f, "run/vxm/disks/other");
        fixture_write(f, "run/vxm/disks/g", "8:16 0 /dev/sdb " SATA "/sdb\n");
        assert_int_equal(check(f, "[Disk d]\nPath=/dev/disk/by-id/ata-FREE-part1\n", false), 0);
        assert_refused(f, "[Disk d]\nPath=/dev/disk/by-id/ata-FREE-part1\n[Disk e]\nPath=/dev/disk/by-id/ata-FREE\n",
                -E_CONFIG, "[Disk d] and [Disk e] are one block device, or one is part of the other");
        fixture_lines(f, "sys/" SATA "/sdb/ro = 1\n");
        assert_refused(
                f, "[Disk d]\nPath=/dev/disk/by-id/ata-FREE\n", -E_CONFIG, " is write-protected; set ReadOnly=yes");
        assert_int_equal(check(f, "[Disk d]\nPath=/dev/disk/by-id/ata-FREE\nReadOnly=yes\n", false), 0);
}

static void test_images(void **state) {
        Fixture *f = *state;

        fixture_directory(f, "srv/directory");
        fixture_write(f, "srv/a.img", "");
        fixture_link(f, "srv/b.img", "a.img");
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/a.img\n[CDROM c]\n", false), 0);
        assert_refused(f, "[Disk d]\nPath=/srv/none.img\n", -E_CONFIG,
                "[Disk d] Path=/srv/none.img: No such file or directory; put the file there or correct the path.");
        assert_refused(f, "[CDROM c]\nPath=/srv/none.iso\n", -E_CONFIG,
                "[CDROM c] Path=/srv/none.iso: No such file or directory");
        assert_refused(f, "[Disk d]\nPath=/srv/directory\n", -E_CONFIG, "is neither a regular file nor a block device");
        assert_refused(f, "[Disk d]\nPath=/srv/a.img\n[Disk e]\nPath=/srv/b.img\n", -E_CONFIG,
                "[Disk d] and [Disk e] are one image");
        assert_int_equal(
                check(f, "[Disk d]\nPath=/srv/a.img\nReadOnly=yes\n[Disk e]\nPath=/srv/b.img\nReadOnly=yes\n", false),
                0);
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/new.img\nSize=1M\n", false), 0);
        assert_refused(f, "[Disk d]\nPath=/none/new.img\nSize=1M\n", -E_CONFIG, "its directory is missing");
}

static void write_header(Fixture *f, uint8_t backing, uint8_t incompatible) {
        _cleanup_(closep) int fd = -EBADF;
        uint8_t data[104] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };

        data[15] = backing;
        data[79] = incompatible;
        fixture_write(f, "srv/a.qcow2", "");
        fd = root_openat(f->root, "srv/a.qcow2", O_WRONLY);
        assert_int_equal(write_full(fd, data, sizeof data), 0);
}

/* Other files that an image would have QEMU open. */
static void test_headers(void **state) {
        static const char text[] = "[Disk d]\nPath=/srv/a.qcow2\n";
        Fixture *f = *state;

        write_header(f, 0, 0);
        assert_int_equal(check(f, text, false), 0);
        write_header(f, 104, 0);
        assert_refused(f, text, -E_CONFIG,
                "[Disk d] /srv/a.qcow2 stands on a backing file, which QEMU would open, too; if you trust it, make it one "
                "image: qemu-img rebase -f qcow2 -b '' '/srv/a.qcow2'.");
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/a.qcow2\nFormat=raw\n", false), 0);
        write_header(f, 0, 4);
        assert_refused(f, text, -E_CONFIG, "has its data in another file, which QEMU would open, too; if you trust it, ");
}

/* An image that the host itself has mounted or swaps to, by whatever name. */
static void test_images_of_host(void **state) {
        Fixture *f = *state;

        fixture_write(f, "srv/a.img", "");
        fixture_write(f, "srv/free.img", "");
        fixture_link(f, "srv/b.img", "a.img");
        fixture_lines(f, "sys/block/loop0/loop/backing_file = /srv/a.img\nsys/block/loop1/loop/backing_file = /srv/gone\n"
                         "sys/block/loop2/\nsys/block/sda/\n");
        assert_refused(f, "[Disk d]\nPath=/srv/b.img\n", -E_BUSY,
                "[Disk d] /srv/b.img is in use by the host: loop0 stands on it, and may be mounted; end that first "
                "(umount, then losetup -d /dev/loop0), set ReadOnly=yes, or give this guest a copy.");
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/b.img\nReadOnly=yes\n", false), 0);
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/free.img\n", false), 0);
        fixture_lines(f, "proc/swaps = Filename Type Size Used Priority\nproc/swaps += /srv/free.img file 1 0 -2\n");
        assert_refused(f, "[Disk d]\nPath=/srv/free.img\n", -E_BUSY,
                "is in use by the host: swap; end that first (swapoff /srv/free.img)");
}

static void lock(int fd, off_t byte) {
        struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

        assert_int_equal(fcntl(fd, F_OFD_SETLK, &l), 0);
}

/* As QEMU locks what it has open: a reader, then a writer. */
static void test_locks(void **state) {
        _cleanup_(closep) int fd = -EBADF;
        Fixture *f = *state;

        fixture_write(f, "srv/a.img", "");
        fixture_write(f, "etc/vxm/guests/broken.guest", "[Memory]\nSize=nonsense\n");
        fixture_directory(f, "run/vxm/sockets/broken");
        fixture_write(f, "etc/vxm/guests/other.guest", "[Disk x]\nPath=/srv/a.img\n");
        fd = root_openat(f->root, "srv/a.img", O_RDONLY);
        lock(fd, 100);
        lock(fd, 201);
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/a.img\nReadOnly=yes\n", false), 0);
        assert_refused(f, "[Disk d]\nPath=/srv/a.img\n", -E_BUSY,
                "[Disk d] /srv/a.img is in use by a program that is none of vxm's guests; end that first; `fuser -v "
                "/srv/a.img` shows it.");
        fixture_directory(f, "run/vxm/sockets/g");
        assert_int_equal(check(f, "[Disk d]\nPath=/srv/a.img\n", false), 0); /* it runs, with that */
        assert_int_equal(unlinkat(f->root, "run/vxm/sockets/g", AT_REMOVEDIR), 0);
        lock(fd, 101);
        fixture_directory(f, "run/vxm/sockets/other");
        assert_refused(f, "[Disk d]\nPath=/srv/a.img\nReadOnly=yes\n", -E_BUSY,
                "is in use by guest other; stop that first (systemctl stop vxm-guest@other), or give this guest a "
                "copy.");
}

/* A disk that came into the file after the units were made has been prepared by nobody. */
static void test_stale_units(void **state) {
        static const char again[] = "run systemctl daemon-reload, then start again.";
        static const char *const texts[] = { "[Disk d]\nPath=/srv/none.img\nSize=1M\n", "[Disk d]\nPath=/dev/none\n",
                "[Disk d]\nPath=/dev/others\n" };
        Fixture *f = *state;

        fixture_write(f, "dev/others", "");
        for (size_t i = 0; i < ELEMENTSOF(texts) - (geteuid() != 0); i++) {
                if (geteuid() == 0)
                        assert_int_equal(fchownat(f->root, "dev/others", 4711, 4711, 0), 0);
                fixture_capture(f);
                assert_int_equal(check(f, texts[i], true), -E_CONFIG);
                fixture_assert_logged(f, again);
        }
}

static void test_shares(void **state) {
        Fixture *f = *state;

        fixture_directory(f, "srv/music");
        fixture_write(f, "srv/file", "");
        assert_refused(f, "[Share m]\nPath=/srv/music\n", -E_LACKS,
                VIRTIOFSD_PATH " is missing, which serves [Share m]; install it");
        fixture_write(f, &VIRTIOFSD_PATH[1], "");
        assert_int_equal(check(f, "[Share m]\nPath=/srv/music\n", false), 0);
        assert_refused(
                f, "[Share m]\nPath=/srv/none\n", -E_CONFIG, "[Share m] Path=/srv/none: there is no such directory");
        assert_refused(
                f, "[Share m]\nPath=/srv/file\n", -E_CONFIG, "[Share m] Path=/srv/file is no directory; name one");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_nodes),
                fixture_test(test_volumes),
                fixture_test(test_nodes_of_others),
                fixture_test(test_images),
                fixture_test(test_headers),
                fixture_test(test_images_of_host),
                fixture_test(test_locks),
                fixture_test(test_stale_units),
                fixture_test(test_shares),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
