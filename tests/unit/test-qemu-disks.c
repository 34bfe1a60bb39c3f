/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks, CD-ROM drives and shares on QEMU's command line, option by option; whole command lines are golden. */

#include "fixture.h"
#include "qemu-disks.h"

/* Pointers to constants are fine: nothing here is freed. */
#define S(text) ((char *) (text))

/* All values of option, each followed by a newline. */
static char *values(GuestDisk *disks, size_t n, bool io_uring, const char *option) {
        Guest g = { .name = S("g"), .disks = disks, .n_disks = n };
        QemuFacts f = { .io_uring = io_uring };
        _cleanup_(argv_done) Argv argv = {};
        char *text;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        assert_int_equal(qemu_add_disks(&argv, &g, &f), 0);
        for (size_t i = 0; i + 1 < argv.n; i++)
                if (streq(argv.items[i], option))
                        fprintf(file, "%s\n", argv.items[i + 1]);
        fclose(file);
        return text;
}

static void assert_one(GuestDisk d, bool io_uring, const char *nodes, const char *device) {
        _cleanup_(freep) char *blockdevs = values(&d, 1, io_uring, "-blockdev"),
                              *devices = values(&d, 1, io_uring, "-device");

        assert_string_equal(blockdevs, nodes);
        assert_string_equal(devices, device);
}

static void test_plain(void **state) {
        (void) state;
        /* A path must not smuggle in options of its own. */
        assert_one((GuestDisk){ .name = S("one"),
                           .path = S("/a,read-only=off,b"),
                           .format = DISK_RAW,
                           .read_only = true,
                           .discard = true },
                true,
                "driver=file,node-name=file-one,filename=/"
                "a,,read-only=off,,b,aio=io_uring,discard=ignore,read-only=on\n"
                "driver=raw,node-name=disk-one,file=file-one,discard=ignore,read-only=on\n",
                "virtio-blk-pci,iothread=io-one,id=disk-one,drive=disk-one,bootindex=1,serial=one\n");
        assert_one((GuestDisk){ .name = S("two"), .path = S("/,"), .format = DISK_QCOW2, .discard = true }, false,
                "driver=file,node-name=file-two,filename=/,,,aio=threads,discard=unmap\n"
                "driver=qcow2,node-name=disk-two,file=file-two,discard=unmap,detect-zeroes=unmap\n",
                "virtio-blk-pci,iothread=io-two,id=disk-two,drive=disk-two,bootindex=1,serial=two\n");
        assert_one(
                (GuestDisk){
                        .name = S("node"), .path = S("/dev/disk/by-id/x"), .format = DISK_RAW, .serial = S("S-1") },
                true,
                "driver=host_device,node-name=file-node,filename=/dev/disk/by-id/x,aio=io_uring,discard=ignore\n"
                "driver=raw,node-name=disk-node,file=file-node,discard=ignore\n",
                "virtio-blk-pci,iothread=io-node,id=disk-node,drive=disk-node,bootindex=1,serial=S-1\n");
}

static void test_cache(void **state) {
        static const struct {
                DiskCache cache;
                bool io_uring;
                const char *aio, *node, *device;
        } cases[] = {
                { DISK_WRITEBACK, true, "aio=io_uring,", "discard=ignore\n", "serial=d\n" },
                { DISK_NONE, true, "aio=io_uring,", "discard=ignore,cache.direct=on\n", "serial=d\n" },
                { DISK_NONE, false, "aio=native,", "discard=ignore,cache.direct=on\n", "serial=d\n" },
                { DISK_WRITETHROUGH, false, "aio=threads,", "discard=ignore\n", "serial=d,write-cache=off\n" },
                { DISK_DIRECTSYNC, false, "aio=native,", "discard=ignore,cache.direct=on\n",
                        "serial=d,write-cache=off\n" },
                { DISK_UNSAFE, false, "aio=threads,", "discard=ignore,cache.no-flush=on\n", "serial=d\n" },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                GuestDisk d = { .name = S("d"), .path = S("/d"), .format = DISK_RAW, .cache = cases[i].cache };
                _cleanup_(freep) char *nodes = values(&d, 1, cases[i].io_uring, "-blockdev"),
                                      *device = values(&d, 1, cases[i].io_uring, "-device");

                if (!strstr(nodes, cases[i].aio) || !strstr(nodes, cases[i].node) || !strstr(device, cases[i].device))
                        fail_msg("%zu: %s%s", i, nodes, device);
        }
}

static void test_buses(void **state) {
        GuestDisk disks[] = {
                { .name = S("a"), .path = S("/a"), .format = DISK_RAW, .bus = DISK_SCSI },
                { .name = S("b"), .path = S("/b"), .format = DISK_RAW, .bus = DISK_NVME, .boot_index = 7 },
                { .name = S("c"), .path = S("/c"), .format = DISK_RAW, .bus = DISK_SCSI, .boot_index = 3 },
                { .name = S("d"), .format = DISK_RAW, .bus = DISK_SATA, .cdrom = true, .read_only = true },
                { .name = S("a"),
                        .path = S("/e"),
                        .format = DISK_RAW,
                        .bus = DISK_SATA,
                        .cdrom = true,
                        .read_only = true },
        };
        _cleanup_(freep) char *devices = values(disks, ELEMENTSOF(disks), true, "-device"),
                              *objects = values(disks, ELEMENTSOF(disks), true, "-object"),
                              *nodes = values(disks, ELEMENTSOF(disks), true, "-blockdev");

        (void) state;
        assert_string_equal(devices, "virtio-scsi-pci,id=scsi,iothread=scsi-io\n"
                                     "scsi-hd,bus=scsi.0,rotation_rate=1,id=disk-a,drive=disk-a,bootindex=3,serial=a\n"
                                     "nvme,id=disk-b,drive=disk-b,bootindex=2,serial=b\n"
                                     "scsi-hd,bus=scsi.0,rotation_rate=1,id=disk-c,drive=disk-c,bootindex=1,serial=c\n"
                                     "ide-cd,bus=ide.0,id=cdrom-d,bootindex=4,serial=d\n"
                                     "ide-cd,bus=ide.1,id=cdrom-a,drive=cdrom-a,bootindex=5,serial=a\n");
        assert_string_equal(objects, "iothread,id=scsi-io\n");
        assert_non_null(strstr(nodes, "driver=file,node-name=iso-a,filename=/e,"));
        assert_null(strstr(nodes, "iso-d"));
}

/* Beyond six, SATA disks have further controllers. */
static void test_sata(void **state) {
        GuestDisk disks[13];
        _cleanup_(freep) char *devices = NULL;

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(disks); i++)
                disks[i] = (GuestDisk){ .name = S("d"), .path = S("/d"), .format = DISK_RAW, .bus = DISK_SATA };
        devices = values(disks, ELEMENTSOF(disks), true, "-device");
        for (const char **word = (const char *[]){ "\nide-hd,rotation_rate=1,bus=ide.5,",
                     "\nich9-ahci,id=sata1\nide-hd,rotation_rate=1,bus=sata1.0,", "bus=sata1.5,",
                     "\nich9-ahci,id=sata2\nide-hd,rotation_rate=1,bus=sata2.0,", NULL };
                *word; word++)
                if (!strstr(devices, *word))
                        fail_msg("no %s in %s", *word, devices);
        assert_null(strstr(devices, "sata3"));
}

/* Whatever a disk is called, its nodes, its device and its thread have names of their own, of at most 31 characters; a
 * serial number has 20. */
static void test_names(void **state) {
        GuestDisk disks[] = {
                { .name = S("a"), .path = S("/a") },
                { .name = S("a-file"), .path = S("/b") },
                { .name = S("file-a"), .path = S("/c") },
                { .name = S("serial"), .path = S("/d") },
                { .name = S("slot1"), .path = S("/e") },
                { .name = S("abcdefghijklmnopqrstuvwx"), .path = S("/f") },
                { .name = S("scsi"), .path = S("/g"), .bus = DISK_SCSI },
                { .name = S("a"), .path = S("/h"), .bus = DISK_SATA, .cdrom = true },
                { .name = S("abcdefghijklmnopqrstuvwx"), .path = S("/i"), .bus = DISK_SATA, .cdrom = true },
        };
        static const struct {
                const char *option, *key;
        } names[] = { { "-blockdev", ",node-name=" }, { "-device", ",id=" }, { "-object", ",id=" } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_(freep) char *text = values(disks, ELEMENTSOF(disks), true, names[i].option);
                char *seen[32];
                size_t n = 0;

                assert_null(strstr(text, "serial=abcdefghijklmnopqrstu"));
                for (char *p = text; (p = strstr(p, names[i].key));) {
                        p += strlen(names[i].key);
                        seen[n] = strndup(p, strcspn(p, ",\n"));
                        assert_in_range(strlen(seen[n]), 1, 31);
                        for (size_t j = 0; j < n; j++)
                                assert_string_not_equal(seen[j], seen[n]);
                        n++;
                }
                assert_true(n >= 6);
                while (n > 0)
                        free(seen[--n]);
        }
}

static void test_shares(void **state) {
        GuestShare shares[] = {
                { .name = S("music"), .path = S("/srv/m,usic"), .tag = S("Music") },
                { .name = S("b"), .path = S("/b"), .tag = S("b"), .read_only = true },
        };
        Guest g = { .name = S("g"), .shares = shares, .n_shares = ELEMENTSOF(shares) };
        static const char *const wanted[] = { "-chardev", "socket,id=share-music,path=/run/vxm/shares/g:music",
                "-device", "vhost-user-fs-pci,id=share-music,chardev=share-music,tag=Music", "-chardev",
                "socket,id=share-b,path=/run/vxm/shares/g:b", "-device",
                "vhost-user-fs-pci,id=share-b,chardev=share-b,tag=b" };
        _cleanup_(argv_done) Argv argv = {};
        QemuFacts f = {};

        (void) state;
        assert_int_equal(qemu_add_shares(&argv, &g, &f), 0);
        assert_int_equal(argv.n, ELEMENTSOF(wanted));
        for (size_t i = 0; i < argv.n; i++)
                assert_string_equal(argv.items[i], wanted[i]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain),
                cmocka_unit_test(test_cache),
                cmocka_unit_test(test_buses),
                cmocka_unit_test(test_sata),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_shares),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
