/* SPDX-License-Identifier: BSD-3-Clause */
/* What guest files say about disks and shares, taken together: defaults, contradictions, who has to prepare what. */

#include "exit-status.h"
#include "fixture.h"
#include "guest-disks.h"

static int load(Fixture *f, const char *text, Guest **ret) {
        fixture_write(f, "etc/vxm/guests/g.guest", text);
        return guest_load(f->root, "g", ret);
}

static void test_defaults(void **state) {
        _cleanup_(guest_freep) Guest *g = NULL;

        assert_int_equal(
                load(*state,
                        "[Disk system]\nSize=64G\n[Disk fast]\nSize=1G\nFormat=raw\nBus=nvme\nCache=none\n[Disk "
                        "old]\nPath=/srv/x.qcow2\n"
                        "[Disk other]\nPath=/srv/x.img\nDiscard=no\n[Disk odd]\nPath=/srv/y.qcow2\nFormat=raw\n"
                        "[CDROM system]\n[CDROM drivers]\nPath=/srv/v.iso\n[Share music]\nPath=/srv/music\n",
                        &g),
                0);
        assert_int_equal(g->n_disks, 7);
        assert_string_equal(g->disks[0].path, "/var/lib/vxm/guests/g/system.qcow2");
        assert_int_equal(g->disks[0].format, DISK_QCOW2);
        assert_int_equal(g->disks[0].size, UINT64_C(64) << 30);
        assert_true(g->disks[0].bus == DISK_VIRTIO && g->disks[0].cache == DISK_WRITEBACK && g->disks[0].discard);
        assert_string_equal(g->disks[1].path, "/var/lib/vxm/guests/g/fast.raw");
        assert_true(g->disks[1].bus == DISK_NVME && g->disks[1].cache == DISK_NONE);
        assert_int_equal(g->disks[2].format, DISK_QCOW2);
        assert_int_equal(g->disks[3].format, DISK_RAW);
        assert_false(g->disks[3].discard);
        assert_int_equal(g->disks[4].format, DISK_RAW);
        assert_true(g->disks[5].cdrom && !g->disks[5].path && g->disks[5].read_only && g->disks[5].bus == DISK_SATA);
        assert_true(
                g->disks[6].cdrom && g->disks[6].read_only && g->disks[6].format == DISK_RAW && !g->disks[6].discard);
        assert_string_equal(g->shares[0].tag, "music");
        assert_false(g->shares[0].read_only);
}

static void test_contradictions(void **state) {
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "[Disk a]\n", "[Disk a] has no Path=; add one, or Size= to have an image made." },
                { "[Disk a]\nPath=/dev/disk/by-id/x\nSize=1G\n",
                        "[Disk a] Size= is set, but Path=/dev/disk/by-id/x is no image" },
                { "[Disk a]\nSize=1G\nReadOnly=yes\n", "[Disk a] Size= and ReadOnly=yes are set" },
                { "[Disk a]\nPath=/x\nBus=sata\nReadOnly=yes\n", "[Disk a] ReadOnly=yes and Bus=sata are set" },
                { "[Disk a]\nPath=/x\n[Disk b]\nPath=/x\n", "[Disk a] and [Disk b] have the same Path=/x" },
                { "[Disk a]\nPath=/x\n[CDROM b]\nPath=/x\n", "[Disk a] and [CDROM b] have the same Path=/x" },
                { "[Disk a]\nPath=/x\nBootIndex=2\n[CDROM b]\nBootIndex=2\n",
                        "[Disk a] and [CDROM b] have the same BootIndex=2" },
                { "[Share a]\n", "[Share a] has no Path=" },
                { "[Share a]\nPath=/\n",
                        "[Share a] Path=/: expected an absolute path." }, /* all of the host, that is */
                { "[Disk a]\nPath=/tmp/a.img\n", "[Disk a] Path=/tmp/a.img is in a directory for temporary files" },
                { "[Disk a]\nPath=/var/tmp/b/a.img\nSize=1M\n", "[Disk a] Path=/var/tmp/b/a.img is in a directory" },
                { "[CDROM a]\nPath=/tmp/a.iso\n", "[CDROM a] Path=/tmp/a.iso is in a directory for temporary files, "
                                                  "which no guest sees; move it, to /srv or /var/lib/vxm/images say." },
                { "[Share a]\nPath=/tmp\n", "[Share a] Path=/tmp is in a directory for temporary files" },
                { "[Share a]\nPath=/x\nTag=b\n[Share b]\nPath=/y\n", "[Share a] and [Share b] have the same Tag=b" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(guest_freep) Guest *g = NULL;

                fixture_capture(*state);
                assert_int_equal(load(*state, cases[i].text, &g), -E_CONFIG);
                fixture_assert_logged(*state, cases[i].says);
        }
        _cleanup_(guest_freep) Guest *g = NULL;
        assert_int_equal(load(*state, "[CDROM a]\nPath=/x\n[CDROM b]\nPath=/x\n[Disk c]\nPath=/tmpfs/c\n", &g), 0);
}

/* All that takes a slot together: 28 beside the two that each guest needs. */
static void test_slots(void **state) {
        static const struct {
                unsigned n_disks;
                const char *rest;
                const char *says; /* NULL: it fits */
        } cases[] = {
                { 28, "", NULL },
                { 29, "", "The guest needs 31 PCI slots, and there are 30: 29 disks with Bus=virtio or nvme, 0 shares, 0 "
                          "networks, 2 of all else; give disks Bus=scsi." },
                { 27, "[Disk s]\nPath=/s\nBus=scsi\n[Disk t]\nPath=/t\nBus=scsi\n", NULL },
                { 28, "[Disk s]\nPath=/s\nBus=scsi\n", "3 of all else" },
                { 28, "[CDROM a]\n[CDROM b]\n[CDROM c]\n[CDROM d]\n[CDROM e]\n[CDROM f]\n", NULL },
                { 28, "[CDROM a]\n[CDROM b]\n[CDROM c]\n[CDROM d]\n[CDROM e]\n[CDROM f]\n[CDROM g]\n", "3 of all else" },
                { 27, "[Share s]\nPath=/s\n[Network n]\nType=none\n", NULL },
                { 27, "[Share s]\nPath=/s\n[Network n]\n", "27 disks with Bus=virtio or nvme, 1 shares, 1 networks" },
                { 26, "[Display]\nVNC=yes\n", NULL },
                { 26, "[Display]\nVNC=yes\n[Memory]\nBalloon=yes\n", "5 of all else" },
                { 26, "[GPU]\nDevice=01:00.0\n[PCI a]\nDevice=02:00.0\n[PCI b]\nDevice=02:00.1\n", NULL },
                { 27, "[GPU]\nDevice=01:00.0\n[PCI a]\nDevice=02:00.0\n", "4 of all else" },
                { 26, "[Guest]\nOS=linux\nWatchdog=pause\n", NULL },
                { 28, "[Guest]\nOS=linux\n", "3 of all else" },
                { 28, "[Guest]\nWatchdog=pause\n", "3 of all else" },
        };

        for (size_t c = 0; c < ELEMENTSOF(cases); c++) {
                _cleanup_(guest_freep) Guest *g = NULL;
                char text[2048];
                size_t n = (size_t) snprintf(text, sizeof text, "%s", cases[c].rest);

                for (unsigned i = 0; i < cases[c].n_disks; i++)
                        n += (size_t) snprintf(text + n, sizeof text - n, "[Disk d%u]\nPath=/d%u\nBus=%s\n", i, i,
                                i % 2 ? "virtio" : "nvme");
                fixture_capture(*state);
                assert_int_equal(load(*state, text, &g), cases[c].says ? -E_CONFIG : 0);
                fixture_assert_logged(*state, cases[c].says ? cases[c].says : "");
        }
}

static void test_who(void **state) {
        static const struct {
                const char *path;
                uint64_t size;
                bool node, own, root;
        } cases[] = {
                { "/dev/disk/by-id/x", 0, true, false, true },
                { "/dev/shm/x.img", 0, false, false, false },
                { "/srv/x.img", 0, false, false, false },
                { "/srv/x.img", 1, false, false, true },
                { "/var/lib/vxm/guests/g/x.img", 1, false, true, false },
                { "/var/lib/vxm/guests/g/a/x.img", 1, false, false, true },
                { "/var/lib/vxm/guests/gg/x.img", 1, false, false, true },
        };
        Guest g = { .name = (char *) "g" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                GuestDisk d = { .path = (char *) cases[i].path, .size = cases[i].size };

                g.disks = &d;
                g.n_disks = 1;
                if (guest_disk_is_node(&d) != cases[i].node || guest_disk_is_own(&g, &d) != cases[i].own ||
                        guest_disks_need_root(&g) != cases[i].root)
                        fail_msg("%s", cases[i].path);
        }
}

static void test_boot_order(void **state) {
        GuestDisk disks[] = { {}, { .boot_index = 9 }, {}, { .boot_index = 2 }, { .boot_index = 999 } };
        static const unsigned places[] = { 4, 2, 5, 1, 3 };
        Guest g = { .disks = disks, .n_disks = ELEMENTSOF(disks) };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(disks); i++)
                assert_int_equal(guest_disk_boot_place(&g, &disks[i]), places[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                fixture_test(test_defaults),
                fixture_test(test_contradictions),
                fixture_test(test_slots),
                cmocka_unit_test(test_who),
                cmocka_unit_test(test_boot_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
