/* SPDX-License-Identifier: BSD-3-Clause */
/* Making images: what is judged, what is made, and that nothing is ever written over. */

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "disk-image.h"
#include "exit-status.h"
#include "fixture.h"
#include "root.h"

static Guest guest = { .name = (char *) "g", .file = (char *) "/etc/vxm/guests/g.guest" };

static GuestDisk disk(const char *path, DiskFormat disk_format, uint64_t size) {
        return (GuestDisk){ .name = (char *) "d", .path = (char *) path, .format = disk_format, .size = size };
}

static void test_raw(void **state) {
        GuestDisk d = disk("/srv/d.raw", DISK_RAW, 3 << 20);
        Fixture *f = *state;
        struct stat st;

        fixture_directory(f, "srv");
        assert_int_equal(disk_image_judge(f->root, &guest, &d), 0);
        assert_false(root_exists(f->root, "srv/d.raw"));
        assert_int_equal(disk_image_make(f->root, &guest, &d, (uid_t) -1, (gid_t) -1), 1);
        assert_int_equal(fstatat(f->root, "srv/d.raw", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_true(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600 && st.st_size == 3 << 20 && st.st_nlink == 1);
        assert_int_equal(disk_image_make(f->root, &guest, &d, (uid_t) -1, (gid_t) -1), 0);
}

/* Not even a link to nowhere is written through. */
static void test_never_over(void **state) {
        static const char *const targets[] = { "srv/d.raw", "srv/dangling" };
        Fixture *f = *state;

        fixture_write(f, "srv/d.raw", "precious");
        fixture_link(f, "srv/dangling", "elsewhere");
        for (size_t i = 0; i < ELEMENTSOF(targets); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_int_equal(format(&path, "/%s", targets[i]), 0);
                GuestDisk d = disk(path, DISK_RAW, 1 << 20);
                assert_int_equal(disk_image_make(f->root, &guest, &d, (uid_t) -1, (gid_t) -1), 0);
        }
        _cleanup_(freep) char *text = NULL;
        assert_int_equal(root_read(f->root, "srv/d.raw", &text), 0);
        assert_string_equal(text, "precious");
        assert_false(root_exists(f->root, "srv/elsewhere"));
}

static void test_judge(void **state) {
        static const struct {
                const char *path;
                DiskFormat format;
                uint64_t size;
                int result;
                const char *says;
        } cases[] = {
                { "/none/d.raw", DISK_RAW, 1 << 20, -E_CONFIG,
                        "its directory is missing; make the directory or correct Path=" },
                { "/srv/d.raw", DISK_RAW, UINT64_C(64) << 40, -E_CONFIG, "it needs 67108864M, and " },
                { "/srv/d.qcow2", DISK_QCOW2, 1 << 20, -E_LACKS, "qemu-img is missing; install it" },
                { "/srv/file/d.raw", DISK_RAW, 1 << 20, -E_CONFIG, "Not a directory" },
        };
        Fixture *f = *state;

        fixture_write(f, "srv/file", "");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                GuestDisk d = disk(cases[i].path, cases[i].format, cases[i].size);

                fixture_capture(f);
                assert_int_equal(disk_image_judge(f->root, &guest, &d), cases[i].result);
                fixture_assert_logged(f, cases[i].says);
        }
        /* The guest's own directory comes with its first start. */
        GuestDisk own = disk("/var/lib/vxm/guests/g/d.raw", DISK_RAW, 1 << 20);
        assert_int_equal(disk_image_judge(f->root, &guest, &own), 0);
}

/* Needs the machine's own qemu-img; where there is none, that is what is said. */
static void test_qcow2(void **state) {
        GuestDisk d = disk("/srv/d.qcow2", DISK_QCOW2, 3 << 20);
        _cleanup_(closep) int fd = -EBADF;
        Fixture *f = *state;
        char head[33] = "";
        int r;

        fixture_directory(f, "srv");
        r = disk_image_make(f->root, &guest, &d, (uid_t) -1, (gid_t) -1);
        if (access(QEMU_IMG_PATH, X_OK) < 0) {
                assert_int_equal(r, -EIO);
                assert_false(root_exists(f->root, "srv/d.qcow2"));
                return;
        }
        assert_int_equal(r, 1);
        fd = root_openat(f->root, "srv/d.qcow2", O_RDONLY);
        assert_int_equal(read(fd, head, 32), 32);
        assert_memory_equal(head, "QFI\xfb", 4);
        assert_memory_equal(head + 24, "\0\0\0\0\0\x30\0\0", 8); /* the size, as qcow2 has it */
}

/* For this process and what it executes: root has no more than the bounding set of vxm-disks@.service. */
static void keep_capabilities_of_unit(void) {
        const uint32_t kept = 1U << CAP_CHOWN | 1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept, .permitted = kept } };

        for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
                if (capability >= 32 || !(kept >> capability & 1))
                        assert_int_equal(prctl(PR_CAPBSET_DROP, capability), 0);
        assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

/* For another user, who owns the image from the instant it has its name. Goes last, as capabilities do not come back. */
static void test_for_user(void **state) {
        GuestDisk disks[] = { disk("/srv/d.raw", DISK_RAW, 3 << 20), disk("/srv/d.qcow2", DISK_QCOW2, 3 << 20) };
        Fixture *f = *state;

        if (geteuid() != 0 || access(QEMU_IMG_PATH, X_OK) < 0 || prctl(PR_CAPBSET_READ, CAP_SETPCAP) != 1) {
                print_message("skipped: needs root with its capabilities, and " QEMU_IMG_PATH "\n");
                skip();
        }
        fixture_directory(f, "srv");
        keep_capabilities_of_unit();
        for (size_t i = 0; i < ELEMENTSOF(disks); i++) {
                struct stat st;

                assert_int_equal(disk_image_make(f->root, &guest, &disks[i], 4711, 4712), 1);
                assert_int_equal(fstatat(f->root, disks[i].path + 1, &st, AT_SYMLINK_NOFOLLOW), 0);
                assert_true(st.st_uid == 4711 && st.st_gid == 4712 && st.st_mode == (S_IFREG | 0600) && st.st_size > 0);
        }
}

static void test_own(void **state) {
        GuestDisk disks[] = { disk("/var/lib/vxm/guests/g/a.raw", DISK_RAW, 1 << 20),
                disk("/srv/b.raw", DISK_RAW, 1 << 20), disk("/var/lib/vxm/guests/g/c.raw", DISK_RAW, 0) };
        Guest g = guest;
        Fixture *f = *state;

        g.disks = disks;
        g.n_disks = ELEMENTSOF(disks);
        fixture_directory(f, "srv");
        fixture_directory(f, "var/lib/vxm/guests/g");
        assert_int_equal(disk_images_make_own(f->root, &g), 0);
        assert_true(root_exists(f->root, "var/lib/vxm/guests/g/a.raw"));
        assert_false(root_exists(f->root, "srv/b.raw"));
        assert_false(root_exists(f->root, "var/lib/vxm/guests/g/c.raw"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_raw),
                fixture_test(test_never_over),
                fixture_test(test_judge),
                fixture_test(test_qcow2),
                fixture_test(test_own),
                fixture_test(test_for_user),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
